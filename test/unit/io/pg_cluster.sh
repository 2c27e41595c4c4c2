#!/bin/sh
# A throw-away PostgreSQL for a test, reached by a socket in its own folder.
# usage: pg_cluster.sh create|start|stop|destroy FOLDER
#   stop ends it as a crash would (immediate); destroy leaves nothing behind.
set -eu

command=$1
folder=$2
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)

# PostgreSQL refuses to run as root.
as_server() {
	if [ "$(id -u)" = 0 ]; then
		runuser -u postgres -- "$@"
	else
		"$@"
	fi
}

case $command in
create)
	[ "$(id -u)" != 0 ] || chown postgres "$folder"
	as_server "$bin/initdb" -D "$folder/data" -U test -A trust -N \
		-E UTF8 --locale=C >"$folder/initdb.log" 2>&1
	cat >>"$folder/data/postgresql.conf" <<-END
		listen_addresses = ''
		unix_socket_directories = '$folder'
		fsync = off
		max_connections = 40
		shared_buffers = 16MB
		log_min_messages = fatal
	END
	;;
start)
	as_server "$bin/pg_ctl" -D "$folder/data" -l "$folder/log" -w -t 20 \
		start >/dev/null
	;;
stop)
	as_server "$bin/pg_ctl" -D "$folder/data" -m immediate -w -t 20 \
		stop >/dev/null
	;;
destroy)
	as_server "$bin/pg_ctl" -D "$folder/data" -m immediate -w -t 20 \
		stop >/dev/null 2>&1 || true
	rm -rf "$folder"
	;;
*)
	echo "usage: $0 create|start|stop|destroy FOLDER" >&2
	exit 2
	;;
esac
