#!/bin/bash
# A session keeps what its runs write, its runs take turns, and it goes when
# it shall go: by hand, by time, after any crash.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

STATE=$T_ROOT/state
[[ $AS == root ]] || STATE=$T_ROOT/state/mayfly
# Sessions that are not deleted show as leaks: their files are new.
id=''

# `mayfly session ...` with nothing to read; leaves out, err and status.
session()
{
	mayfly session "$@" </dev/null >out 2>err
	status=$?
}

# Makes a session; sets id.
create()
{
	session create "$@"
	id=$(cat out)
	[[ $status == 0 && $id =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no session was made: $status"
}

# A run in the session.
inside()
{
	session run "$id" "$@"
}

reap()
{
	mayfly reap "$@" </dev/null >out 2>err
	status=$?
}

# Deletes the session of the case, and with more words those.
delete()
{
	session delete "${1:-$id}"
	expect_status 0
}

# Sessions and trash on disk.
count()
{
	find "$STATE/$1" -mindepth 1 -maxdepth 1 | wc -l
}

# What is left on disk is nothing.
expect_clean()
{
	check "there are sessions" test "$(count sessions)" = 0
	check "there is trash" test "$(count trash)" = 0
}

if testcase "what a run writes is there in the next"; then
	create
	for dir in / /tmp /var/tmp /home /root /etc /run /opt/new /var; do
		inside -- sh -c 'mkdir -p "$1" && echo "$1" >"$1/file"' x "$dir"
		expect_status 0
	done
	for dir in / /tmp /var/tmp /home /root /etc /run /opt/new /var; do
		inside -- cat "$dir/file"
		expect_out "$dir"
	done
	inside -- sh -c 'mv /root/file /tmp/moved; rm /tmp/file'
	inside -- sh -c 'cat /tmp/moved; ls /tmp /root'
	expect_out $'/root\n/root:\n\n/tmp:\nmoved'
	delete
	expect_clean
fi

if testcase "modes, links, times and removed files stay as they were left"
then
	create
	inside -- sh -c 'cd /root && echo x >f && chmod 0604 f && ln f hard &&
	    ln -s nowhere soft && mkfifo pipe && mkdir -m 0700 d &&
	    touch -d @1000 f && rm /etc/hosts && chmod 0711 /home &&
	    rmdir /var/tmp'
	expect_status 0
	inside -- sh -c 'cd /root && stat -c "%n %A %h %Y" f && readlink soft &&
	    stat -c "%n %A" pipe d /home && ls /etc/hosts /var/tmp'
	expect_out 'f -rw----r-- 2 1000
nowhere
pipe prw-r--r--
d drwx------
/home drwx--x--x'
	expect_err_has /etc/hosts
	expect_err_has /var/tmp
	delete
fi

if testcase "what was written over is there, and the rest is made anew"; then
	create
	inside -- sh -c 'echo own >>/etc/hosts; echo 1 >/dev/shm/shared
	    echo x >/etc/services' || true
	inside -- sh -c 'tail -n 1 /etc/hosts; ls /dev/shm; test -s /etc/passwd;
	    ls -d /proc/self /dev/null /usr/bin'
	expect_out 'own
/dev/null
/proc/self
/usr/bin'
	inside -- sh -c 'echo x >/usr/new'
	expect_err_has 'Read-only'
	delete
fi

if [[ $AS != user ]] &&
    testcase "files stay their owners', whoever a run is"; then
	create
	inside -- sh -c 'cd /tmp && touch root one two && chown 1000:1000 one &&
	    chown 7:65000 two && mkdir -m 0700 dir && chown 1000 dir'
	expect_status 0
	inside --user 1000 -- sh -c 'cd /tmp && touch dir/mine one &&
	    stat -c "%n %u %g" root one two dir dir/mine; id -u
	    echo again >/dev/stdout; touch two'
	expect_out 'root 0 0
one 1000 1000
two 7 65000
dir 1000 0
dir/mine 1000 1000
1000
again'
	expect_err_has 'two.*Permission denied'
	inside --user 7 -- sh -c 'touch /tmp/two && ls /tmp/dir'
	expect_err_has '/tmp/dir.*Permission denied'
	inside -- stat -c '%u %g' /tmp/dir/mine
	expect_out '1000 1000'
	delete
	expect_clean
fi

if [[ $AS == root ]] &&
    testcase "files on disk have the ids that they have inside"; then
	create
	inside -- sh -c 'touch /srv-file && chown 1000:1001 /srv-file'
	check "owner differs" test "$(stat -c '%u %g' \
	    "$STATE/sessions/$id/upper/srv-file")" = "1000 1001"
	check "somebody else can get there" test "$(stat -c '%a %u' \
	    "$STATE/sessions/$id" "$STATE/sessions" | sort -u)" = "700 0"
	delete
fi

if testcase "the environment, directory and limits are the session's"; then
	create --env A=1 --env B=2 --cwd /tmp --wall 20000 --nofile=32
	inside --env B=3 -- sh -c 'echo $A$B; pwd; ulimit -n'
	expect_out $'13\n/tmp\n32'
	inside --cwd / --nofile 16 -- sh -c 'pwd; ulimit -n'
	expect_out $'/\n16'
	session env "$id" C=4 A=5 --unset B
	expect_status 0
	inside -- sh -c 'echo $A-$B-$C; mkdir /job; echo >/job/file'
	expect_out '5--4'
	session cwd "$id" /job
	expect_status 0
	inside -- pwd
	expect_out /job
	for dir in /none /job/file relative ''; do
		session cwd "$id" "$dir"
		expect_status 64
		expect_err_has '^mayfly: session: cwd: '
	done
	inside -- pwd
	expect_out /job
	session show "$id" --json
	expect_json '.env_names == ["A", "C"] and .cwd == "/job" and
	    .ttl == 300 and .parent == null and .id == .session_id'
	inside --image host -- true
	expect_status 64
	delete
fi

if testcase "a value that no session can have is refused by name"; then
	for words in "ttl 0" "ttl x" "ttl -1" "expires tomorrow" "cwd here" \
	    "image other" "wall 0" "env x" "expires 2001-01-01T00:00:00Z"; do
		# shellcheck disable=SC2086
		session create --$words
		expect_status 64
		expect_err_has "^mayfly: session: ${words%% *}: "
	done
	session create --none
	expect_status 64
	session none
	expect_status 64
	session
	expect_status 64
	session show
	expect_status 64
	expect_clean
fi

if testcase "runs take turns, and who waits too long is told busy"; then
	create
	mkfifo in
	exec 9<>in
	spawn session run "$id" -- sh -c 'echo up; read x; echo done >/tmp/f' \
	    <in
	await "the first runs" grep -q up out
	cp out first
	MAYFLY_SESSION_WAIT=300 t_as "$MAYFLY" session run "$id" -- true \
	    </dev/null >out2 2>err2
	check "the second is not refused" test $? = 125
	check "not as busy" grep -q "^mayfly: session: $id is busy$" err2
	t_as "$MAYFLY" session run "$id" -- cat /tmp/f \
	    </dev/null >out3 2>err3 9>&- &
	third=$!
	sleep 0.2
	check "the third does not wait" test ! -s out3
	echo >&9
	finish
	exec 9>&-
	expect_status 0
	wait "$third"
	check "the third did not come after the first" \
	    test "$(cat out3)" = "done"
	delete
fi

if testcase "two sessions run at once"; then
	create
	first=$id
	create
	mkfifo in
	exec 9<>in
	spawn session run "$first" -- sh -c 'echo up; read x' <in
	await "the first runs" grep -q up out
	MAYFLY_SESSION_WAIT=0 t_as "$MAYFLY" session run "$id" -- true \
	    </dev/null 2>err2
	check "the other waits" test $? = 0
	echo >&9
	finish
	exec 9>&-
	delete "$first"
	delete "$id"
fi

if testcase "a deletion ends what runs within a second"; then
	create
	spawn session run "$id" --verdict verdict -- sh -c '
	    echo up; trap "" TERM INT HUP; sleep 60 & while :; do wait; done' \
	    </dev/null
	await "the command runs" grep -q up out
	began=${EPOCHREALTIME/./}
	t_as "$MAYFLY" session delete "$id"
	check "it was refused" test $? = 0
	took=$(((${EPOCHREALTIME/./} - began) / 1000))
	check "it took $took ms" test "$took" -lt 1000
	finish
	expect_status 137
	expect_json '.reason == "killed"' verdict
	t_as "$MAYFLY" session show "$id" >out 2>err
	check "it is still shown" test $? = 125
	session delete "$id"
	expect_status 125
	expect_err_has 'there is no session'
	expect_clean
fi

if testcase "one that has expired is gone at once, and then from disk"; then
	create --ttl 1
	idle=$id
	create --ttl none --expires "$(date -ud '+1 second' +%FT%TZ)"
	absolute=$id
	create --ttl none
	sleep 2.1
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
	check "they are not on disk" test "$(count sessions)" = 3
	reap --dry-run
	expect_out_has "would remove session $idle"
	check "a dry run removes" test "$(count sessions)" = 3
	reap
	expect_out_has "^removed session $idle$"
	expect_out_has "^removed session $absolute$"
	check "it is still on disk" test "$(count sessions)" = 1
	session ttl "$id" 1000 --expires 2100-01-01T00:00:00Z
	session show --help
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

if testcase "a list goes on after the page before"; then
	all=()
	for _ in 1 2 3 4 5; do
		create
		all+=("$id")
	done
	session list --json
	check "the list differs" test "$(jq -r '.[].id' out | xargs)" = \
	    "${all[*]}"
	session list --limit 2
	check "the first page" test "$(cut -d ' ' -f 1 out | xargs)" = \
	    "${all[0]} ${all[1]}"
	delete "${all[1]}"
	session list --limit 2 --after "${all[1]}"
	check "the second page" test "$(cut -d ' ' -f 1 out | xargs)" = \
	    "${all[2]} ${all[3]}"
	for one in "${all[0]}" "${all[@]:2}"; do
		delete "$one"
	done
	session list --json
	expect_out '[]'
fi

if [[ $AS == root ]] &&
    testcase "of 60 made at once exactly max_sessions come to be"; then
	for _ in {1..60}; do
		MAYFLY_MAX_SESSIONS=7 MAYFLY_SESSION_WAIT=60000 \
		    "$MAYFLY" session create >>made 2>>refused &
	done
	wait
	check "$(wc -l <made) were made" test "$(wc -l <made)" = 7
	check "others were not refused" test \
	    "$(grep -c max_sessions refused)" = 53
	check "$(count sessions) are there" test "$(count sessions)" = 7
	check "there is trash" test "$(count trash)" = 0
	while read -r id; do
		delete
	done <made
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

if testcase "state that others could reach is refused"; then
	create
	chmod 0711 "$STATE/sessions"
	session show "$id"
	expect_status 125
	expect_err_has '^mayfly: state: sessions .*0700'
	reap
	expect_status 125
	chmod 0700 "$STATE/sessions"
	mv "$STATE/sessions" "$STATE/elsewhere"
	ln -s elsewhere "$STATE/sessions"
	session show "$id"
	expect_status 125
	rm "$STATE/sessions"
	mv "$STATE/elsewhere" "$STATE/sessions"
	delete
fi

if testcase "a record that is not understood is refused and stays"; then
	create --ttl 1
	meta=$STATE/sessions/$id/meta
	cp "$meta" good
	printf 'mayfly-session 2\nid=%s\0' "$id" >"$meta"
	cp "$meta" want
	for words in "show $id" "run $id -- true" "ttl $id 5" "env $id A=1"; do
		# shellcheck disable=SC2086
		session $words
		expect_status 125
		expect_err_has "^mayfly: state: $id: its record: .*version"
	done
	sleep 2.1
	reap
	expect_no_out
	check "it was written" cmp -s "$meta" want
	cp good "$meta"
	reap
	expect_clean
fi

if testcase "where the disk is nearly full nothing is begun"; then
	create
	MAYFLY_MIN_FREE=1000000000000 t_as "$MAYFLY" session create \
	    </dev/null >out 2>err
	check "a session was made" test $? = 125
	expect_err_has '^mayfly: state: only [0-9]* KB are free'
	MAYFLY_MIN_FREE=1000000000000 t_as "$MAYFLY" session run "$id" -- true \
	    </dev/null >out 2>err
	check "there was a run" test $? = 125
	MAYFLY_MIN_FREE=1000000000000 t_as "$MAYFLY" session delete "$id" \
	    2>err
	check "it cannot be deleted" test $? = 0
	expect_clean
fi

if testcase "links that a session plants lead nowhere outside"; then
	create
	inside -- sh -c 'cd / && mkdir -p /etc/pki && ln -s /proc /etc/pki/tls &&
	    ln -s ../../../../.. /etc/crypto-policies &&
	    ln -s /etc /lib-none; ln -s /tmp /lib32x; rm -rf /var/tmp &&
	    ln -s /etc /var/tmp; rm -rf /home && ln -s / /home; mkdir /sys'
	inside -- sh -c 'cat /etc/passwd >/dev/null && ls /home/ && echo fine'
	expect_status 0
	expect_out_has '^fine$'
	# Places of ours cannot be taken away while they are in use.
	inside -- sh -c 'rm -rf /run /dev /proc /usr /bin 2>/dev/null; mv /run /x
	    ln -s /etc /run/shm; exit 0'
	inside -- sh -c 'test -c /dev/null && test -d /proc/self &&
	    echo x >/dev/shm/x && echo fine'
	expect_out fine
	delete
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
	check "there is trash" test "$(count trash)" = 0
	for path in "$STATE"/sessions/*; do
		[[ -e $path ]] || continue
		check "${path##*/} is damaged" "$MAYFLY" session run \
		    "${path##*/}" -- sh -c 'test ! -e /root/lock'
		delete "${path##*/}"
	done
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

if testcase "the limits of a run hold in a session too"; then
	create
	inside --fsize 100 -- sh -c 'head -c 1000000 /dev/zero >/root/f'
	inside -- stat -c %s /root/f
	expect_out 102400
	inside --disk 100 --json -- sh -c '
	    head -c 1000000 /dev/zero >/dev/shm/f; true'
	expect_json '(.enforced.session_disk | IN("quota", "sampled")) and
	    .reason == "exit"'
	expect_out_has 'No space left'
	inside --wall 300 -- sleep 60
	expect_status 124
	inside --nproc 4 -- sh -c 'for i in 1 2 3 4 5 6; do sleep 1 & done'
	expect_err_has '[Cc]annot fork'
	delete
fi

t_done
