#!/bin/bash
# Each session has a project number, which no other has at the same time, and
# which is free when the session has gone.
# in: root
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"
# shellcheck source=tests/vm/project.sh
. "$(dirname "$0")/project.sh"

if testcase "sessions made at once have a number each"; then
	for _ in {1..24}; do
		mayfly session create >>made 2>>refused </dev/null &
	done
	wait
	check "not 24 were made: $(head -n 1 refused)" \
	    test "$(wc -l <made)" = 24
	while read -r id; do
		project "$STATE/sessions/$id/upper"
	done <made >numbers
	check "a number was given twice" test -z "$(sort numbers | uniq -d)"
	check "one has none" test -z "$(grep -vxE '1879[0-9]{6}' numbers)"
	while read -r id; do
		delete
	done <made
	# shellcheck disable=SC2046 # each is a word
	expect_clean $(<numbers)
fi

# More than are removed at once.
if testcase "what is in the trash has its number until it has gone"; then
	create
	old=$number
	inside -- sh -c 'for i in $(seq 300); do echo x >/tmp/$i; done'
	delete
	check "nothing is in the trash" test -n "$(ls "$STATE/trash")"
	read -r _ _ limit inodes < <(quota "$old")
	check "only $inodes inodes are left" test "$inodes" -gt 200
	check "it has a limit still: $limit" test "$limit" = 0
	for _ in {1..20}; do
		create
		check "the number was given away" test "$number" != "$old"
		read -r _ _ _ inodes < <(quota "$number")
		check "it begins with $inodes inodes" test "$inodes" = 2
		echo "$id" >>made
	done
	while read -r id; do
		delete
	done <made
	expect_clean "$old"
fi

# What the unit leaves the reaper is no right over quotas.
if testcase "a number is free again when the reaper alone has removed all"; then
	create
	old=$number
	inside -- sh -c 'for i in $(seq 100); do echo x >/tmp/$i; done'
	session ttl "$id" 1
	sleep 2.1
	setpriv --bounding-set -all,+dac_override,+fowner -- "$MAYFLY" reap \
	    >out 2>err </dev/null
	check "it cannot be reaped" test $? = 0
	read -r _ kb _ inodes < <(quota "$old")
	check "it holds $kb KB" test "$kb:$inodes" = 0:0
	# Limits that are left keep nobody from it, and are his no longer.
	set_limits 4096
	create
	check "it has $number" test "$number" -lt $((1879048192 + 64))
	inside --session_disk 2048 -- true
	check "it has the limits of the one before" \
	    grep -q '^2048 ' <(quota "$number")
	delete
	set_limits 0
	expect_clean "$old" "$number"
fi

if testcase "where all of the state is somebody's project it works as well"
then
	mkdir other
	chattr +P -p 4711 other
	STATE=$PWD/other
	export MAYFLY_STATE_DIR=$STATE
	create
	check "its number is $number" test "$number" -ge 1879048192
	inside --time 60000 --session_disk 8192 -- perl -e 'chdir "/root";
	    for (1 .. 60) { mkdir "d"; chdir "d"; open F, ">", "f" }'
	expect_status 0
	first=$number
	take
	check "the layer is of another project" test \
	    "$(project "$STATE/layers/id/$layer")" = "$first"
	check "it has the number of its layer: $number" test \
	    "$number" -ge 1879048192 -a "$number" != "$first"
	inside --session_disk 8192 -- sh -c 'ls -d /root/d/d && touch /new'
	expect_status 0
	session fork "$id"
	expect_status 0
	session delete "$(<out)"
	mayfly snapshot delete "$taken" </dev/null
	session ttl "$id" 1
	sleep 2.1
	expect_clean "$first" "$number"
	check "a layer is left" test -z "$(ls "$STATE/layers/id")"
	STATE=$T_ROOT/state
	export MAYFLY_STATE_DIR=$STATE
	chattr -P -p 0 other
fi

# Others' sessions are on this file system too, and may end in the meantime.
if testcase "no number is lost with who is killed"; then
	numbers_in_use | cut -d ' ' -f 1 >others
	for ((i = 0; i < 48; i++)); do
		id=$(mayfly session create --ttl none </dev/null 2>err)
		case $((i % 3)) in
		0) words=(create --ttl 1) ;;
		1) words=(run "$id" -- touch /x) ;;
		2) words=(delete "$id") ;;
		esac
		timeout -s KILL "0.0$((RANDOM % 90 + 10))" "$MAYFLY" session \
		    "${words[@]}" </dev/null >/dev/null 2>&1
		mayfly session delete "$id" </dev/null >/dev/null 2>&1
	done
	sleep 2.1
	for one in "$STATE"/sessions/*; do
		[[ ! -e $one ]] || mayfly session delete "${one##*/}" 2>err
	done
	reap
	check "there is trash" test -z "$(ls -A "$STATE/trash")"
	check "there are sessions" test -z "$(ls -A "$STATE/sessions")"
	numbers_in_use | grep -vwFf others >left
	check "numbers are in use: $(<left)" test ! -s left
fi

t_done
