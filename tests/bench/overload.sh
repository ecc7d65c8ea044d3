#!/bin/bash
#
# What `mayfly serve` does when too much is asked of it: connections that say
# nothing, and what each costs; floods of connections, and how soon a request is
# answered afterwards; and how soon one is refused when no more may run.
#
# IDLE (10000)		connections held
# FLOOD (5000)		connections a second
# FLOOD_SECONDS (5)	for so long; 20 is what it should stand
# COUNT (40)		requests of each kind

set -u

# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
idle=${IDLE:-10000}
flood=${FLOOD:-5000}
flood_seconds=${FLOOD_SECONDS:-5}
count=${COUNT:-40}
ulimit -n "$(ulimit -Hn)"
program load

# The line of requests that come now and then: ask COUNT BODY
ask() {
	"$tmp/load" --pause 20 --seconds 60 --count "$1" "$port" "$2"
}

server_kb() {
	awk '/^Pss:/ { print $2 }' "/proc/${servers[-1]}/smaps_rollup"
}

# What the kernel has allocated: of the sockets both ends are its.
kernel_kb() {
	awk '/^(Slab|Percpu|KernelStack|PageTables):/ { n += $2 }
	    END { print n }' /proc/meminfo
}

per() {
	awk -v n="$1" -v of="$2" 'BEGIN { printf "%.2f", n / of }'
}

held() {
	local before after kernel_before kernel_after held

	before=$(value median_us "$(ask "$count" "$body_none")")
	server_before=$(server_kb)
	kernel_before=$(kernel_kb)
	coproc "$tmp/load" --hold "$idle" "$port"
	read -r _ held <&"${COPROC[0]}"
	sleep 0.2
	server_after=$(server_kb)
	kernel_after=$(kernel_kb)
	after=$(value median_us "$(ask "$count" "$body_none")")
	kill "$COPROC_PID"
	wait "$COPROC_PID" 2>/dev/null
	echo
	echo "| $held idle connections | |"
	echo '|---|--:|'
	echo "| the server, KB each |" \
		"$(per $((server_after - server_before)) "$held") |"
	echo "| the kernel, both ends, KB each |" \
		"$(per $((kernel_after - kernel_before)) "$held") |"
	echo "| POST /run before, median us | $before |"
	echo "| POST /run beside them | $after |"
	row "POST /run beside $held idle connections" beside "$after" \
		alone "$before" us
	row 'An idle connection' "server's" \
		"$(per $((server_after - server_before)) "$held")" \
		"kernel's, both ends" \
		"$(per $((kernel_after - kernel_before)) "$held")" KB
}

# flooded NAME BODY [OPTION VALUE]...: what comes so, and then one request
flooded() {
	local line began took name=$1 body=$2

	shift 2
	serve ""
	"$tmp/load" --clients 4000 --rate "$flood" --seconds "$flood_seconds" \
		"$@" "$port" ${body:+"$body"} >"$tmp/flood" 2>&1 &
	sleep "$flood_seconds"
	began=${EPOCHREALTIME/./}
	until line=$(ask 1 "$body_none") && [ "$(value ok "$line")" = 1 ]; do
		sleep 0.05
	done
	took=$((${EPOCHREALTIME/./} - began))
	kill $! 2>/dev/null
	wait $! 2>/dev/null
	echo "| $name | $(value rate "$(<"$tmp/flood")") | $took |"
	serve_end
	row "A request after $flood $name a second" 'answered after' "$took" \
		'a second' 1000000 us at-most 1
}

floods() {
	echo
	echo "| $flood a second for $flood_seconds s | were made |" \
		'a request then, us |'
	echo '|---|--:|--:|'
	flooded connections ''
	flooded 'abandoned requests' "$body_none" --abandon 1
}

refused() {
	local refused run holder

	serve "" MAYFLY_MAX_RUNS=2
	run=$(value median_us "$(ask "$count" "$body_none")")
	"$tmp/load" --clients 2 --count 2 --seconds 60 "$port" \
		'{"command":["/bin/sleep","30"],"wall":60000}' >/dev/null &
	holder=$!
	sleep 0.3
	refused=$(ask "$count" "$body_none")
	kill "$holder"
	wait "$holder" 2>/dev/null
	[ "$(value other "$refused")" = "$count" ] || echo "$refused" >&2
	echo
	echo '| past max_runs | median us | p99 us |'
	echo '|---|--:|--:|'
	echo "| refused | $(value median_us "$refused") |" \
		"$(value p99_us "$refused") |"
	echo "| a run | $run | |"
	row 'POST /run past max_runs' refused "$(value median_us "$refused")" \
		'a run' "$run" us
	serve_end
}

echo '## Too much'
serve ""
held
serve_end
refused
floods
