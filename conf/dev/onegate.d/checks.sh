# What looks at the sources and changes nothing, and the formatter.

command_check_conf() {
	python3 -B "$ONEGATE_ROOT/conf/dev/onegate.d/check_conf.py" \
	    "$ONEGATE_ROOT/conf" "$BUILD"
}

# Every C file of ours.
c_files() {
	find "$ONEGATE_ROOT/modules" "$ONEGATE_ROOT/test" -name '*.[ch]' -print0
}

command_fmt() {
	packages_install "$ONEGATE_ROOT/conf/dev/packages-lint.txt"
	c_files | xargs -0 clang-format -i
}

# All checks run, and all that they find is shown; any finding fails.
command_lint() {
	local failed=0 check
	packages_install "$ONEGATE_ROOT/conf/dev/packages.txt"
	packages_install "$ONEGATE_ROOT/conf/dev/packages-lint.txt"
	mkdir -p "$LOG"
	build_modules
	for check in lint_format lint_cppcheck lint_tidy lint_shell \
	    command_check_conf; do
		say lint "${check#lint_}"
		"$check" >&2 || failed=1
	done
	[ "$failed" = 0 ] || die "lint found something: see above"
	say lint "nothing found"
}

lint_format() {
	c_files | xargs -0 clang-format --dry-run -Werror
}

# It reads no __VA_OPT__ and none of Kore's list macros: those it cannot follow.
lint_cppcheck() {
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	    --enable=warning,portability --suppress=missingIncludeSystem \
	    --suppress=syntaxError --suppress=unknownMacro \
	    -j 2 -I "$ONEGATE_ROOT/modules" "$ONEGATE_ROOT/modules"
}

# The checks are those of .clang-tidy.
lint_tidy() {
	find "$ONEGATE_ROOT/modules" -name '*.c' -print0 |
	    xargs -0 -n 4 -P 2 clang-tidy --quiet -p "$BUILD" 2>/dev/null
}

# The parts of onegate share variables and call each other's functions by name,
# which shellcheck cannot see file by file.
lint_shell() {
	shellcheck -S warning -s bash -e SC2034,SC2154,SC2153,SC2317 "$ONEGATE_ROOT/onegate" \
	    "$ONEGATE_ROOT"/conf/dev/onegate.d/*.sh \
	    "$ONEGATE_ROOT/sql/migrate" "$ONEGATE_ROOT/.ci/run" \
	    "$ONEGATE_ROOT/openshift/start"
}

# What share of the C code the unit tests run.
command_coverage() {
	local build=$BUILD-coverage
	packages_install "$ONEGATE_ROOT/conf/dev/packages.txt"
	packages_install "$ONEGATE_ROOT/conf/dev/packages-lint.txt"
	mkdir -p "$LOG"
	say build "meson compile with coverage ($build)"
	[ -f "$build/build.ninja" ] || build_step meson setup "$build" \
	    "$ONEGATE_ROOT" -Dbuildtype=debug -Dcoverage=true
	build_step meson compile -C "$build"
	find "$build" -name '*.gcda' -delete
	/usr/bin/python3 -B "$ONEGATE_ROOT/test/run.py" "$build" unit >&2
	gcovr --root "$ONEGATE_ROOT" --object-directory "$build" \
	    --filter "$ONEGATE_ROOT/modules/" --print-summary
}
