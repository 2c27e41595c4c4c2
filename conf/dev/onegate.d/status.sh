# What runs and where: "status" for people, "status --json" for programs.

readonly SERVERS="postgres redis kafka"
readonly MODULES="auth payment transaction"

command_status() {
	ports_read
	if [ "${1:-}" = --json ]; then
		status_json
		return
	fi
	local name
	for name in $MODULES sandbox $SERVERS; do
		status_line "$name"
	done
	[ "$(status_state)" = up ]
}

# up: everything runs; down: nothing; partial: some.
status_state() {
	local name running=0 all=0
	for name in $MODULES sandbox $SERVERS; do
		all=$((all + 1))
		! process_alive "$name" || running=$((running + 1))
	done
	case $running in
	0) printf down ;;
	"$all") printf up ;;
	*) printf partial ;;
	esac
}

# status_port NAME: the variable that holds its port.
status_port() {
	local variable=ONEGATE_${1^^}_PORT
	[ "$1" != postgres ] || variable=ONEGATE_PG_PORT
	printf '%s' "${!variable:-}"
}

status_line() {
	local address
	address=$HOST:$(status_port "$1")
	case " $SERVERS " in
	*" $1 "*) ;;
	*) address=http://$address ;;
	esac
	if process_alive "$1"; then
		printf '%-12s up    %-30s pid %s\n' "$1" "$address" \
		    "$(process_pid "$1")"
	else
		printf '%-12s down\n' "$1"
	fi
}

status_pid() {
	if process_alive "$1"; then
		process_pid "$1"
	else
		printf null
	fi
}

status_json() {
	local name internal
	printf '{"state":"%s"' "$(status_state)"
	for name in $MODULES; do
		internal=ONEGATE_${name^^}_INTERNAL_PORT
		printf ',"%s":{"base_url":"http://%s:%s","internal_url":"http://%s:%s","pid":%s}' \
		    "$name" "$HOST" "$(status_port "$name")" \
		    "$HOST" "${!internal:-}" "$(status_pid "$name")"
	done
	printf ',"sandbox":{"base_url":"http://%s:%s","pid":%s}' \
	    "$HOST" "$(status_port sandbox)" "$(status_pid sandbox)"
	printf ',"postgres":{%s,"database":"onegate","user":"onegate_owner","dsn":"postgresql://onegate_owner:%s@%s:%s/onegate","pid":%s}' \
	    "$(status_address postgres)" "$(secret pg_owner 2>/dev/null)" \
	    "$HOST" "$(status_port postgres)" "$(status_pid postgres)"
	printf ',"redis":{%s,"pid":%s}' \
	    "$(status_address redis)" "$(status_pid redis)"
	printf ',"kafka":{%s,"pid":%s}' \
	    "$(status_address kafka)" "$(status_pid kafka)"
	printf ',"data":%s,"logs":%s}\n' \
	    "$(json_string "$DATA")" "$(json_string "$LOG")"
}

status_address() {
	local port
	port=$(status_port "$1")
	printf '"address":"%s:%s","host":"%s","port":%s' \
	    "$HOST" "$port" "$HOST" "${port:-null}"
}

# command_url NAME: the base URL of a module or of the sandbox, for scripts.
command_url() {
	case " $MODULES sandbox " in
	*" ${1:-none} "*) ;;
	*) die "url needs one of: $MODULES sandbox" ;;
	esac
	ports_read
	process_alive "$1" || die "$1 is not running: ./onegate up"
	printf 'http://%s:%s\n' "$HOST" "$(status_port "$1")"
}
