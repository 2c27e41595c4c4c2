# What operators do: API keys of regulators, accounts, merchants, the audit.
# Each is one call of a function in sql/; the rules live there.

# operator_sql NAME=VALUE... <SQL: as the owner; VALUEs are psql variables, so
# nothing that a person typed becomes a part of a statement.
operator_sql() {
	local pair arguments=()
	[ -f "$DATA/ports.env" ] ||
	    die "there is no database in $DATA yet: ./onegate up makes one"
	ports_read
	process_alive postgres || die "PostgreSQL is not running: ./onegate up"
	for pair in "$@"; do
		arguments+=(-v "$pair")
	done
	postgres_owner -q -At "${arguments[@]}" 2>"$LOG/operator.log" ||
	    die "$(sed -n 's/^.*ERROR: *//p' "$LOG/operator.log" | head -n 1)"
}

# option_read NAME ARGUMENT...: the value of --NAME VALUE or --NAME=VALUE.
option_read() {
	local wanted=--$1
	shift
	while [ $# -gt 0 ]; do
		case $1 in
		"$wanted")
			[ $# -gt 1 ] || die "$wanted needs a value"
			printf '%s' "$2"
			return
			;;
		"$wanted="*)
			printf '%s' "${1#*=}"
			return
			;;
		esac
		shift
	done
}

command_key() {
	local action=${1:-}
	[ $# -eq 0 ] || shift
	case $action in
	issue) key_issue "$@" ;;
	revoke) key_revoke "$@" ;;
	list) key_list ;;
	*) die "use: ./onegate key issue bank-indonesia|ojk [--permissions READ_TRANSACTIONS,READ_REPORTS] [--expires TIME] [--name NAME] | key revoke KEY|PREFIX|ID | key list" ;;
	esac
}

# Refuses what is neither one of the options NAMES nor the value of one.
options_only() { # "NAMES" [ARGUMENT...]
	local names=" $1 " known="--${1// / --}" name
	shift
	while [ $# -gt 0 ]; do
		name=${1#--}
		name=${name%%=*}
		[[ $1 == --* && $names == *" $name "* ]] ||
		    die "\"$1\" is not understood here; the options are $known"
		[[ $1 == *=* ]] || shift
		shift || die "--$name needs a value"
	done
}

# A service by its code or name: bi, "Bank Indonesia", bank-indonesia, ojk.
key_service() {
	operator_sql "service=$1" <<-'SQL'
		select code from transaction.external_services
		where lower(:'service') in (code, lower(company),
			replace(lower(company), ' ', '-'), replace(lower(company), ' ', '_'));
	SQL
}

# Prints the key alone: it is not shown again.
key_issue() {
	local service code permissions expires name key prefix hash id
	service=${1:-}
	[ -n "$service" ] || die "key issue needs a service: bank-indonesia or ojk"
	options_only "permissions expires name" "${@:2}"
	permissions=$(option_read permissions "$@")
	expires=$(option_read expires "$@")
	name=$(option_read name "$@")
	code=$(key_service "$service")
	[[ ${permissions:-READ_REPORTS} =~ ^(READ_(TRANSACTIONS|REPORTS)(, ?|$))+$ ]] ||
	    die "--permissions takes READ_TRANSACTIONS, READ_REPORTS or both with a comma"
	[ -n "$code" ] ||
	    die "there is no service \"$service\": bank-indonesia and ojk are known"
	read -r key prefix hash < <(ONEGATE_API_KEY_PEPPER_FILE=$SECRETS/api_key_pepper \
	    python3 -B "$ONEGATE_ROOT/conf/dev/onegate.d/api_key.py" "$code")
	id=$(operator_sql "code=$code" "name=${name:-$prefix}" "hash=$hash" \
	    "prefix=$prefix" "expires=$expires" \
	    "permissions=${permissions:-READ_TRANSACTIONS,READ_REPORTS}" <<-'SQL'
		select transaction.issue_api_key(meta.uuid_new(), :'code', :'name',
			decode(:'hash', 'hex'), :'prefix',
			string_to_array(replace(:'permissions', ' ', ''), ','),
			nullif(:'expires', '')::timestamptz);
	SQL
	)
	[ -n "$id" ] || die "the key was not stored"
	printf '%s\n' "$key"
}

key_revoke() {
	local name=${1:-}
	[ -n "$name" ] || die "key revoke needs a key, its prefix or its id"
	case $name in
	ogk_*) name=$(python3 -B "$ONEGATE_ROOT/conf/dev/onegate.d/api_key.py" --prefix "$name") ;;
	esac
	[ "$(operator_sql "name=$name" <<<"select transaction.revoke_api_key(:'name');")" = t ] ||
	    die "no active key \"$name\": ./onegate key list"
	say key "revoked $name"
}

key_list() {
	operator_sql <<-'SQL'
		\pset format aligned
		\pset tuples_only off
		\pset footer off
		select key_prefix as key, service, key_name as name, permissions,
			case when not is_active then 'revoked'
				when expires_at <= now() then 'expired'
				else 'active' end as state,
			expires_at, created_at
		from transaction.list_api_keys() order by created_at;
	SQL
}
