# PostgreSQL: a cluster of our own in the data folder, never the machine's.
# It refuses to run as root, so root hands it to the user "postgres".

readonly PG_READY_SECONDS=60
readonly PG_ROLES="auth payment transaction regulator relay audit"

# Sets PG_BIN, PG_DIR and PG_AS (the prefix that makes a command PostgreSQL's).
postgres_settings() {
	local bin
	PG_BIN=
	for bin in /usr/lib/postgresql/*/bin; do
		[ ! -x "$bin/postgres" ] || PG_BIN=$bin
	done
	PG_DIR=$DATA/postgres
	PG_AS=()
	if [ "$(id -u)" = 0 ]; then
		PG_AS=(setpriv --reuid=postgres --regid=postgres --init-groups)
		postgres_folder_outside
	fi
}

# A checkout below a private folder such as /root is out of that user's reach.
postgres_folder_outside() {
	[ -n "$PG_BIN" ] || return 0
	if ! "${PG_AS[@]}" test -x "$DATA"; then
		PG_DIR=/var/lib/onegate/$(printf '%s' "$DATA" | sha256sum | cut -c 1-16)/postgres
	fi
}

postgres_start() {
	local socket
	postgres_settings
	[ -n "$PG_BIN" ] ||
	    die "no PostgreSQL below /usr/lib/postgresql: apt-get install postgresql"
	if process_alive postgres; then
		postgres_accounts
		return
	fi
	postgres_create
	cp "$ONEGATE_ROOT/conf/dev/postgresql.conf" "$PG_DIR/onegate.conf"
	cp "$ONEGATE_ROOT/conf/dev/pg_hba.conf" "$PG_DIR/pg_hba.conf"
	[ "$(id -u)" != 0 ] ||
	    chown postgres:postgres "$PG_DIR/onegate.conf" "$PG_DIR/pg_hba.conf"
	socket=$PG_DIR
	# A socket's whole path has at most 107 bytes.
	[ $((${#socket} + 20)) -lt 107 ] || socket=
	say postgres "starting on $HOST:$ONEGATE_PG_PORT"
	# malloc keeps what a batch needed: given back after each, it is faulted in
	# anew for the next.
	process_start postgres env MALLOC_TRIM_THRESHOLD_=16777216 \
	    MALLOC_MMAP_THRESHOLD_=16777216 "${PG_AS[@]}" "$PG_BIN/postgres" -D "$PG_DIR" \
	    -p "$ONEGATE_PG_PORT" -c "listen_addresses=$HOST" \
	    -c "unix_socket_directories=$socket"
	process_ready postgres "$PG_READY_SECONDS" \
	    "$PG_BIN/pg_isready" -q -h "$HOST" -p "$ONEGATE_PG_PORT"
	postgres_accounts
	say postgres "ready"
}

postgres_create() {
	local password_file
	[ ! -f "$PG_DIR/PG_VERSION" ] || return 0
	say postgres "creating a cluster in $PG_DIR"
	rm -rf "$PG_DIR"
	mkdir -p "$PG_DIR"
	chmod 700 "$PG_DIR"
	password_file=$PG_DIR.password
	(umask 077 && cp "$SECRETS/pg_postgres" "$password_file")
	[ "$(id -u)" != 0 ] || chown postgres:postgres "$PG_DIR" "$password_file"
	(cd / && "${PG_AS[@]}" "$PG_BIN/initdb" -D "$PG_DIR" -U postgres \
	    -E UTF8 --locale=C.UTF-8 --lc-collate=C --auth=scram-sha-256 \
	    --pwfile="$password_file" --no-instructions) \
	    >"$LOG/initdb.log" 2>&1 || {
		rm -rf "$PG_DIR" "$password_file"
		die "PostgreSQL could not make its cluster: $(tail -n 1 "$LOG/initdb.log") (see $LOG/initdb.log)"
	}
	rm -f "$password_file"
	printf "include 'onegate.conf'\n" >>"$PG_DIR/postgresql.conf"
}

# The owner of everything and its database; migrations make the other roles.
postgres_accounts() {
	local have
	have=$(postgres_admin -Atc "SELECT count(*) FROM pg_database WHERE datname = 'onegate'") ||
	    die "PostgreSQL does not let us in: the passwords in $SECRETS are not those of $PG_DIR; remove $DATA (its data goes with it) and run again"
	[ "$have" = 0 ] || return 0
	postgres_admin -q <<-SQL || die "PostgreSQL refused to create the database: see $LOG/postgres.log"
		CREATE ROLE onegate_owner LOGIN PASSWORD '$(secret pg_owner)';
		CREATE DATABASE onegate OWNER onegate_owner;
	SQL
}

# psql as the cluster's superuser.
postgres_admin() {
	PGPASSWORD=$(secret pg_postgres) psql -X -v ON_ERROR_STOP=1 \
	    -h "$HOST" -p "$ONEGATE_PG_PORT" -U postgres -d "${PG_DATABASE:-postgres}" "$@"
}

# psql as the owner of the database.
postgres_owner() {
	PGPASSWORD=$(secret pg_owner) psql -X -v ON_ERROR_STOP=1 \
	    -h "$HOST" -p "$ONEGATE_PG_PORT" -U onegate_owner -d onegate "$@"
}

# postgres_conninfo ROLE: what libpq needs to be that role; holds its password.
postgres_conninfo() {
	printf 'hostaddr=%s port=%s dbname=onegate user=onegate_%s password=%s' \
	    "$HOST" "$ONEGATE_PG_PORT" "$1" "$(secret "pg_$1")"
}

postgres_stop() {
	process_stop postgres INT 60
}

# Only with the whole data folder.
postgres_remove() {
	postgres_settings
	rm -rf "$PG_DIR"
	rmdir "${PG_DIR%/postgres}" /var/lib/onegate 2>/dev/null || true
}
