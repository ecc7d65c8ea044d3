#!/bin/bash
# The ranges of host ids that root's sandboxes are lent while they live.
# as: root
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

BASE=$((1879048192 + 2000 * 65536))
export MAYFLY_RUN_DIR=$T_ROOT/run MAYFLY_UID_BASE=$BASE
T_RUN_DIRS+=("$T_ROOT/run")

# ranges N: so many there are.
ranges()
{
	export MAYFLY_UID_COUNT=$(($1 * 65536))
}

# N sandboxes that say which range they have, in map.I, and stay until `hold`
# has no writer any more.
hold()
{
	local i

	[[ -p hold ]] || mkfifo hold
	exec 9<>hold
	waiting=()
	for ((i = 1; i <= $1; i++)); do
		"$MAYFLY" run --wall 60000 -- sh -c \
		    'cat /proc/self/uid_map; read x' \
		    <hold >"map.$i" 2>"err.$i" 9>&- &
		waiting+=("$!")
	done
}

release()
{
	exec 9>&-
	wait "${waiting[@]}"
}

# All have said something, or failed.
have_begun()
{
	local i

	for ((i = 1; i <= $1; i++)); do
		[[ -s map.$i || -s err.$i ]] || return
	done
}

if testcase "so many sandboxes that begin at once get a range each"; then
	ranges 24
	hold 24
	await "all of them" have_begun 24
	cat map.* | awk '{ print $2 }' | sort -u >bases
	check "$(wc -l <bases) ranges: $(cat err.*)" \
	    test "$(wc -l <bases)" = 24
	check "one is not of those configured" test -z "$(awk -v base="$BASE" \
	    '$1 < base || $1 >= base + 24 * 65536 || ($1 - base) % 65536' \
	    bases)"
	release
fi

if testcase "when all are in use one more is refused, and told why"; then
	ranges 3
	hold 3
	await "all of them" have_begun 3
	run -- true
	expect_status 125
	expect_err_has '^mayfly: ids: all 3 ranges .* in use: raise uid_count$'
	release
	run -- true
	expect_status 0
fi

if testcase "a range that was given away is not lent, and that is told"; then
	ranges 2
	for file in subuid subgid; do
		# The last id of the first, and all of the second but one.
		echo "other:$((BASE + 65535)):65536" >given
		mount --bind given "/etc/$file"
		mayfly run -- true </dev/null >out 2>err
		status=$?
		umount "/etc/$file"
		expect_status 125
		expect_err_has 'ids: all 2 .* given away in /etc/subuid or .*: set uid_base'
	done
	echo "other:$((BASE + 65535)):1" >given
	mount --bind given /etc/subuid
	run -- cat /proc/self/uid_map
	umount /etc/subuid
	expect_out_has "^ *0 +$((BASE + 65536)) "
fi

if testcase "of 30 that begin at once exactly 7 get one of 7"; then
	ranges 7
	hold 30
	await "all of them" have_begun 30
	check "$(cat map.* | wc -l) run" test "$(cat map.* | wc -l)" = 7
	check "others were not refused" \
	    test "$(cat err.* | grep -c 'ids: all 7 ranges')" = 23
	release
fi

if testcase "a range of /etc/subuid is not lent, however long that file is"; then
	ranges 1
	awk -v base="$BASE" 'BEGIN {
		for (i = 0; i < 4000; i++)
			print "user" i ":" 300000 + i * 65536 ":65536"
		printf "last:%d:65536", base + 65535 }' >subuid
	[[ -e /etc/subuid ]] || : >/etc/subuid
	unshare --mount sh -c 'mount --bind subuid /etc/subuid && exec "$@"' \
	    sh "$MAYFLY" run -- true </dev/null >out 2>err
	status=$?
	expect_status 125
	expect_err_has 'all 1 ranges of host ids are in use'
fi

if testcase "a range is free again at once, whoever was killed"; then
	ranges 1
	for victim in mayfly init command; do
		spawn run -- sh -c 'echo up; exec sleep 60' </dev/null
		await "the command runs" grep -q up out
		init=$(pgrep -P "$pid")
		case $victim in
		mayfly) kill -KILL "$pid" ;;
		init) kill -KILL "$init" ;;
		command) kill -KILL "$(pgrep -P "$init")" ;;
		esac
		finish
		# What the kernel has to end may take it a moment.
		await "the range after SIGKILL of $victim" \
		    "$MAYFLY" run -- true
	done
fi

# A file system that is frozen keeps its writer in the kernel, where no signal
# ends it, until it thaws.
can_freeze()
{
	truncate -s 16M disk && mkfs.ext4 -q disk && mkdir -p frozen &&
	    mount -o loop disk frozen && mkdir frozen/dir &&
	    chown 61234:61234 frozen/dir
} >/dev/null 2>&1

# Begins a run that is killed while one of its processes cannot end.
leave_behind()
{
	fsfreeze -f frozen
	spawn "$@" </dev/null
	await "the command runs" grep -q up out
	await "it is stuck" eval 'ps -eo stat,args | grep -q "^D.*wri[t]e-it"'
	kill -KILL "$pid"
	finish
}

thaw()
{
	fsfreeze -u frozen
	await "its end" eval '! ps -eo args | grep -q "wri[t]e-it"'
	umount frozen
}

STUCK='echo up; exec perl -e "open my \$f, q(>), q(/d/f) or die" write-it'

if testcase "a range is not lent while one of its processes is left" &&
    require "no file system can be frozen here" can_freeze; then
	ranges 1
	leave_behind run --bind "$PWD/frozen/dir:/d" -- sh -c "$STUCK"
	run -- true
	expect_status 125
	expect_err_has 'ids: all 1 ranges'
	# What is free is found.
	ranges 2
	for _ in 1 2 3 4; do
		run -- awk '{ print $2 }' /proc/self/uid_map
		cat out >>bases
	done
	check "it was lent" test "$(sort -u bases | wc -l)" = 1
	ranges 1
	thaw
	await "the range" "$MAYFLY" run -- true
fi

reaped()
{
	"$MAYFLY" reap >/dev/null 2>&1
	[[ -z $(ls -A "$T_ROOT/state/trash") ]]
}

if testcase "a session is busy while something of a killed run is left" &&
    require "no file system can be frozen here" can_freeze; then
	ranges 4
	export MAYFLY_SESSION_WAIT=300
	id=$("$MAYFLY" session create --ttl 1)
	leave_behind session run "$id" --bind "$PWD/frozen/dir:/d" -- \
	    sh -c "$STUCK"
	mayfly session run "$id" -- true </dev/null >out 2>err
	status=$?
	expect_status 125
	expect_err_has busy
	# Nor is its tree taken away from under it.
	sleep 1.5
	mayfly reap >out 2>&1
	check "it was removed: $(<out)" test -d "$T_ROOT/state/sessions/$id"
	mayfly session delete "$id"
	check "its trash was removed" \
	    test -n "$(ls -A "$T_ROOT/state/trash")"
	mayfly reap >out 2>&1
	check "its trash was reaped: $(<out)" \
	    test -n "$(ls -A "$T_ROOT/state/trash")"
	unset MAYFLY_SESSION_WAIT
	thaw
	# What holds its ids ends a moment after what was stuck.
	await "the reaper to take it" reaped
fi

# Root of a user namespace that has only so many ids: as in a container.
run_among()
{
	local count=$1

	shift
	mkfifo go
	rm -f err
	unshare --user --mount --propagation private sh -c \
	    'echo up >&2; read x; exec "$@"' sh "$MAYFLY" "$@" \
	    <go >out 2>err &
	pid=$!
	exec 8>go
	await "the namespace" grep -q up err
	echo "0 0 $count" | tee "/proc/$pid/uid_map" >"/proc/$pid/gid_map"
	echo >&8
	exec 8>&-
	finish
	rm go
}

if testcase "where a range is not mapped, or not all of it, that is said"; then
	ranges 1
	for count in 1 "$BASE" $((BASE + 34464)) $((BASE + 65535)); do
		run_among "$count" run -- true
		expect_status 125
		expect_err_has \
		    "ids: host ids $BASE to $((BASE + 65535)) .* uid_count\$"
		run_among "$count" doctor
		expect_status 1
		expect_out_has '^fail +host_ids'
	done
	run_among $((BASE + 65536)) run -- sh -c 'cat /proc/self/uid_map'
	expect_status 0
	expect_out_has "^ *0 +$BASE +65536\$"
fi

t_done
