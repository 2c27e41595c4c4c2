# "./onegate test": sets a stack of its own up, runs every test, and leaves
# nothing behind. A running demonstration stack is not disturbed.

# command_test [FILTER]: a folder below test/, or a word in a test's name. The
# last line is "N passed, N failed", said when everything has ended again.
command_test() {
	if [ -z "${ONEGATE_DATA:-}" ]; then
		export ONEGATE_DATA=$ONEGATE_ROOT/.onegate-test
		settings_read
	fi
	data_folder_export
	TEST_COUNTS='0 passed, 1 failed'
	TEST_OWNS_STACK=no
	status_is_up || TEST_OWNS_STACK=yes
	trap test_clean EXIT
	trap 'exit 130' INT TERM HUP
	stack_start
	test_build_sanitized
	test_run "$@"
}

# The counts are kept for the end; the status is that of the tests.
test_run() {
	local counts status=0
	counts=$(mktemp)
	/usr/bin/python3 -B "$ONEGATE_ROOT/test/run.py" --counts "$counts" \
	    "$BUILD-sanitized" "$@" || status=$?
	[ ! -s "$counts" ] || TEST_COUNTS=$(cat "$counts")
	rm -f "$counts"
	[ "$status" = 0 ] || test_keep_logs
	return "$status"
}

# Unit tests run with the address and undefined-behaviour sanitizers.
test_build_sanitized() {
	local build=$BUILD-sanitized
	say build "meson compile with sanitizers ($build)"
	if [ ! -f "$build/build.ninja" ]; then
		rm -rf "$build/meson-private"
		build_step meson setup "$build" "$ONEGATE_ROOT" \
		    -Dbuildtype=debug -Db_sanitize=address,undefined
	fi
	build_step meson compile -C "$build"
}

test_keep_logs() {
	rm -rf "$BUILD/test-logs"
	cp -r "$LOG" "$BUILD/test-logs"
	say test "the logs are in $BUILD/test-logs"
}

test_clean() {
	local status=$?
	trap - EXIT INT TERM HUP
	if [ "$TEST_OWNS_STACK" = yes ]; then
		(stack_stop) || status=1
		postgres_remove
		rm -rf "$DATA"
	fi
	printf '\n%s\n' "$TEST_COUNTS"
	exit "$status"
}
