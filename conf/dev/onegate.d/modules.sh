# The three modules, one Kore process each, with copies of conf/ in which the
# ports and the place of the built modules are those of this stack.

readonly MODULE_READY_SECONDS=30
# The ports that conf/ names, for a container of its own.
readonly CONF_PORT=8080
readonly CONF_INTERNAL_PORT=9090

modules_start() {
	in_parallel auth_start payment_start transaction_start
}

auth_start() { module_start auth; }
payment_start() { module_start payment; }
transaction_start() { module_start transaction; }

module_start() {
	local name=$1 port ENVIRONMENT
	port=$(status_port "$name")
	module_conf "$name"
	! process_current "$name" "$BUILD/modules/libonegate.so" \
	    "$BUILD/modules/$name/$name.so" "$DATA/env/$name.env" \
	    "$DATA/conf/$name"/*.conf "$DATA/conf/$name"/routes/*.conf ||
	    return 0
	say "$name" "starting on $HOST:$port"
	environment_array "$name"
	cd "$DATA/conf/$name" || exit 1
	# shellcheck disable=SC2016 # for the inner shell
	process_start "$name" env -i "${ENVIRONMENT[@]}" bash -c \
	    'ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"; exec kore -c "$1" -f -n -r' \
	    kore "$name.conf"
	process_ready "$name" "$MODULE_READY_SECONDS" module_is_ready "$port"
	say "$name" "ready"
}

module_is_ready() {
	curl -fsS -m 2 "http://$HOST:$1/health/ready"
}

# Kore reads no environment variables: the copies get what differs here. A dead
# worker comes back, because nothing else would bring it back on a laptop.
module_conf() {
	local name=$1 internal=ONEGATE_${1^^}_INTERNAL_PORT file
	rm -rf "${DATA:?}/conf/$name"
	mkdir -p "$DATA/conf/$name"
	(cd "$ONEGATE_ROOT/conf" && find . -name '*.conf' \
	    -not -path './dev/*' -print) | while read -r file; do
		mkdir -p "$DATA/conf/$name/${file%/*}"
		sed -E -e "s#^([[:space:]]*bind)[[:space:]]+[^ ]+[[:space:]]+$CONF_PORT([[:space:]]|\$)#\\1 $HOST $(status_port "$name")\\2#" \
		    -e "s#^([[:space:]]*bind)[[:space:]]+[^ ]+[[:space:]]+$CONF_INTERNAL_PORT([[:space:]]|\$)#\\1 $HOST ${!internal}\\2#" \
		    -e "s#^([[:space:]]*load)[[:space:]]+[^ ]*/?(auth|payment|transaction)\\.so#\\1 $BUILD/modules/\\2/\\2.so#" \
		    -e "s#^worker_death_policy terminate#worker_death_policy restart#" \
		    -e "s#^pidfile[[:space:]].*#pidfile $RUN/kore-$name.pid#" \
		    "$ONEGATE_ROOT/conf/$file" >"$DATA/conf/$name/$file"
	done
}

modules_stop() {
	in_parallel auth_stop payment_stop transaction_stop
}

# Longer than the longest drain.
auth_stop() { process_stop auth TERM 25; }
payment_stop() { process_stop payment TERM 25; }
transaction_stop() { process_stop transaction TERM 25; }
