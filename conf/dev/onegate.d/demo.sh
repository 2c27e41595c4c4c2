# "./onegate demo": everything up, then a story of real requests, as a table.

readonly DEMO_RECORD=docs/DEMO.md

command_demo() {
	case ${1:-} in
	--record) demo_record ;;
	'') demo ;;
	*) die "use: ./onegate demo [--record]" ;;
	esac
}

demo() {
	local key
	stack_start
	key=$(key_issue bank-indonesia --name "demonstration")
	printf '\n'
	ONEGATE_DEMO_KEY=$key python3 -B "$ONEGATE_ROOT/test/demo/demo.py" \
	    "$(command_url auth)" "$(command_url payment)" \
	    "$(command_url transaction)"
	key_revoke "$key" 2>/dev/null
	printf '\n'
	command_audit
	demo_next
}

demo_next() {
	printf '\nThe stack is running:\n\n'
	command_status
	cat <<-TEXT

	Next:
	  ./onegate status --json      the same for programs
	  ./onegate key issue ojk      an API key for another regulator
	  ./onegate logs payment       what the payment module says
	  ./onegate test               every test, on a stack of its own
	  ./onegate bench transfer     durable transfers per second beside pgbench
	  ./onegate down               end it all
	TEXT
}

# A process of its own, so that any failure in it counts. The transcript is kept
# without what differs from machine to machine.
demo_record() {
	local text status=0
	text=$("$ONEGATE_ROOT/onegate" demo 2>&1) || status=$?
	printf '%s\n' "$text"
	[ "$status" = 0 ] || exit "$status"
	mkdir -p "$ONEGATE_ROOT/docs"
	{
		printf '# The demonstration\n\nWhat `./onegate demo` prints; written by `./onegate demo --record`.\n\n```\n$ ./onegate demo\n'
		printf '%s\n' "${text//"$ONEGATE_ROOT"/.}"
		printf '```\n'
	} >"$ONEGATE_ROOT/$DEMO_RECORD"
	say demo "written to $DEMO_RECORD"
}
