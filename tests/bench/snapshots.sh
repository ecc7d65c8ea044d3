#!/bin/bash
#
# What a snapshot and a fork cost, by the size of the session and by how many
# layers it has; and a run over so many layers. Medians, in milliseconds, of
# the whole command, with what the kernel syncs for it.
#
# ROUNDS (20)	of each
# SIZES (1 100 1000)	MB in the session
# DEPTHS (1 10 30)	layers
# MAYFLY	the program
# TMPDIR	where the sessions are, on a disk
set -u

here=$(cd "$(dirname "$0")" && pwd)
mayfly=${MAYFLY:-$here/../../build/mayfly}
rounds=${ROUNDS:-20}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
export MAYFLY_STATE_DIR=$tmp/state MAYFLY_MIN_FREE=0
((EUID == 0)) || export XDG_STATE_HOME=$tmp/state

# The median of $rounds times of a command, in ms: median BEFORE COMMAND...
median()
{
	local before=$1 began n

	shift
	for ((n = 0; n < rounds; n++)); do
		$before
		began=${EPOCHREALTIME/./}
		"$@" </dev/null >"$tmp/out" 2>"$tmp/err" || {
			echo "failed: $(head -n 1 "$tmp/err")"
			return
		}
		echo $((${EPOCHREALTIME/./} - began))
		$after
	done | sort -n | awk '/failed/ { print; exit }
	    { t[NR] = $1 } END { if (NR) printf "%.1f", t[int((NR + 1) / 2)] / 1000 }'
}

# A session of so many MB; sets id.
make_session()
{
	id=$("$mayfly" session create --ttl none --session_disk 10000000 \
	    --fsize 4000000) || exit
	"$mayfly" session run "$id" --wall 600000 --time 600000 -- \
	    head -c "${1}M" /dev/urandom >"$tmp/data"
	"$mayfly" session run "$id" --wall 600000 --time 600000 -- \
	    sh -c 'cat >/data' <"$tmp/data"
	rm "$tmp/data"
	sync -f "$tmp"
}

# What is written since, so that there is something to freeze each time.
touch_session()
{
	"$mayfly" session run "$id" -- sh -c 'echo >>/touched' </dev/null
}


after=:
empty=$(median : "$mayfly" run -- true)
echo "| an empty run | $empty |"
for mb in ${SIZES:-1 100 1000}; do
	make_session "$mb"
	# The first one freezes it all; the rest find as much below them.
	first=$(rounds=1 median : "$mayfly" session fork "$id")
	fork=$(median touch_session "$mayfly" session fork "$id")
	snapshot=$(median touch_session "$mayfly" session snapshot "$id")
	echo "| $mb MB: the first fork | $first |"
	echo "| $mb MB: fork | $fork |"
	echo "| $mb MB: snapshot | $snapshot |"
	smallest=${smallest:-$mb MB	$fork}
	largest="$mb MB	$fork"
	rm -rf "$MAYFLY_STATE_DIR"
done
printf 'A fork of a session\t%s\t%s\tms\n' "$largest" "$smallest" \
	>>"${BENCH_ROWS:-/dev/null}"
for depth in ${DEPTHS:-1 10 30}; do
	make_session 1
	for ((n = 0; n < depth; n++)); do
		touch_session
		"$mayfly" session snapshot "$id" >"$tmp/out"
	done
	run=$(median : "$mayfly" session run "$id" -- true)
	# No layer more from these: nothing was written.
	fork=$(median : "$mayfly" session fork "$id")
	echo "| $depth layers: a run | $run |"
	echo "| $depth layers: fork | $fork |"
	rm -rf "$MAYFLY_STATE_DIR"
done
