#!/bin/bash
# Users and privileges inside.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

# Prints user and group ids: real, effective, saved, and the other groups.
IDS='/^[UG]id:/ { print $2, $3, $4, $5 } /^Groups:/ { $1 = ""; print $0 }'

if testcase "the command is user 0, group 0, without other groups"; then
	run -- awk "$IDS" /proc/self/status
	expect_status 0
	check "it is not" cmp <(sed 's/ *$//' out) \
	    <(printf '0 0 0 0\n0 0 0 0\n\n')
fi

if testcase "--user sets user and group"; then
	run --user 1000 -- awk "$IDS" /proc/self/status
	expect_status 0
	check "1000 is not 1000:1000" cmp <(sed 's/ *$//' out) \
	    <(printf '1000 1000 1000 1000\n1000 1000 1000 1000\n\n')
	run --user 1000:2000 -- awk "$IDS" /proc/self/status
	check "1000:2000 is not" cmp <(sed 's/ *$//' out) \
	    <(printf '1000 1000 1000 1000\n2000 2000 2000 2000\n\n')
	run --user 65534:65534 -- sh -c 'id -u; id -g'
	expect_out $'65534\n65534'
fi

if testcase "user 0 has the seven capabilities and can get no other"; then
	# chown dac_override fowner fsetid kill setgid setuid
	run -- sh -c 'grep -E "^Cap(Prm|Eff|Bnd|Inh|Amb)" /proc/self/status'
	expect_status 0
	expect_out_has '^CapPrm:.0{14}fb$'
	expect_out_has '^CapEff:.0{14}fb$'
	expect_out_has '^CapBnd:.0{14}fb$'
	expect_out_has '^CapInh:.0{16}$'
	expect_out_has '^CapAmb:.0{16}$'
fi

if testcase "any other user has no capability at all"; then
	run --user 1000 -- sh -c 'grep ^Cap /proc/self/status'
	expect_status 0
	check "one is not empty" test "$(grep -cE '\s0{16}$' out)" = 5
fi

if testcase "new privileges are ruled out and the filter is on"; then
	for user in 0 1000; do
		run --user "$user" -- sh -c \
		    'grep -E "^(NoNewPrivs|Seccomp):" /proc/self/status'
		expect_out_has '^NoNewPrivs:.1$'
		expect_out_has '^Seccomp:.2$'
	done
fi

if testcase "a setuid program gives nothing"; then
	run -- sh -c 'cp /usr/bin/awk /tmp/awk; chmod 4755 /tmp/awk
	    setpriv --reuid 1000 --regid 1000 --clear-groups \
	    /tmp/awk "/^Uid/ { print \$3 }" /proc/self/status'
	if [[ $AS == user ]]; then
		check_not "another user was reached" test "$status" -eq 0
	else
		expect_out 1000
	fi
fi

# A single id has nobody to give to.
if [[ $AS != user ]] &&
    testcase "root inside can give files away and become another user"; then
	run -- sh -c 'echo x >/tmp/f; chown 1000:2000 /tmp/f
	    stat -c "%u %g" /tmp/f; chmod 600 /tmp/f
	    setpriv --reuid 1000 --regid 2000 --clear-groups cat /tmp/f'
	expect_out $'1000 2000\nx'
fi

if testcase "65,536 users and groups are mapped, or one and it is said"; then
	run -- awk '{ n += $3 } END { print n }' /proc/self/uid_map
	if [[ $AS == user ]]; then
		expect_out 1
	else
		check "fewer" test "$(cat out)" -ge 65536
	fi
fi

if [[ $AS != user ]] && testcase "tar restores owners"; then
	run -- sh -c 'cd /tmp; mkdir a b; echo x >a/f; chown 33:33 a/f
	    tar -cf t.tar a && tar -xf t.tar -C b && stat -c %u:%g b/a/f'
	expect_out 33:33
fi

if [[ $AS != user ]] && testcase "root inside can set other groups"; then
	run -- setpriv --reuid 1000 --regid 1000 --groups 4,24 -- \
	    awk '/^Groups/ { print $2, $3 }' /proc/self/status
	expect_out "4 24"
fi

# Starts a sandbox that waits, and sets host_uid to who it is on the host.
wait_inside()
{
	"${T_AS[@]}" "$MAYFLY" run "$@" -- sh -c \
	    'echo up; cat' <hold >"up.$1.$2" 2>&1 9>&- &
	waiting+=("$!")
	await "the sandbox is up" test -s "up.$1.$2"
}

if testcase "no process of a sandbox is the host's root or another's user"
then
	mkfifo hold
	exec 9<>hold
	waiting=()
	wait_inside --user 0
	wait_inside --user 1000
	# Those in another user namespace than ours, which are these two.
	ours=$(readlink /proc/self/ns/user)
	uids=
	for dir in /proc/[0-9]*; do
		theirs=$(readlink "$dir/ns/user" 2>/dev/null) || continue
		[[ $theirs != "$ours" ]] || continue
		uids+=" $(awk '/^Uid:/ { print $2 }' "$dir/status")"
	done
	# An ordinary user cannot see whose namespace they are in.
	((EUID != 0)) || [[ -n $uids ]] ||
	    fail "no process of a sandbox was seen"
	case $AS in
	root | subuid)
		for uid in $uids; do
			((uid >= 65536 || uid == T_UID && uid != 0)) ||
			    fail "one has uid $uid on the host"
		done
		;;
	user)
		for uid in $uids; do
			((uid == T_UID)) ||
			    fail "one has uid $uid on the host"
		done
		;;
	esac
	exec 9>&-
	wait "${waiting[@]}"
fi

if [[ $AS == root ]] &&
    testcase "two sandboxes at once share no user of the host"; then
	mkfifo hold
	exec 9<>hold
	for one in 1 2 3; do
		"${T_AS[@]}" "$MAYFLY" run -- sh -c \
		    'cat /proc/self/uid_map; cat' <hold >"map.$one" 2>&1 \
		    9>&- &
	done
	for one in 1 2 3; do
		await "the sandbox is up" test -s "map.$one"
	done
	exec 9>&-
	wait
	# Sorted by where they begin, none begins before the last has ended.
	overlap=$(sort -n -k 2 map.? | awk '
	    NR > 1 && $2 < end { print $2 } { end = $2 + $3 }')
	check "ranges overlap: $overlap" test -z "$overlap"
	check "a range reaches below 65,536" \
	    test -z "$(awk '$2 < 65536' map.?)"
fi

t_done
