#!/bin/bash
# A session keeps what its runs write and is what it was made to be; its runs
# take turns.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/store.sh
. "$T_TREE/tests/store.sh"

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

if testcase "what a terminal would act on is not shown of a session"; then
	create --cwd $'/\e[31mred\r\n' --env $'A\e]0;x\a=1' --env $'\x7fB=2'
	session show "$id"
	expect_status 0
	check "it is shown" test -z "$(tr -d '\n' <out | LC_ALL=C tr -cd \
	    '\000-\037\177')"
	expect_out_has '^cwd +/\?\[31mred\?\?$'
	expect_out_has '^env +A\?\]0;x\?$'
	session delete "$id"
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

# waits_told SIGNAL WORD...: it is sent to a run that waits, which then ends.
waits_told()
{
	local sig=$1

	shift
	"${T_AS[@]}" env --default-signal=INT,QUIT,HUP "$MAYFLY" session run \
	    "$id" "$@" -- true </dev/null >out2 2>err2 9>&- &
	waiting=$!
	await "it waits" waits_in_turn
	kill -"$sig" "$waiting"
	wait "$waiting"
	code=$?
	check "$sig: exit code $code" test "$code" = \
	    "$((128 + $(kill -l "$sig")))"
}

# Who waits has a child that waits for the lock.
waits_in_turn()
{
	[[ -n $(cat "/proc/$waiting/task/$waiting/children") ]]
}

if testcase "who is told to stop while it waits for its turn says so"; then
	create
	hold_session
	waits_told TERM --verdict verdict
	check "TERM: $(cat err2)" test "$(cat err2)" = \
	    "mayfly: killed: Terminated"
	expect_json '.reason == "killed" and .exit_code == null and
	    .signal == 9 and .usage.cpu_ms == 0' verdict
	waits_told HUP
	check "HUP: $(cat err2)" test "$(cat err2)" = "mayfly: killed: Hangup"
	waits_told INT --json
	check "INT: $(cat err2)" test "$(cat err2)" = \
	    "mayfly: killed: Interrupt"
	expect_json '.reason == "killed" and .stdout == ""' out2
	# What the caller ignores ends nothing.
	MAYFLY_SESSION_WAIT=1500 "${T_AS[@]}" env --ignore-signal=TERM \
	    "$MAYFLY" session run "$id" -- true </dev/null 2>err2 9>&- &
	waiting=$!
	await "it waits" waits_in_turn
	kill -TERM "$waiting"
	wait "$waiting"
	check "it did not wait on" test $? = 125
	check "it was not busy" grep -q "$id is busy$" err2
	release_session
	expect_status 0
	inside -- cat /root/f
	expect_out end
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

if testcase "who makes a session waits for others, whatever session_wait is"
then
	create
	delete
	exec 8<"$STATE/sessions"
	flock 8
	MAYFLY_SESSION_WAIT=0 t_as "$MAYFLY" session create </dev/null \
	    >out 2>err 8<&- &
	sleep 0.3
	exec 8<&-
	wait $!
	status=$?
	expect_made
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
