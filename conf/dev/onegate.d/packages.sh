# Debian packages: installs what a list names and the machine lacks. Newly
# installed servers are kept from starting; those already there are not touched.

readonly POLICY=/usr/sbin/policy-rc.d

# packages_missing LIST: names in LIST that are not installed.
packages_missing() {
	local name
	while read -r name; do
		case $name in '' | '#'*) continue ;; esac
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
		    printf '%s\n' "$name"
	done <"$1"
}

# packages_install LIST
packages_install() {
	local missing
	command -v apt-get >/dev/null ||
	    die "there is no apt-get: One Gate's commands need Debian 12"
	missing=$(packages_missing "$1" | xargs)
	[ -n "$missing" ] || return 0
	say packages "installing $missing"
	mkdir -p "$LOG"
	# shellcheck disable=SC2086
	packages_as_root "$LOG/apt.log" $missing ||
	    die "apt could not install the packages: $(grep -m 1 -E '^(E|W|sudo):' "$LOG/apt.log" || tail -n 1 "$LOG/apt.log") (see $LOG/apt.log)"
}

packages_as_root() {
	local log=$1 root=()
	shift
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null ||
		    die "packages are missing and there is no sudo: as root run apt-get install $*"
		sudo -v || die "sudo was refused: as root run apt-get install $*"
		root=(sudo)
	fi
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive POLICY="$POLICY" \
	    bash -c "$PACKAGES_SCRIPT" apt "$@" >"$log" 2>&1 </dev/null
}

# Runs as root. policy-rc.d is Debian's switch against starting services; one
# that is there already belongs to the machine and stays as it is.
# shellcheck disable=SC2016
readonly PACKAGES_SCRIPT='
set -eu
if [ ! -e "$POLICY" ]; then
	trap "rm -f \"$POLICY\"" EXIT
	trap "exit 130" INT TERM HUP
	printf "#!/bin/sh\nexit 101\n" >"$POLICY"
	chmod 755 "$POLICY"
fi
options="-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3"
apt-get $options update
apt-get $options install -y --no-install-recommends "$@"
'
