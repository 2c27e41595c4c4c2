# Starting and ending the processes of this data folder. Each has run/NAME.pid
# with "pid start-time boot-id", so that a number which the kernel has given to
# somebody else is never mistaken for ours.

# process_identity PID: what distinguishes it from later owners of the number.
process_identity() {
	local stat
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
	# After "pid (comm) ": the state is field 1, the start time field 20.
	# shellcheck disable=SC2086
	set -- ${stat##*) }
	[ "$1" != Z ] || return 1
	printf '%s %s' "${20}" "$(cat /proc/sys/kernel/random/boot_id)"
}

# process_alive NAME: ours, and running.
process_alive() {
	local pid identity
	[ -f "$RUN/$1.pid" ] || return 1
	read -r pid identity <"$RUN/$1.pid" || return 1
	[ "$(process_identity "$pid")" = "$identity" ]
}

process_pid() {
	local pid _
	[ -f "$RUN/$1.pid" ] || return 1
	read -r pid _ <"$RUN/$1.pid" && printf '%s' "$pid"
}

# process_start NAME COMMAND...: detached, its output in log/NAME.log.
process_start() {
	local name=$1 pid identity
	shift
	[ ! -f "$LOG/$name.log" ] || mv "$LOG/$name.log" "$LOG/$name.log.old"
	setsid "$@" </dev/null >"$LOG/$name.log" 2>&1 9>&- &
	pid=$!
	identity=$(process_identity "$pid") || identity=gone
	printf '%s %s\n' "$pid" "$identity" >"$RUN/$name.pid"
}

# process_current NAME FILE...: runs, and from these very files; one that was
# started from others (before a rebuild, say) is ended.
process_current() {
	local name=$1 stamp
	shift
	stamp=$(cat "$@" | sha256sum)
	if process_alive "$name"; then
		[ "$(cat "$RUN/$name.stamp" 2>/dev/null)" != "$stamp" ] || return 0
		say "$name" "has changed: starting anew"
		"${name}_stop"
	fi
	printf '%s\n' "$stamp" >"$RUN/$name.stamp"
	return 1
}

# process_ready NAME SECONDS CHECK [ARG...]: waits until CHECK succeeds; a dead
# process or a deadline is one line that points to the log.
process_ready() {
	local name=$1 seconds=$2 check
	shift 2
	check=("$@")
	process_ready_or_dead() {
		! process_alive "$name" || "${check[@]}" >/dev/null 2>&1
	}
	wait_for "$seconds" process_ready_or_dead ||
	    die "$name is not ready after $seconds s: see $LOG/$name.log"
	process_alive "$name" ||
	    die "$name ended while starting: $(process_last_words "$name") (see $LOG/$name.log)"
}

process_last_words() {
	grep -v '^[[:space:]]*$' "$LOG/$1.log" 2>/dev/null | tail -n 1 |
	    cut -c 1-300
}

# process_stop NAME SIGNAL SECONDS: ends it and what it has left in its session.
process_stop() {
	local name=$1 signal=$2 seconds=$3 pid
	pid=$(process_pid "$name") || return 0
	if process_alive "$name"; then
		process_gone() { ! process_alive "$name"; }
		kill -"$signal" "$pid" 2>/dev/null || true
		if ! wait_for "$seconds" process_gone; then
			say "$name" "does not end after $seconds s: killed"
			kill -KILL "$pid" 2>/dev/null || true
			wait_for 5 process_gone ||
			    die "$name (pid $pid) cannot be ended: see $LOG/$name.log"
		fi
		say "$name" "ended"
	fi
	process_session_kill "$name"
	rm -f "$RUN/$name.pid" "$RUN/$name.stamp"
}

# process_leftovers_kill NAME: what a killed process has left would keep its port.
process_leftovers_kill() {
	[ -f "$RUN/$1.pid" ] || return 0
	process_alive "$1" || process_session_kill "$1"
}

# Children that outlived their parent. The number of a session stays reserved
# while it has members, so they are ours unless it leads to somebody else.
process_session_kill() {
	local session start boot pid
	read -r session start boot <"$RUN/$1.pid"
	[ "$boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] || return 0
	case $(process_start_time "$session") in
	'' | "$start") ;;
	*) return 0 ;;
	esac
	for pid in $(process_session "$session"); do
		kill -KILL "$pid" 2>/dev/null || true
	done
	process_session_empty() { [ -z "$(process_session "$session")" ]; }
	wait_for 5 process_session_empty || true
}

# The start time of PID, dead or alive; nothing when there is none.
process_start_time() {
	# shellcheck disable=SC2046
	set -- $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null)
	printf '%s' "${20:-}"
}

# Its members that have not ended.
process_session() {
	ps -o stat=,pid= -s "$1" 2>/dev/null | awk '$1 !~ /^Z/ { print $2 }'
}

port_open() {
	(exec 3<>"/dev/tcp/$HOST/$1") 2>/dev/null
}
