# Redis: an instance of our own that keeps nothing on disk.

readonly REDIS_READY_SECONDS=20

redis_start() {
	! process_alive redis || return 0
	say redis "starting on $HOST:$ONEGATE_REDIS_PORT"
	mkdir -p "$DATA/redis"
	process_start redis redis-server "$ONEGATE_ROOT/conf/dev/redis.conf" \
	    --port "$ONEGATE_REDIS_PORT" --dir "$DATA/redis"
	process_ready redis "$REDIS_READY_SECONDS" redis_answers
	say redis "ready"
}

redis_answers() {
	[ "$(redis-cli -h "$HOST" -p "$ONEGATE_REDIS_PORT" ping)" = PONG ]
}

redis_stop() {
	process_stop redis TERM 20
}
