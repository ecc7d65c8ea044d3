#!/bin/bash
#
# What a request costs, in time and memory, beside the command
# `mayfly run --json`, and how many a second: through serve, with a sandbox that
# is ready and without, with the connection on descriptor 0, and where UNITS names
# the port of installed units and ECHO that of a unit which only echoes, through
# systemd (tests/vm/bench.sh).
#
# ROUNDS (200)		of each, in turn
# PAUSE (10)		ms before each: what a pool gains shows between requests
# SECONDS_EACH (2)	for requests per second
# HTTP_CLIENT		http.c, compiled

set -u

here=$(cd "$(dirname "$0")" && pwd)
MAYFLY=$(realpath "${MAYFLY:-$here/../../build/mayfly}")
tmp=$(mktemp -d) || exit 1
servers=()
trap 'kill "${servers[@]}" 2>/dev/null; wait; rm -rf "$tmp"' EXIT
export MAYFLY_STATE_DIR=$tmp/state MAYFLY_RUN_DIR=$tmp/run

if [ -z "${HTTP_CLIENT:-}" ]; then
	HTTP_CLIENT=$tmp/http
	cc -O2 -D_GNU_SOURCE -o "$HTTP_CLIENT" "$here/http.c" || exit 1
fi

# A server with so many sandboxes ready; sets port.
serve()
{
	local log=$tmp/log.$1

	MAYFLY_POOL=$1 "$MAYFLY" serve --listen 127.0.0.1:0 2>"$log" &
	servers+=($!)
	until port=$(sed -n 's/.*listening on 127.0.0.1:\([0-9]*\)$/\1/p' "$log") &&
	    [ -n "$port" ]; do
		kill -0 "${servers[-1]}" || exit 1
		sleep 0.05
	done
}

serve 0
cold=$port
serve 8
options=(--pause "${PAUSE:-10}" --cold "$cold")
if bwrap=$(command -v bwrap); then
	options+=(--peer "$bwrap")
fi
[ -z "${UNITS:-}" ] || options+=(--units "$UNITS" --echoes "$ECHO")

echo '## A request'
echo
"$HTTP_CLIENT" "${options[@]}" 20 "$MAYFLY" "$port" >/dev/null 2>&1
"$HTTP_CLIENT" "${options[@]}" "${ROUNDS:-200}" "$MAYFLY" "$port" \
    2>"$tmp/errors" || cat "$tmp/errors"

# Requests per second at port $1 of $2 clients at once.
rate()
{
	local clients=() i total=0

	for ((i = 0; i < $2; i++)); do
		"$HTTP_CLIENT" --rate "${SECONDS_EACH:-2}" "$1" >"$tmp/rate.$i" &
		clients[i]=$!
	done
	wait "${clients[@]}"
	for ((i = 0; i < $2; i++)); do
		total=$((total + $(<"$tmp/rate.$i")))
	done
	echo "$((total / ${SECONDS_EACH:-2}))"
}

# The most that the processes of one request at port $1 had resident, and what
# is theirs alone at the end, in KB: all of the program $2 but the server.
memory()
{
	local at pid resident=0 private=0 count=0 asked

	exec 3<>"/dev/tcp/127.0.0.1/$1"
	printf 'POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\n%s' \
	    application/json $'Content-Length: 28\r\n\r\n' >&3
	printf '{"command":["sleep","0.5"]} ' >&3
	sleep 0.25
	while read -r at; do
		pid=${at#/proc/}
		[[ " ${servers[*]} " != *" $pid "* ]] || continue
		((count += 1))
		((resident += $(awk '/^VmHWM/ { print $2 }' "$at/status")))
		((private += $(awk '/^Private_/ { n += $2 } END { print n + 0 }' \
		    "$at/smaps_rollup")))
	done < <(find /proc/[0-9]*/exe -maxdepth 0 -lname "*$2*" \
	    -printf '%h\n' 2>/dev/null)
	asked=$(head -n 1 <&3)
	exec 3<&-
	echo "$count | $resident | $private | ${asked%$'\r'}"
}

echo
echo '## POST /run of /bin/true a second'
echo
echo '| clients at once | serve | pool = 0 |'"${UNITS:+ systemd accepts |}"
echo '|--:|--:|--:|'"${UNITS:+--:|}"
for n in 1 4 16; do
	echo "| $n | $(rate "$port" "$n") | $(rate "$cold" "$n") |${UNITS:+ $(rate "$UNITS" "$n") |}"
done

echo
echo '## The memory of one request, KB'
echo
echo '| way | processes | most resident | private | |'
echo '|---|--:|--:|--:|---|'
kill "${servers[1]}"
wait "${servers[1]}"
unset 'servers[1]'
echo "| serve | $(memory "$cold" mayfly) |"
if [ -n "${UNITS:-}" ]; then
	kill "${servers[@]}"
	wait "${servers[@]}"
	servers=()
	echo "| systemd accepts | $(memory "$UNITS" mayfly) |"
fi
