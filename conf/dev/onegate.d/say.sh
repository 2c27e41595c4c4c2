# Talking to the person at the terminal: progress and trouble, on stderr only,
# so that stdout stays for answers. Must never print a secret.

# say AREA TEXT: one line of progress.
say() {
	printf '%-12s %s\n' "$1" "$2" >&2
}

# die TEXT: one clear line that says what is wrong and what to do.
die() {
	printf 'onegate: %s\n' "$1" >&2
	exit 1
}

# wait_for SECONDS CHECK [ARG...]: until CHECK succeeds; 1 at the deadline.
wait_for() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# in_parallel FUNCTION...: all at once; fails when any of them failed. Call it
# bare: after "||" bash would let the functions run on behind their failures.
in_parallel() {
	local name pids=() failed=0
	for name in "$@"; do
		(set -e; "$name") &
		pids+=($!)
	done
	for name in "${pids[@]}"; do
		wait "$name" || failed=1
	done
	return "$failed"
}

# json_string TEXT: TEXT as a JSON string.
json_string() {
	local text=${1//\\/\\\\}
	printf '"%s"' "${text//\"/\\\"}"
}
