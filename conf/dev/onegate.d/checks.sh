# What looks at the sources and changes nothing, and the formatter.

command_check_conf() {
	python3 -B "$ONEGATE_ROOT/conf/dev/onegate.d/check_conf.py" \
	    "$ONEGATE_ROOT/conf" "$BUILD"
}
