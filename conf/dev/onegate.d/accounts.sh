# Accounts and merchants, changed by operators. Every change is kept with who
# made it and why.

operator_name() {
	printf '%s' "${SUDO_USER:-${USER:-$(id -un)}}"
}

command_account() {
	local action=${1:-} whom=${2:-} tier='' account reason
	if [ "$action" = tier ] && [ $# -gt 2 ]; then
		tier=$3
		set -- "$1" "$2" "${@:4}"
	fi
	options_only "reason" "${@:3}"
	reason=$(option_read reason "$@")
	case $action:$whom in
	suspend:?* | activate:?* | tier:?*) ;;
	*) die "use: ./onegate account suspend|activate WHO [--reason TEXT] | account tier WHO registered|unregistered [--reason TEXT]; WHO is a user name, phone, e-mail, user id or account id" ;;
	esac
	account=$(account_find "$whom")
	[ -n "$account" ] || die "nobody with an account is known as \"$whom\""
	case $action in
	suspend) account_status "$account" SUSPENDED "$reason" ;;
	activate) account_status "$account" ACTIVE "$reason" ;;
	tier) account_tier "$account" "$tier" "$reason" ;;
	esac
	say account "$action: $whom, account $account"
}

account_find() {
	operator_sql "whom=$1" <<-'SQL'
		select a.id
		from payment.accounts a left join auth.users u on u.id = a.user_id
		where a.id::text = lower(:'whom') or u.id::text = lower(:'whom')
			or u.username_key = lower(:'whom') or u.email_key = lower(:'whom')
			or u.phone = regexp_replace(:'whom', '^\+?62', '0')
		order by a.id::text = lower(:'whom') desc limit 1;
	SQL
}

account_status() {
	operator_sql "account=$1" "status=$2" "by=$(operator_name)" \
	    "reason=${3:-by the operator}" >/dev/null <<-'SQL'
		select payment.account_status_set(:'account', :'status', :'by', :'reason');
	SQL
}

account_tier() {
	case $2 in
	registered | unregistered) ;;
	*) die "the tier is registered or unregistered" ;;
	esac
	operator_sql "account=$1" "tier=$2" "by=$(operator_name)" \
	    "reason=${3:-by the operator}" >/dev/null <<-'SQL'
		select payment.account_tier_set(:'account', :'tier', :'by', :'reason');
	SQL
}

command_merchant() {
	[ "${1:-}" = add ] && [ -n "${2:-}" ] && [ -n "${3:-}" ] &&
	    [ -n "${4:-}" ] ||
	    die "use: ./onegate merchant add NAME CATEGORY CITY [QRIS-MERCHANT-ID]"
	merchant_add "$2" "$3" "$4" "${5:-}"
}

merchant_add() {
	operator_sql "name=$1" "category=$2" "city=$3" "qris=$4" <<-'SQL'
		select payment.merchant_add(:'name', :'category', :'city',
			nullif(:'qris', ''));
	SQL
}

# A development stack has somebody to pay.
merchants_seed() {
	local name category city qris
	[ "$(operator_sql <<<"select exists (select from payment.merchants);")" = f ] ||
	    return 0
	say merchants "adding those of conf/dev/merchants.txt"
	while IFS='|' read -r name category city qris; do
		case $name in '' | '#'*) continue ;; esac
		merchant_add "$name" "$category" "$city" "$qris" >/dev/null
	done <"$ONEGATE_ROOT/conf/dev/merchants.txt"
}

# Replays the journal from its first row; any difference fails.
command_audit() {
	[ -f "$DATA/ports.env" ] ||
	    die "there is no database in $DATA yet: ./onegate up makes one"
	ports_read
	process_alive postgres || die "PostgreSQL is not running: ./onegate up"
	PGHOST=$HOST PGPORT=$ONEGATE_PG_PORT PGDATABASE=onegate \
	    PGUSER=onegate_audit PGPASSWORD=$(secret pg_audit) \
	    "$ONEGATE_ROOT/sql/audit"
}
