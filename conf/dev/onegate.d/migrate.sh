# Migrations: sql/migrate brings the database to what sql/ describes.

command_migrate() {
	[ -f "$DATA/ports.env" ] ||
	    die "there is no database in $DATA yet: ./onegate up makes one"
	ports_read
	process_alive postgres || die "PostgreSQL is not running: ./onegate up"
	migrate "$@"
}

# The administrator makes roles; sql/migrate turns into the owner by itself.
migrate() {
	local role
	(
		export PGHOST=$HOST PGPORT=$ONEGATE_PG_PORT PGUSER=postgres
		export PGDATABASE=onegate PGCONNECT_TIMEOUT=10
		PGPASSWORD=$(secret pg_postgres)
		export PGPASSWORD
		for role in owner $PG_ROLES; do
			export "ONEGATE_PG_PASSWORD_${role^^}=$(secret "pg_$role")"
		done
		"$ONEGATE_ROOT/sql/migrate" "$@"
	)
}

migrate_quietly() {
	say migrate "bringing the database up to date"
	migrate >"$LOG/migrate.log" 2>&1 ||
	    die "migration stopped: $(tail -n 1 "$LOG/migrate.log") (see $LOG/migrate.log)"
}
