# The table of commands: name, function, what the help says.

readonly COMMAND_TABLE="
demo|command_demo|up, then a story of real requests as a table; --record writes docs/DEMO.md
up|command_up|install what is missing, build, start everything
down|command_down|end everything that was started from this data folder
status|command_status|what runs and where; --json for programs
url|command_url|base URL of one module: ./onegate url payment
test|command_test|run every test on a stack of its own: ./onegate test [FILTER]
build|command_build|build only (Meson)
migrate|command_migrate|bring the database to what sql/ describes; --status lists
logs|command_logs|show or follow the logs: ./onegate logs [NAME]
key|command_key|API keys of regulators: issue, revoke, list
account|command_account|suspend, activate or change the tier of an account
user|command_user|suspend, activate or delete a person: sign-in, not money
merchant|command_merchant|add one that can be paid
audit|command_audit|replay the journal: do the books balance
bench|command_bench|measure the running stack: ./onegate bench transfer
config|command_config|every setting with its origin, secrets masked
fmt|command_fmt|format the C files
lint|command_lint|formatter, static checks and check-conf; fails on any finding
coverage|command_coverage|what share of the C code the unit tests run
check-conf|command_check_conf|is conf/ what Kore understands and the modules offer
help|command_help|this list
"

command_run() {
	local wanted=${1:-help} name function
	[ $# -eq 0 ] || shift
	case $wanted in -h | --help) wanted=help ;; esac
	while IFS='|' read -r name function _; do
		if [ "$name" = "$wanted" ] && [ -n "$name" ]; then
			"$function" "$@"
			return
		fi
	done <<<"$COMMAND_TABLE"
	die "there is no command \"$wanted\": ./onegate help lists them"
}

command_help() {
	local name text
	printf 'usage: ./onegate COMMAND [ARGUMENT...]\n\n'
	while IFS='|' read -r name _ text; do
		[ -z "$name" ] || printf '  %-11s %s\n' "$name" "$text"
	done <<<"$COMMAND_TABLE"
	cat <<-TEXT

	Folders: ONEGATE_DATA (default .onegate in the checkout), ONEGATE_CACHE
	(~/.cache/onegate), ONEGATE_BUILD (build). Ports: ONEGATE_AUTH_PORT,
	ONEGATE_PAYMENT_PORT, ONEGATE_TRANSACTION_PORT, ONEGATE_SANDBOX_PORT,
	ONEGATE_PG_PORT, ONEGATE_REDIS_PORT, ONEGATE_KAFKA_PORT; a taken port is
	replaced by a free one unless it was given.
	TEXT
}
