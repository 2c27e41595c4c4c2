# Reading the logs of the stack.

# command_logs [NAME]: follows one process, or all of them.
command_logs() {
	local files=()
	[ -d "$LOG" ] || die "there are no logs in $LOG yet: ./onegate up"
	if [ $# -gt 0 ]; then
		[ -f "$LOG/$1.log" ] ||
		    die "no log of \"$1\": there are $(cd "$LOG" && echo *.log)"
		files=("$LOG/$1.log")
	else
		files=("$LOG"/*.log)
	fi
	if [ -t 1 ]; then
		exec tail -n 100 -F "${files[@]}"
	fi
	exec tail -n 1000 "${files[@]}"
}
