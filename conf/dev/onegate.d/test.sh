# "./onegate test": sets a stack of its own up, runs every test, and leaves
# nothing behind. A running demonstration stack is not disturbed.

# command_test [FILTER]: a folder below test/, or a word in a test's name.
command_test() {
	local failed=0
	if [ -z "${ONEGATE_DATA:-}" ]; then
		export ONEGATE_DATA=$ONEGATE_ROOT/.onegate-test
		settings_read
	fi
	data_folder_export
	TEST_OWNS_STACK=no
	status_is_up || {
		TEST_OWNS_STACK=yes
		trap test_clean EXIT
		trap 'exit 130' INT TERM HUP
	}
	stack_start
	test_build_sanitized
	/usr/bin/python3 -B "$ONEGATE_ROOT/test/run.py" "$BUILD-sanitized" "$@" ||
	    failed=$?
	[ "$failed" = 0 ] || test_keep_logs
	return "$failed"
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
	[ "$TEST_OWNS_STACK" = yes ] || exit "$status"
	(stack_stop) || status=1
	postgres_remove
	rm -rf "$DATA"
	exit "$status"
}
