#!/bin/bash
#
# What a request costs, through serve and with the connection on descriptor 0,
# beside the command `mayfly run --json`; and how many a second.
#
# ROUNDS (200)		of each, in turn
# SECONDS_EACH (2)	for requests per second
# ECHO_PORT		a port where something answers any request, to compare

set -u

here=$(cd "$(dirname "$0")" && pwd)
MAYFLY=$(realpath "${MAYFLY:-$here/../../build/mayfly}")
tmp=$(mktemp -d) || exit 1
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$tmp"' EXIT
export MAYFLY_STATE_DIR=$tmp/state MAYFLY_RUN_DIR=$tmp/run

cc -O2 -D_GNU_SOURCE -o "$tmp/http" "$here/http.c" || exit 1
"$MAYFLY" serve --listen 127.0.0.1:0 2>"$tmp/log" &
server=$!
until port=$(sed -n 's/.*listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$tmp/log") &&
    [ -n "$port" ]; do
	kill -0 "$server" || exit 1
	sleep 0.05
done

echo '## A request'
echo
"$tmp/http" 20 "$MAYFLY" "$port" >/dev/null 2>&1
# shellcheck disable=SC2086 # it may be absent
"$tmp/http" "${ROUNDS:-200}" "$MAYFLY" "$port" ${ECHO_PORT:-} 2>"$tmp/log.0"

# Requests per second of $1 clients at once.
rate()
{
	local i total=0

	for ((i = 0; i < $1; i++)); do
		"$tmp/http" --rate "${SECONDS_EACH:-2}" "$port" >"$tmp/rate.$i" &
		clients[i]=$!
	done
	wait "${clients[@]}"
	for ((i = 0; i < $1; i++)); do
		total=$((total + $(<"$tmp/rate.$i")))
	done
	echo "$((total / ${SECONDS_EACH:-2}))"
}

echo
echo '## POST /run of /bin/true a second, through serve'
echo
echo '| clients at once | a second |'
echo '|--:|--:|'
clients=()
for n in 1 4 16; do
	echo "| $n | $(rate "$n") |"
done
