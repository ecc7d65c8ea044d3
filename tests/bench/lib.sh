# shellcheck shell=bash
#
# What the scripts here share: programs of ours that measure, a server to
# measure, and the rows of the one table that table.py makes.
#
# MAYFLY (build/mayfly)	the program
# BENCH_ROWS		the file that rows are added to, if any
# shellcheck disable=SC2034 # used by who sources this

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
MAYFLY=$(realpath "${MAYFLY:-$here/../../build/mayfly}")
tmp=$(mktemp -d) || exit 1
servers=()
at_exit=:
finish() {
	$at_exit
	((${#servers[@]} == 0)) || kill "${servers[@]}" 2>/dev/null
	wait
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 130' INT TERM
export MAYFLY_STATE_DIR=$tmp/state MAYFLY_RUN_DIR=$tmp/run

# Runs of nothing: with a network of their own, and without any sockets.
body_none='{"command":["/bin/true"]}'
body_off='{"command":["/bin/true"],"network":"off"}'

# Compiles $1.c to $tmp/$1.
program() {
	"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -iquote "$here/../../exec" \
		-o "$tmp/$1" "$here/$1.c" || exit 1
}

# A server, with so many sandboxes ready, or what is the default; sets port,
# and the last of servers. More of its environment: serve POOL NAME=VALUE...
serve() {
	local log=$tmp/log.${#servers[@]} settings=("${@:2}")

	: >"$log"
	[ -z "${1:-}" ] || settings+=("MAYFLY_POOL=$1")
	env "${settings[@]}" "$MAYFLY" serve --listen 127.0.0.1:0 2>"$log" &
	servers+=($!)
	until port=$(sed -n 's/.*listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$log") &&
		[ -n "$port" ]; do
		kill -0 "${servers[-1]}" || exit 1
		sleep 0.05
	done
}

# The last of them ends.
serve_end() {
	kill "${servers[-1]}"
	wait "${servers[-1]}"
	unset 'servers[-1]'
}

# The value of KEY in a line of key=value pairs: value KEY LINE
value() {
	[[ " $2 " =~ \ $1=([^ ]*)\  ]] && echo "${BASH_REMATCH[1]}"
}

# The median of the lines of standard input.
median() {
	sort -n | awk '{ t[NR] = $1 } END { if (NR) print t[int((NR + 1) / 2)] }'
}

# A by B, where both are numbers: ratio A B
ratio() {
	awk -v a="$1" -v b="$2" 'BEGIN { if (b + 0) printf "%.2f", a / b }'
}

# A row: WHAT, then two that stand beside each other, and what their ratio is
# to be: row WHAT A VALUE B VALUE UNIT [at-most|at-least LIMIT]
row() {
	local IFS=$'\t'

	echo "$*" >>"${BENCH_ROWS:-/dev/null}"
}
