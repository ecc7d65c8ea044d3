#!/bin/bash
# A session goes when it shall go, by hand, by time, after any crash, and with
# all that it held.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/store.sh
. "$T_TREE/tests/store.sh"

if testcase "a deletion ends what runs within a second"; then
	# On a busy machine anything may take a second once.
	for _ in 1 2 3; do
		create
		spawn session run "$id" --verdict verdict -- sh -c '
		    echo up; trap "" TERM INT HUP; sleep 60 &
		    while :; do wait; done' </dev/null
		await "the command runs" grep -q up out
		began=${EPOCHREALTIME/./}
		t_as "$MAYFLY" session delete "$id"
		check "it was refused" test $? = 0
		took=$(((${EPOCHREALTIME/./} - began) / 1000))
		finish
		expect_status 137
		expect_json '.reason == "killed"' verdict
		((took >= 1000)) || break
	done
	check "it took $took ms" test "$took" -lt 1000
	t_as "$MAYFLY" session show "$id" >out 2>err
	check "it is still shown" test $? = 125
	session delete "$id"
	expect_status 125
	expect_err_has 'there is no session'
	expect_clean
fi

has_trash()
{
	[[ -n $(ls -A "$STATE/trash") ]]
}

# It has no lock as yet when the reaper finds it.
if [[ $AS == root ]] &&
    testcase "a reaper takes nothing of a session that is being made" &&
    require "strace cannot be used here" can_delay; then
	create
	session delete "$id"
	slowly flock,fsync 2 session create </dev/null >made 2>err &
	pid=$!
	await "it is being made" has_trash
	slowly unlinkat 3 reap </dev/null >out 2>&1
	status=$?
	expect_status 0
	wait "$pid"
	status=$?
	expect_status 0
	session run "$(cat made)" -- true
	expect_status 0
	session delete "$(cat made)"
	expect_clean
fi

if [[ $AS == root ]] &&
    testcase "what somebody else has removed is no trouble to a reaper" &&
    require "strace cannot be used here" can_delay; then
	mkdir -p "$STATE/trash/old/in"
	slowly openat2 2 reap </dev/null >out 2>err &
	pid=$!
	sleep 1
	rm -r "$STATE/trash/old"
	wait "$pid"
	status=$?
	expect_status 0
	expect_no_err
	expect_clean
fi

# Its directory has another name when it is opened, before the run is told.
if [[ $AS == root ]] && testcase "a deletion ends a run that is being built" &&
    require "strace cannot be used here" can_delay; then
	create
	slowly open_tree 2 session run "$id" -- sleep 60 </dev/null >out 2>err &
	pid=$!
	await "it is being built" test -s "$STATE/sessions/$id/lock"
	sleep 0.5
	slowly fsync 4 session delete "$id"
	status=$?
	expect_status 0
	finish
	expect_status 137
	expect_err_has 'killed'
	reap
	expect_clean
fi

if [[ $AS == root ]] &&
    testcase "a deletion goes on when the run ends before it is told" &&
    require "strace cannot be used here" can_delay; then
	create
	mkfifo in
	exec 9<>in
	spawn session run "$id" -- sh -c 'echo up; read x' <in
	await "the command runs" grep -q up out
	slowly write 2 session delete "$id" </dev/null >deleted 2>&1 9>&- &
	deleter=$!
	await "it is out of sight" test ! -e "$STATE/sessions/$id"
	sleep 0.5
	echo >&9
	finish
	exec 9>&-
	expect_status 0
	wait "$deleter"
	status=$?
	expect_status 0
	reap
	expect_clean
fi

if testcase "one that has expired is gone at once, and then from disk"; then
	create --ttl 1
	idle=$id
	create --ttl none --expires "$(date -ud '+3 seconds' +%FT%TZ)"
	absolute=$id
	create --ttl none
	sleep 4.1
	for one in "$idle" "$absolute"; do
		session show "$one"
		expect_status 125
		session run "$one" -- true
		expect_status 125
		session ttl "$one" none
		expect_status 125
	done
	session list
	expect_out_has "^$id "
	check "others are listed" test "$(wc -l <out)" = 1
	check "they are not on disk" test "$(stored sessions)" = 3
	reap --dry-run
	expect_out_has "would remove session $idle"
	check "a dry run removes" test "$(stored sessions)" = 3
	reap
	expect_out_has "^removed session $idle$"
	expect_out_has "^removed session $absolute$"
	check "it is still on disk" test "$(stored sessions)" = 1
	session ttl "$id" 1000 --expires 2100-01-01T00:00:00Z
	session show "$id" --json
	expect_json '.ttl == 1000 and .expires_at == "2100-01-01T00:00:00Z"'
	session ttl "$id" none --expires none
	session show "$id" --json
	expect_json '.ttl == null and .expires_at == null'
	delete
	expect_clean
fi

if testcase "a run that goes on keeps its session, from the reaper as well"
then
	create
	mkfifo in
	exec 9<>in
	spawn session run "$id" -- sh -c 'echo up; read x; echo end' <in
	await "the command runs" grep -q up out
	t_as "$MAYFLY" session ttl "$id" 1
	sleep 2.1
	t_as "$MAYFLY" reap >reaped 2>&1
	check "it was reaped" test ! -s reaped
	t_as "$MAYFLY" session show "$id" >shown
	check "it is not shown" test $? = 0
	t_as "$MAYFLY" session ttl "$id" 300
	echo >&9
	finish
	exec 9>&-
	expect_status 0
	session show "$id"
	expect_status 0
	delete
fi

if testcase "a tree of any shape goes with its session"; then
	create
	inside --nofile 64 --disk 65536 --time 60000 --wall 120000 -- perl -e '
		chdir "/root"; for (1 .. 1200) {
			mkdir "d" or die $!; chdir "d" or die $!;
			mkdir "e"; open my $f, ">", "f";
		}
		chdir "/tmp"; mkdir "closed"; mkdir "closed/in";
		open my $g, ">", "closed/in/x"; chmod 0, "closed/in", "closed";
		for ("\n", "\"", "\\", "-rf", " ", "\xff\xfe", "x" x 255) {
			open my $h, ">", $_ or die $!;
		}
		symlink "/", "root"; symlink "../../../../..", "up";
		open my $s, ">", "sparse"; truncate $s, 10 << 20;
		for (1 .. 3000) { open my $h, ">", "many$_" or die $! }'
	expect_status 0
	delete
	reap
	expect_status 0
	expect_clean
fi

if [[ $AS == root ]] && testcase "what is mounted in a tree is not removed"
then
	mkdir canary
	echo alive >canary/file
	create
	inside -- mkdir -p /here /other
	session ttl "$id" 1
	mount --bind canary "$STATE/sessions/$id/upper/here"
	sleep 2.1
	reap
	expect_status 125
	expect_err_has "^mayfly: reap: 'here' stays: something is mounted"
	check "the canary is dead" test "$(cat canary/file)" = alive
	check "the rest is still there" test -z \
	    "$(find "$STATE/trash" -name other)"
	umount "$STATE"/trash/*/upper/here
	reap
	expect_status 0
	check "the canary is dead" test "$(cat canary/file)" = alive
	expect_clean
fi

if [[ $AS == root ]] && testcase "a file that cannot be changed goes as well" &&
    require "files here have no such attribute" bash -c \
	': >x && chattr +i x && chattr -i x'; then
	create
	inside -- sh -c 'mkdir /d; touch /d/i /d/a'
	chattr +i "$STATE/sessions/$id/upper/d/i"
	chattr +a "$STATE/sessions/$id/upper/d/a"
	chattr +i "$STATE/sessions/$id/upper/d"
	delete
	reap
	expect_status 0
	expect_clean
fi

if testcase "two reapers at once are no more than one"; then
	for _ in 1 2 3 4 5 6; do
		create
		inside -- sh -c 'mkdir -p /a/b/c; touch /a/x /a/b/y /a/b/c/z'
		session ttl "$id" 1
	done
	sleep 2.1
	for _ in 1 2 3; do
		t_as "$MAYFLY" reap >>reaped 2>>complaints &
	done
	wait
	check "one was removed twice" test "$(sort reaped | uniq -d)" = ''
	check "there were complaints: $(cat complaints)" test ! -s complaints
	reap
	expect_clean
fi

# One of those that do things to the same sessions all at once. What may come
# of each is known: a run sees a whole counter, and adds one to it.
meddle()
{
	local n=$1 what one code

	for ((; n > 0; n--)); do
		what=$((RANDOM % 10))
		one=$(find "$STATE/sessions" -mindepth 1 -maxdepth 1 \
		    -printf '%f\n' 2>/dev/null | shuf -n 1)
		if ((what < 2)) || [[ -z $one ]]; then
			"$MAYFLY" session create --ttl 1000
			code=$?
		elif ((what < 7)); then
			"$MAYFLY" session run "$one" --time 60000 -- sh -c '
			    n=$(cat /root/n 2>/dev/null || echo 0)
			    test ! -e /root/lock && touch /root/lock || exit 3
			    echo $((n + 1)) >/root/n && rm /root/lock'
			code=$?
		elif ((what < 8)); then
			"$MAYFLY" session delete "$one"
			code=$?
		elif ((what < 9)); then
			"$MAYFLY" session env "$one" "V$RANDOM=1"
			code=$?
		else
			"$MAYFLY" reap
			code=$?
		fi
		echo "$what $code"
	done >>"meddled.$BASHPID" 2>>"said.$BASHPID"
}

if [[ $AS == root ]] &&
    testcase "1,000 things done at once do no session harm"; then
	export MAYFLY_SESSION_WAIT=60000
	for _ in {1..8}; do
		meddle 125 &
	done
	wait
	unset MAYFLY_SESSION_WAIT
	cat meddled.* >all
	check "not 1,000 things were done" test "$(grep -c '^[0-9]' all)" \
	    -ge 1000
	# 137: deleted while it ran; 125: deleted before.
	check "an outcome is none of those that can be: $(grep -E \
	    '^[0-9] [0-9]+$' all | grep -vE ' (0|125|137)$' | sort | uniq -c |
	    xargs)" test -z "$(grep -E '^[0-9] [0-9]+$' all |
	    grep -vE ' (0|125|137)$')"
	check "a failure is none of those that can be: $(cat said.* |
	    grep -vE 'there is no session|killed: ' | sort | uniq -c | head)" \
	    test -z "$(cat said.* |
	    grep -vE 'there is no session|killed: ')"
	"$MAYFLY" reap >/dev/null 2>err
	check "there is trash" test "$(stored trash)" = 0
	for path in "$STATE"/sessions/*; do
		[[ -e $path ]] || continue
		check "${path##*/} is damaged" "$MAYFLY" session run \
		    "${path##*/}" -- sh -c 'test ! -e /root/lock'
		delete "${path##*/}"
	done
	expect_clean
fi

# What the units leave to the broker, and to the reaper.
BROKER=-all,+sys_admin,+setuid,+setgid,+setpcap,+chown,+dac_override,+fowner
BROKER+=,+fsetid,+sys_chroot,+sys_resource,+kill,+mknod,+net_admin
REAPER=-all,+dac_override,+fowner

if [[ $AS == root ]] && testcase "root needs no more than the units leave it"
then
	less=(setpriv --bounding-set "$BROKER" -- "$MAYFLY")
	id=$("${less[@]}" session create)
	"${less[@]}" session run "$id" -- sh -c 'rm /etc/hosts && cd /tmp &&
	    mkdir -p a/b && chown 5:5 a && touch a/b/c && chown 7 a/b/c &&
	    rmdir /var/tmp && mkdir /var/tmp && chmod 0 a' </dev/null >out 2>err
	status=$?
	expect_status 0
	"${less[@]}" session run "$id" -- sh -c 'cd /tmp && ls -l /etc/hosts
	    stat -c "%n %a %u %g" a a/b a/b/c' </dev/null >out 2>err
	expect_out $'a 0 5 5\na/b 755 0 0\na/b/c 644 7 0'
	"${less[@]}" session ttl "$id" 1
	sleep 2.1
	setpriv --bounding-set "$REAPER" -- "$MAYFLY" reap >out 2>err
	check "it cannot be reaped" test $? = 0
	expect_clean
fi

t_done
