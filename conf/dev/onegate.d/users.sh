# People's sign-in, changed by operators: a suspended or deleted person is
# signed out everywhere at once. Their money stays where it is ("account").

command_user() {
	local action=${1:-} whom=${2:-} user status reason ended
	options_only "reason" "${@:3}"
	reason=$(option_read reason "$@")
	case $action:$whom in
	suspend:?*) status=SUSPENDED ;;
	activate:?*) status=ACTIVE ;;
	delete:?*) status=DELETED ;;
	*) die "use: ./onegate user suspend|activate|delete WHO [--reason TEXT]; WHO is a user name, phone, e-mail or user id; delete cannot be taken back" ;;
	esac
	user=$(user_find "$whom")
	[ -n "$user" ] || die "nobody is known as \"$whom\""
	ended=$(operator_sql "user=$user" "status=$status" \
	    "reason=${reason:-by the operator} ($(operator_name))" <<-'SQL'
		select auth.account_status(:'user', :'status', :'reason');
	SQL
	)
	[ -n "$ended" ] || die "\"$whom\" is $status already, or deleted"
	say user "$action: $whom, sessions ended: $ended"
}

user_find() {
	operator_sql "whom=$1" <<-'SQL'
		select id from auth.users
		where id::text = lower(:'whom') or email_key = lower(:'whom')
			or phone = regexp_replace(:'whom', '^\+?62', '0')
			or username_key = lower(:'whom')
		order by username_key = lower(:'whom') limit 1;
	SQL
}
