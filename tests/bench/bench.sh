#!/bin/bash
#
# What a sandbox costs, beside other sandboxes and beside none at all.
#
#	bench.sh [true] [echo] [python] [rate] [memory]		all by default
#
# ROUNDS (200)		runs of each command by each tool
# SECONDS_EACH (1)	per tool and number at once, for runs per second
# MAYFLY		builds to compare: "PATH" or "LABEL=PATH LABEL=PATH ..."
# PEERS			which tools to compare with
#
# No figure makes it fail: they depend on the machine.
# shellcheck disable=SC2016 # the backquotes are markdown
set -u

here=$(cd "$(dirname "$0")" && pwd)
rounds=${ROUNDS:-200}
seconds_each=${SECONDS_EACH:-1}
peers_wanted=${PEERS-bwrap bwrap-usr isolate minijail0 nsjail crun \
	crun-nocgroup runc}
uid=$(id -u)
mayflies=() peers=() absent=() entries=() words=() links=() binds=()
declare -A tool=()

# Where commands are looked for, here and inside: not where a user's own are.
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# shellcheck source=tests/bench/peers.sh
. "$here/peers.sh"

tmp=$(mktemp -d) || exit 1
holder=
cleanup() {
	local box

	[ -z "$holder" ] || kill "$holder"
	for box in ${tool[isolate]+990 991 992 993 994 995 996 997}; do
		"${tool[isolate]}" --box-id="$box" --cleanup
	done >/dev/null 2>&1
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# What is there, and works.

# Calls $1 for each command of the entry that follows.
entry_each() {
	local call=$1 word
	local -a enter=() command=()

	shift
	if [[ $1 == @* ]]; then
		enter=(nsenter --mount="${1#@}")
		shift
	fi
	for word in "$@" ';'; do
		if [ "$word" != ';' ]; then
			command+=("${word//%w/0}")
			continue
		fi
		"$call" "${enter[@]}" "${command[@]}" </dev/null || return
		command=()
	done
}

command_try() {
	timeout 10 "$@"
}

# Succeeds if what the entry should print comes out; else $tmp/why says why.
entry_works() {
	local said

	said=$(entry_each command_try "$@" 2>"$tmp/err")
	[[ $said != *hello* ]] || return 0
	head -n 1 "$tmp/err" | grep . >"$tmp/why" ||
		echo "it printed '$said'" >"$tmp/why"
	return 1
}

mayflies_choose() {
	local build label file

	for build in ${MAYFLY:-$here/../../build/mayfly}; do
		file=${build#*=}
		label=mayfly
		[[ $build != *=* ]] || label=mayfly-${build%%=*}
		if [ ! -x "$file" ]; then
			absent+=("$label: not there; run make")
		elif ! entry_works "$file" run -- echo hello; then
			absent+=("$label: fails here: $(<"$tmp/why")")
		else
			mayflies+=("$label=$(realpath "$file")")
		fi
	done
}

peers_choose() {
	local peer name

	for peer in $peers_wanted; do
		name=${peer%%-*}
		if ! type -P "$name" >/dev/null; then
			absent+=("$peer: not installed")
		elif [[ $uid != 0 && $peer =~ ^(crun|runc|minijail0) ]]; then
			absent+=("$peer: compared as root only")
		else
			tool[$name]=$(type -P "$name")
			"peer_$peer" "$(PATH=$path type -P echo)" hello
			if entry_works "${words[@]}"; then
				peers+=("$peer")
			else
				absent+=("$peer: fails here: $(<"$tmp/why")")
			fi
		fi
	done
}

# Figures: lines of key=value pairs, from which the tables are made.

# Sets entries to the command "$@" on the floor and in every sandbox.
entries_make() {
	local build peer

	entries=(floor: "$@")
	for build in "${mayflies[@]}"; do
		entries+=("${build%%=*}:" "${build#*=}" run -- "$@")
	done
	for peer in "${peers[@]}"; do
		"peer_$peer" "$@"
		entries+=("$peer:" "${words[@]}")
	done
}

# bench NAME OPTION...
bench() {
	env -i PATH="$path" HOME=/nonexistent \
		XDG_STATE_HOME="${XDG_STATE_HOME:-${HOME:-/root}/.local/state}" \
		${XDG_RUNTIME_DIR+XDG_RUNTIME_DIR="$XDG_RUNTIME_DIR"} \
		"$tmp/bench" "${@:2}" -r bwrap -- "${entries[@]}" |
		sed "s|^[a-z]*|& program=$1|" | tee -a "$tmp/figures"
}

# v[KEY] is the value.
fields='{
	delete v
	for (i = 2; i <= NF; i++) {
		at = index($i, "=")
		v[substr($i, 1, at - 1)] = substr($i, at + 1)
	}
}
function shown(key, form) {
	return key in v ? sprintf(form, v[key]) : ""
}'

# latency NAME COMMAND...
latency() {
	local -a command=("${@:2}")

	command[0]=$(PATH=$path type -P "$2") || return
	entries_make "${command[@]}"
	printf '\n| `%s`, us | median | p10 | p99 |' "${command[*]}"
	echo ' overhead | / bwrap | CPU | peak RSS, KB |'
	echo '| --- | --: | --: | --: | --: | --: | --: | --: |'
	bench "$1" -n "$rounds" | awk "$fields"'
	sub(/.* failed=/, "") { print "| " v["label"] " | failed: " $0 " |" }
	!("failed" in v) {
		print "| " v["label"] " | " shown("median_us", "%.0f") " | " \
			shown("p10_us", "%.0f") " | " \
			shown("p99_us", "%.0f") " | " \
			shown("overhead_us", "%.0f") " | " \
			shown("ratio", "%.2f") " | " \
			v["cpu_us"] " | " v["maxrss_kb"] " |"
	}'
}

rate() {
	local jobs

	entries_make /bin/true
	printf '\n| `/bin/true`, runs per second (/ bwrap) |'
	echo ' 1 at once | 2 | 4 | 8 |'
	echo '| --- | --: | --: | --: | --: |'
	for jobs in 1 2 4 8; do
		bench true -s "$seconds_each" -j $jobs
	done | awk "$fields"'
	!(v["label"] in row) { order[++n] = v["label"] }
	{
		row[v["label"]] = row[v["label"]] " | " \
			("failed" in v ? "failed" : shown("runs_per_s", "%.0f") \
			shown("ratio", " (%.2f)"))
	}
	END {
		for (i = 1; i <= n; i++)
			print "| " order[i] row[order[i]] " |"
	}'
}

process_tree() {
	local child

	echo "$1"
	# shellcheck disable=SC2013 # words are what is wanted
	for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do
		process_tree "$child"
	done
}

# Looks at a sandbox while its command sleeps. Sets label's row.
command_hold() {
	local peak own=- tree=0 count=0 kb pid

	if [[ $* == *--init || $* == *--cleanup ]]; then
		"$@" >/dev/null 2>&1
		return
	fi
	"$@" >/dev/null 2>&1 &
	sleep 0.7
	peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$!/status")
	for pid in $(process_tree $!); do
		kb=$(awk '/^Private_[CD]/ { n += $2 } END { print n + 0 }' \
			"/proc/$pid/smaps_rollup" 2>/dev/null)
		[ "$pid" != $! ] || own=$kb
		tree=$((tree + kb))
		count=$((count + 1))
	done
	wait $!
	printf '| %s | %s | %s | %s | %s |\n' "$label" "$peak" "$own" $tree $count
	echo "memory label=$label peak_kb=$peak private_kb=$own" \
		"tree_private_kb=$tree processes=$count" >>"$tmp/figures"
}

memory() {
	local build peer label=floor

	set -- "$(PATH=$path type -P sleep)" 1
	printf '\n| while `sleep` runs, KB | supervisor, peak RSS | private |'
	echo ' whole tree, private | processes |'
	echo '| --- | --: | --: | --: | --: |'
	entry_each command_hold "$@"
	for build in "${mayflies[@]}"; do
		label=${build%%=*}
		entry_each command_hold "${build#*=}" run -- "$@"
	done
	for peer in "${peers[@]}"; do
		label=$peer
		"peer_$peer" "$@"
		entry_each command_hold "${words[@]}"
	done
}

# The report.

heading() {
	echo "$(uname -sr), $(sed -n 's/^PRETTY_NAME=//p' /etc/os-release)," \
		"$(nproc) x $(sed -n '/^model name/{s/.*: //p;q}' /proc/cpuinfo)," \
		"uid $uid, $rounds rounds, load $(cut -d' ' -f1 /proc/loadavg)"
}

notes() {
	local peer line

	cat <<-EOF

	Overhead is the median less that of the floor, posix_spawn of the same
	program; / bwrap compares overheads. CPU is the median of user and
	system time. Peak RSS is the largest resident set of one process, the
	tool or what it waited for (ru_maxrss): no sum, no kernel memory, and
	never below the 700 KB or so of the program that measures. What is
	private is mapped by one process only. Versions and differences:
	EOF
	for peer in "${peers[@]}"; do
		line=$("${tool[${peer%%-*}]}" --version 2>/dev/null |
			grep -m 1 '[0-9]\.[0-9]')
		echo "- $peer${line:+ ($line)}: ${about[$peer]//$'\n'/ }"
	done
	[ ${#absent[@]} = 0 ] || printf -- '- %s\n' "${absent[@]}"
	echo "- shown read-only: ${binds[*]}"
}

# target LABEL MODE KEY PEER at-most|at-least LIMIT; also a row for table.py
target() {
	awk -v mine="$1" -v theirs="$4" -v mode="$2" -v key="$3" -v how="$5" \
		-v limit="$6" -v rows="${BENCH_ROWS:-/dev/null}" "$fields"'
	$1 == mode && v["program"] == "true" && key in v &&
	(mode == "latency" || v["at_once"] == 4) { got[v["label"]] = v[key] }
	END {
		printf "target: %s of %s %s %s of %s: ", key, mine, how, limit, theirs
		if (!(mine in got) || !(theirs in got)) {
			print "not measured"
			exit
		}
		r = got[mine] / got[theirs]
		met = how == "at-most" ? r <= limit : r >= limit
		printf "%.2f, %s\n", r, met ? "reached" : "not reached"
		printf "mayfly run -- /bin/true, %s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			mode == "latency" ? "overhead" : "4 at once", mine,
			got[mine], theirs, got[theirs],
			mode == "latency" ? "us" : "/s", how, limit >>rows
	}' "$tmp/figures"
}

"${CC:-cc}" -std=gnu17 -D_GNU_SOURCE -O2 -static -o "$tmp/bench" \
	"$here/bench.c" || exit 1
mayflies_choose
root_plan
root_make
peers_choose
heading
[ $# -gt 0 ] || set -- true echo python rate memory
for section in "$@"; do
	case $section in
	true) latency true /bin/true ;;
	echo) latency echo echo hello ;;
	python) latency python python3 -c pass ;;
	rate | memory) "$section" ;;
	*)
		echo "bench.sh: no section '$section'" >&2
		exit 64
		;;
	esac
done
notes
echo
for build in "${mayflies[@]:-mayfly=}"; do
	target "${build%%=*}" latency overhead_us bwrap at-most 0.55
	target "${build%%=*}" latency overhead_us isolate at-most 0.35
	target "${build%%=*}" throughput runs_per_s bwrap at-least 1.5
done
echo
cat "$tmp/figures"
