# The whole stack: what starts in which order, what ends in which.

command_up() {
	stack_start
	command_status || true
}

# Everything up; fast when it is up already.
stack_start() {
	local began=$SECONDS
	packages_install "$ONEGATE_ROOT/conf/dev/packages.txt"
	data_folder_make
	data_folder_lock
	ports_choose
	secrets_make
	environment_write
	in_parallel build_modules database_start redis_start kafka_start \
	    sandbox_start
	modules_start
	say up "ready after $((SECONDS - began)) s"
	data_folder_unlock
}

database_start() {
	postgres_start
	migrate_quietly
	merchants_seed
}

command_down() {
	[ -d "$RUN" ] || {
		say down "nothing runs from $DATA"
		return
	}
	data_folder_lock
	stack_stop
	say down "everything of $DATA has ended"
}

# Those who use a server end before it does.
stack_stop() {
	modules_stop
	in_parallel sandbox_stop postgres_stop redis_stop kafka_stop
}
