# Where things live and which ports they use. Folders and ports may be set in
# the environment; a port that is taken is replaced by a free one, and the
# choice is remembered in the data folder.

# name of the variable : preferred port
readonly PORT_TABLE="
ONEGATE_AUTH_PORT:8081
ONEGATE_PAYMENT_PORT:8082
ONEGATE_TRANSACTION_PORT:8083
ONEGATE_AUTH_INTERNAL_PORT:9081
ONEGATE_PAYMENT_INTERNAL_PORT:9082
ONEGATE_TRANSACTION_INTERNAL_PORT:9083
ONEGATE_SANDBOX_PORT:8090
ONEGATE_PG_PORT:55432
ONEGATE_REDIS_PORT:56379
ONEGATE_KAFKA_PORT:59092
ONEGATE_KAFKA_CONTROLLER_PORT:59093
"
readonly HOST=127.0.0.1
readonly DISK_NEEDED_MB=2048
readonly DISK_KEPT_MB=256

# The server or module each port belongs to, by the pid file's name.
port_owner() {
	local name=${1#ONEGATE_}
	name=${name%_PORT}
	name=${name%_INTERNAL}
	name=${name%_CONTROLLER}
	[ "$name" = PG ] && name=postgres
	printf '%s' "${name,,}"
}

# Debian's own tools come first: a private Python or Meson must not be mixed in.
settings_read() {
	PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
	export PATH LC_ALL=C.UTF-8
	umask 022
	DATA=${ONEGATE_DATA:-$ONEGATE_ROOT/.onegate}
	case $DATA in
	/*) ;;
	*) DATA=$PWD/$DATA ;;
	esac
	CACHE=${ONEGATE_CACHE:-${HOME:-/root}/.cache/onegate}
	BUILD=${ONEGATE_BUILD:-$ONEGATE_ROOT/build}
	RUN=$DATA/run
	LOG=$DATA/log
	SECRETS=$DATA/secrets
}

# One port for each line of the table; those of running servers stay.
ports_choose() {
	local line name chosen ask=()
	for line in $PORT_TABLE; do
		name=${line%:*}
		process_leftovers_kill "$(port_owner "$name")"
		if process_alive "$(port_owner "$name")"; then
			ask+=("$name:$(port_remembered "$name"):keep")
		elif [ -n "${!name:-}" ]; then
			ask+=("$name:${!name}:fixed")
		else
			chosen=$(port_remembered "$name")
			ask+=("$name:${chosen:-${line#*:}}:free")
		fi
	done
	chosen=$(python3 "$ONEGATE_ROOT/conf/dev/onegate.d/free_ports.py" \
	    "${ask[@]}") || exit 1
	printf '%s\n' "$chosen" >"$DATA/ports.env.new"
	mv "$DATA/ports.env.new" "$DATA/ports.env"
	ports_read
}

port_remembered() {
	[ ! -f "$DATA/ports.env" ] || sed -n "s/^$1=//p" "$DATA/ports.env"
}

# The chosen ports, each in the variable of its name.
ports_read() {
	local line
	for line in $PORT_TABLE; do
		printf -v "${line%:*}" '%s' "$(port_remembered "${line%:*}")"
	done
}

# The data folder with its rooms, and enough room on the disk.
data_folder_make() {
	mkdir -p "$DATA" 2>/dev/null ||
	    die "cannot make $DATA: choose another folder with ONEGATE_DATA"
	[ -O "$DATA" ] || die "$DATA belongs to another user: run as that user or choose another folder with ONEGATE_DATA"
	disk_check
	chmod 711 "$DATA"
	mkdir -p "$RUN" "$LOG" "$SECRETS" "$DATA/env" "$DATA/conf"
	chmod 700 "$SECRETS" "$DATA/env"
}

# A new stack needs more room than one that is there already.
disk_check() {
	local needed=$DISK_NEEDED_MB free
	[ ! -f "$DATA/ports.env" ] || needed=$DISK_KEPT_MB
	free=$(df -Pm "$DATA" | awk 'NR == 2 { print $4 }')
	[ "$free" -ge "$needed" ] ||
	    die "only $free MB free below $DATA: make room for $needed MB or choose another folder with ONEGATE_DATA"
}

# Only one command at a time changes a stack.
data_folder_lock() {
	exec 9>"$DATA/lock"
	flock -n 9 && return
	say lock "another onegate works on $DATA; waiting for it"
	flock -w 900 9 || die "another onegate still works on $DATA: end it first"
}

data_folder_unlock() {
	exec 9>&-
}
