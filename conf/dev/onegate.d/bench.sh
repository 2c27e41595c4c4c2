# "./onegate bench NAME": measures on the running stack; see test/bench.

command_bench() {
	status_is_up || die "the stack is not up: run ./onegate up first"
	data_folder_export
	/usr/bin/python3 -B "$ONEGATE_ROOT/test/bench/bench.py" "$@"
}

status_is_up() {
	[ "$(status_state)" = up ]
}

# What programs that call ./onegate themselves have to see.
data_folder_export() {
	export ONEGATE_DATA=$DATA ONEGATE_BUILD=$BUILD
}
