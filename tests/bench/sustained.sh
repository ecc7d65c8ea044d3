#!/bin/bash
#
# How many requests a second `mayfly serve` answers when 16 clients ask without
# a pause, beside the barest builder of such sandboxes (barest.c), 16 at once;
# with a network of each one's own, and with none. Then how long a request takes
# when half as many come, evenly: the median, and the 99th percentile.
#
# SECONDS_EACH (2)	for each figure of a round
# ROUNDS (3)		of which the medians are taken
# CLIENTS (16)

set -u

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
seconds=${SECONDS_EACH:-2}
rounds=${ROUNDS:-3}
clients=${CLIENTS:-16}
program load
program barest

load() {
	# The kernel is still taking down what was there before.
	sleep 0.3
	"$tmp/load" --clients "$clients" --seconds "$seconds" "$@"
}

# What the barest builder mounts is what is mounted in a sandbox.
"$MAYFLY" run -- cat /proc/self/mountinfo >"$tmp/mounts" </dev/null || exit
barest() {
	sleep 0.3
	"$tmp/barest" -j "$clients" -s "$seconds" "$@" "$tmp/mounts" /bin/true
}

# Notes a figure of this round: note NAME VALUE
note() {
	echo "$2" >>"$tmp/notes.$1"
}

noted() {
	median <"$tmp/notes.$1"
}

serve ""
load "$port" "$body_none" >"$tmp/warm"
for ((n = 0; n < rounds; n++)); do
	if ((EUID == 0)); then
		note barest-none "$(barest)"
		note barest-off "$(barest -n)"
	fi
	for kind in none off; do
		body=body_$kind
		note "serve-$kind" \
			"$(value rate "$(load "$port" "${!body}")")"
	done
done

echo "## $clients at once"
echo
echo '| runs a second | serve | barest builder | of it |'
echo '|---|--:|--:|--:|'
for kind in none off; do
	if ((EUID == 0)); then
		beside=$(noted "barest-$kind")
		row "POST /run, network $kind, $clients at once" \
			serve "$(noted "serve-$kind")" 'barest builder' \
			"$beside" /s at-least 0.7
	else
		beside='as root only'
	fi
	echo "| network $kind | $(noted "serve-$kind") | $beside |" \
		"$(ratio "$(noted "serve-$kind")" "$beside") |"
done

echo
echo '## Half as many'
echo
echo '| POST /run at half load | a second | median us | p99 us | / median |'
echo '|---|--:|--:|--:|--:|'
for kind in none off; do
	body=body_$kind
	half=$(awk "BEGIN { printf \"%.0f\", $(noted "serve-$kind") / 2 }")
	for ((n = 0; n < rounds; n++)); do
		line=$(load --rate "$half" "$port" "${!body}")
		note "half-$kind" "$(value median_us "$line")"
		note "p99-$kind" "$(value p99_us "$line")"
	done
	row "POST /run, network $kind, at half load" \
		'99th percentile' "$(noted "p99-$kind")" median \
		"$(noted "half-$kind")" us at-most 5
	echo "| network $kind | $half | $(noted "half-$kind") |" \
		"$(noted "p99-$kind") |" \
		"$(ratio "$(noted "p99-$kind")" "$(noted "half-$kind")") |"
done
