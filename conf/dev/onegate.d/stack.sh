# The whole stack: what starts in which order, what ends in which.

command_up() {
	local began=$SECONDS
	packages_install "$ONEGATE_ROOT/conf/dev/packages.txt"
	data_folder_make
	data_folder_lock
	ports_choose
	secrets_make || exit 1
	in_parallel postgres_start redis_start kafka_start || exit 1
	say up "ready after $((SECONDS - began)) s"
	command_status || true
}

command_down() {
	[ -d "$RUN" ] || {
		say down "nothing runs from $DATA"
		return
	}
	data_folder_lock
	ports_read
	in_parallel postgres_stop redis_stop kafka_stop || exit 1
	say down "everything of $DATA has ended"
}
