# The provider sandbox: GoPay and ShopeePay in one local process.

readonly SANDBOX_READY_SECONDS=20

sandbox_start() {
	local ENVIRONMENT
	! process_current sandbox "$DATA/env/sandbox.env" \
	    "$ONEGATE_ROOT"/test/sandbox/*.py || return 0
	say sandbox "starting on $HOST:$ONEGATE_SANDBOX_PORT"
	environment_array sandbox
	process_start sandbox env -i "${ENVIRONMENT[@]}" \
	    /usr/bin/python3 -B "$ONEGATE_ROOT/test/sandbox/sandbox.py" \
	    --port "$ONEGATE_SANDBOX_PORT" --env development \
	    --state "$DATA/sandbox.state"
	process_ready sandbox "$SANDBOX_READY_SECONDS" \
	    port_open "$ONEGATE_SANDBOX_PORT"
	say sandbox "ready"
}

sandbox_stop() {
	process_stop sandbox TERM 10
}
