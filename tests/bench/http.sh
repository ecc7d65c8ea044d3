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

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"

if [ -z "${HTTP_CLIENT:-}" ]; then
	program http
	HTTP_CLIENT=$tmp/http
fi

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
    >"$tmp/request" 2>"$tmp/errors" || cat "$tmp/errors"
cat "$tmp/request"

median_of()
{
	awk -F' *[|] *' -v way="$1" '$2 == way { print $3 }' "$tmp/request"
}

# Overheads beside bwrap's: overhead WAY [at-most LIMIT]
overhead()
{
	local floor theirs

	floor=$(median_of 'posix_spawn of /bin/true')
	theirs=$(median_of 'bwrap --unshare-all, spawned')
	[ -z "$theirs" ] || row "$1: overhead" mayfly \
	    $(($(median_of "$1") - floor)) bwrap $((theirs - floor)) us "${@:2}"
}

overhead 'POST /run, serve' at-most 0.20
overhead 'POST /run, network off, serve'
overhead 'POST /run that nothing ready fits, serve' at-most 0.60
overhead 'POST /run, serve, pool = 0' at-most 0.60
[ -z "${UNITS:-}" ] || row 'POST /run, a unit of systemd for each' mayfly \
    "$(median_of 'POST /run, systemd accepts')" 'a unit that only echoes' \
    "$(median_of 'a unit that only echoes')" us

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
serve_end
echo "| serve | $(memory "$cold" mayfly) |"
if [ -n "${UNITS:-}" ]; then
	kill "${servers[@]}"
	wait "${servers[@]}"
	servers=()
	echo "| systemd accepts | $(memory "$UNITS" mayfly) |"
fi
