# The settings of this stack, as its processes read them.

# Each module has a file of its own; together they are what all three read.
command_config() {
	local name settings=()
	[ -f "$DATA/env/auth.env" ] ||
	    die "there is no stack in $DATA yet: ./onegate up makes one"
	[ -x "$BUILD/modules/tools/onegate-config" ] ||
	    die "nothing is built yet: ./onegate build"
	for name in transaction payment auth; do
		environment_array "$name"
		settings+=("${ENVIRONMENT[@]}")
	done
	env -i "${settings[@]}" "$BUILD/modules/tools/onegate-config"
}
