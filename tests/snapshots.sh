#!/bin/bash
# A snapshot is what a session was, a fork what it is; both go on by themselves.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/layers.sh
. "$T_TREE/tests/layers.sh"

if testcase "a snapshot is what the session was, and the session goes on"; then
	create
	inside 'echo one >/root/f; mkdir -p /opt/d/e; echo x >/opt/d/e/x
	    ln -s f /root/l; echo gone >/root/gone'
	take first
	inside 'cat /root/f /root/gone; echo two >/root/f; rm /root/gone
	    rm -r /opt/d; mkdir /opt/d; echo y >/opt/d/y'
	expect_out $'one\ngone'
	session create --snapshot "$taken"
	other=$(cat out)
	session run "$other" -- sh -c 'cat /root/l /root/gone; ls /opt/d
	    echo three >/root/f'
	expect_out $'one\ngone\ne'
	inside 'cat /root/l; ls /root /opt/d'
	expect_out $'two\n/opt/d:\ny\n\n/root:\nf\nl'
	session run "$other" -- cat /root/f
	expect_out three
	# Once more of the same, which is as it was.
	session create --snapshot "$taken"
	third=$(cat out)
	session run "$third" -- cat /root/f
	expect_out one
	expect_gone "$id" "$other" "$third"
fi

if testcase "a fork is what the session is, and each goes on by itself"; then
	create
	inside 'echo one >/root/f; mkdir /root/d; echo >/root/d/x'
	fork 3
	inside 'echo parent >/root/f; rm -r /root/d'
	session run "${forks[0]}" -- sh -c 'cat /root/f; echo a >/root/f'
	expect_out one
	session run "${forks[1]}" -- sh -c 'cat /root/f; ls /root/d; rm /root/f'
	expect_out $'one\nx'
	session run "${forks[2]}" -- sh -c 'cat /root/f; mkdir /root/e'
	expect_out one
	inside 'cat /root/f; ls /root'
	expect_out $'parent\nf'
	session run "${forks[0]}" -- sh -c 'cat /root/f; ls /root'
	expect_out $'a\nd\nf'
	session run "${forks[1]}" -- ls /root
	expect_out d
	session show "${forks[2]}" --json
	expect_json ".parent == \"$id\""
	# The parent's end is nothing to them.
	delete "$id"
	reap
	session run "${forks[1]}" -- ls /root/d
	expect_out x
	expect_gone "${forks[@]}"
fi

# What is done to a tree in each step, in words of the shell.
STEPS=(
	'mkdir -p /r/a/b/c; cd /r; for i in 1 2 3 4 5 6; do echo $i >f$i
	    echo $i >a/f$i; echo $i >a/b/f$i; mkdir d$i; echo x >d$i/x; done
	    ln f1 h1; ln -s a/b up; mkfifo pipe; chmod 4755 f2'
	'cd /r; rm f1 a/f1; rm -r d1; mv d2/x d3/y; echo more >>a/b/f2
	    chmod 700 a/b; rmdir d2; touch -d @1000 f3'
	'cd /r; mkdir d1; echo new >d1/z; mkdir d2; echo >f1; rm -r a/b
	    mkdir a/b; echo only >a/b/only; rm f4; ln -s f5 f4'
	'cd /r; rm -r a; echo file >a; rm d1/z; echo z2 >d1/z; mv f6 d4/f6
	    rm -r d5; ln f5 d5'
	'cd /r; rm a; mkdir -m 0711 a; mkdir a/b; echo last >a/b/f1; rm f4
	    mkdir f4; echo in >f4/in; rm -r d4; rm pipe h1; echo >>f2
	    chmod 0750 .; chmod 711 /'
)
# All that can be seen of it.
SEE='find /r ! -type d -printf "%p %M %s %l %TY\n" -type f -exec cat {} \;
    find /r -type d -printf "%p %M\n"; stat -c %a /; ls -RA /r /tmp /etc /home'

if testcase "layers over layers are what one directory would have been"; then
	create
	control=$id
	create
	for step in "${STEPS[@]}"; do
		session run "$control" -- sh -c "$step"
		expect_status 0
		inside "$step"
		expect_status 0
		take
		inside "$SEE"
		sort out >seen
		session run "$control" -- sh -c "$SEE"
		sort out >wanted
		check "it differs after: $step: $(diff wanted seen | head -4)" \
		    cmp -s wanted seen
	done
	check "there are $(depth "$id") layers" \
	    test "$(depth "$id")" = ${#STEPS[@]}
	fork
	session run "${forks[0]}" -- sh -c "$SEE"
	sort out >seen
	check "the fork differs: $(diff wanted seen | head -4)" \
	    cmp -s wanted seen
	expect_gone "$control" "$id" "${forks[@]}"
fi

# The session is as the control is.
expect_as_control()
{
	session run "$1" -- sh -c "$SEE"
	check "it complains $2: $(head -2 err)" test ! -s err
	sort out >seen
	session run "$control" -- sh -c "$SEE"
	sort out >wanted
	check "it differs $2: $(diff wanted seen | head -4)" \
	    cmp -s wanted seen
}

if testcase "many layers become one, which is as they were together"; then
	create
	control=$id
	inside 'echo 1 >/n'
	create
	inside 'echo 1 >/n'
	for round in 1 2 3 4; do
		for step in "${STEPS[@]}"; do
			step="ulimit -n 64; $step; mkdir /r/m$round
			    echo $round >/r/m$round/x; rm -rf /r/m$((round - 2))
			    rm -f /etc/hosts /tmp/t /home/h\$((\$(cat /n) - 1))
			    expr 1 + \$(cat /n) >/nn; mv /nn /n
			    touch /tmp/t /home/h\$(cat /n) /etc/own\$(cat /n)
			    rm -rf /new; mkdir -p /new/\$(cat /n)/x/y
			    test $round = 3 && rm -rf /tmp && mkdir /tmp"
			session run "$control" -- sh -c "$step"
			inside "$step"
			take
		done
		[[ $round != 3 ]] || kept=$taken
	done
	check "there are $(depth "$id") layers" test "$(depth "$id")" = 20
	fork
	expect_as_control "$id" before
	session run "${forks[0]}" -- sh -c "$SEE"
	sort out >fork.before
	session create --snapshot "$kept"
	old=$(cat out)
	session run "$old" -- sh -c "$SEE"
	sort out >old.before
	inside 'echo >/r/upper'
	session run "$control" -- sh -c 'echo >/r/upper'
	reap --dry-run
	expect_out_has "^would remove layers of session $id$"
	check "a dry run merges" test "$(depth "$id")" = 20
	reap
	check "there are $(depth "$id") layers" test "$(depth "$id")" = 1
	check "the fork has $(depth "${forks[0]}") layers" \
	    test "$(depth "${forks[0]}")" = 1
	check "the snapshot has $(depth "$taken" snapshots) layers" \
	    test "$(depth "$taken" snapshots)" = 1
	expect_as_control "$id" after
	session run "$old" -- sh -c "$SEE"
	sort out >old.after
	check "another one differs: $(diff old.before old.after | head -4)" \
	    cmp -s old.before old.after
	inside 'rm -r /r; mkdir /r; echo >/r/f'
	session run "$control" -- sh -c 'rm -r /r; mkdir /r; echo >/r/f'
	expect_as_control "$id" "after more"
	# With nothing of its own over it: an overlay hides no whiteouts then.
	session run "${forks[0]}" -- sh -c "$SEE"
	check "the fork complains: $(head -2 err)" test ! -s err
	sort out >fork.after
	check "the fork differs: $(diff fork.before fork.after | head -4)" \
	    cmp -s fork.before fork.after
	reap
	expect_no_out
	expect_gone "$control" "$id" "${forks[@]}" "$old"
fi

if testcase "layers that cannot be merged stay, and too many are refused"; then
	create
	inside --time 60000 --wall 60000 \
	    'for i in $(seq 300); do mkdir d; cd d; done'
	for n in {1..16}; do
		inside "echo $n >/root/f"
		take
	done
	inside 'echo 17 >/root/f'
	take
	mayfly reap </dev/null >out 2>err
	check "it is no trouble" test $? = 125
	expect_err_has "^mayfly: reap: '$id' stays: "
	reap
	check "there are $(depth "$id") layers" test "$(depth "$id")" = 17
	inside 'cat /root/f'
	expect_out 17
	for n in {18..100}; do
		inside "echo $n >/root/f"
		take
	done
	inside 'echo 101 >/root/f'
	session snapshot "$id"
	expect_status 64
	expect_err_has '^mayfly: session: snapshot: .* 100 layers'
	session fork "$id"
	expect_status 64
	inside 'cat /root/f'
	expect_out 101
	expect_gone "$id"
fi

# On ext4 there is no room for so many.
if [[ $AS == root ]] &&
    testcase "layers whose attributes cannot be listed stay as well" &&
    require "tmpfs has no attributes here" has_tmpfs_attributes; then
	mkdir tmpfs
	mount -t tmpfs tmpfs tmpfs
	export MAYFLY_STATE_DIR=$PWD/tmpfs/state
	create
	inside "$PYTHON -c '
import os
for i in range(300):
    os.setxattr(\"/root\", \"user.%0240d\" % i, b\"\")'"
	expect_status 0
	for n in {1..17}; do
		inside "echo $n >/root/f"
		take
	done
	mayfly reap </dev/null >out 2>err
	check "it is no trouble" test $? = 125
	expect_err_has "^mayfly: reap: '$id' stays: "
	reap
	inside 'cat /root/f'
	expect_out 17
	export MAYFLY_STATE_DIR=$STATE
	umount tmpfs
fi

if [[ $AS != user ]] && testcase "owners stay, also of the root"; then
	create
	inside 'touch /f && chown 7:8 /f; mkdir -m 0700 /d; chown 1000 /d
	    touch /d/x; chown 1000:1001 /; chmod 0750 /'
	take
	fork 1
	session create --snapshot "$taken"
	other=$(cat out)
	SEE_OWNERS='stat -c "%n %u %g %a" /f /d /d/x'
	for one in "$id" "${forks[0]}" "$other"; do
		session run "$one" -- sh -c "$SEE_OWNERS"
		expect_out $'/f 7 8 644\n/d 1000 0 700\n/d/x 0 0 644'
	done
	for one in "$id" "${forks[0]}"; do
		session run "$one" -- stat -c '%u %g %a' /
		expect_out '1000 1001 750'
	done
	if [[ $AS == root ]]; then
		session run "$other" -- stat -c '%u %g %a' /
		expect_out '1000 1001 750'
	fi
	expect_gone "$id" "${forks[@]}" "$other"
fi

if testcase "variables, directory, limits and life are inherited"; then
	create --env A=1 --env B=2 --cwd /tmp --nofile 33 \
	    --expires 2100-01-01T00:00:00Z
	session ttl "$id" 777
	inside 'echo >/root/f'
	take name
	fork
	session run "${forks[0]}" -- sh -c 'echo $A$B; pwd; ulimit -n'
	expect_out $'12\n/tmp\n33'
	session show "${forks[0]}" --json
	expect_json '.ttl == 777 and .image == "host" and
	    .expires_at == "2100-01-01T00:00:00Z" and .cwd == "/tmp"'
	session create --snapshot "$taken" --env B=3 --env C=4 --cwd / \
	    --nofile 35
	other=$(cat out)
	session run "$other" -- sh -c 'echo $A$B$C; pwd; ulimit -n'
	expect_out $'134\n/\n35'
	session show "$other" --json
	expect_json ".ttl == 300 and .parent == \"$id\" and .expires_at == null"
	session create --snapshot "$taken"
	third=$(cat out)
	session run "$third" -- sh -c 'echo $A$B$C; pwd; ulimit -n'
	expect_out $'12\n/tmp\n33'
	session create --snapshot "$taken" --image host
	expect_status 64
	expect_gone "$id" "${forks[@]}" "$other" "$third"
fi

if testcase "variables of which there are too many are refused, and none is lost"
then
	words=()
	for n in {1..4096}; do
		words+=(--env "V$n=1")
	done
	create "${words[@]}"
	take
	session create --snapshot "$taken" --env V7=2
	expect_status 0
	other=$(cat out)
	session create --snapshot "$taken" --env W=1
	expect_status 64
	expect_err_has '^mayfly: session: env: more than 4096 variables'
	expect_no_out
	expect_gone "$id" "$other"
fi

# tmpfs has none before Linux 6.6.
can_set_attributes()
{
	t_as "$PYTHON" -c 'import os; os.setxattr("'"$STATE"'", "user.a", b"")
os.removexattr("'"$STATE"'", "user.a")' 2>/dev/null
}

if testcase "an attribute of the root alone is in its snapshot" &&
    require "there are no attributes here" can_set_attributes; then
	create
	take
	inside "$PYTHON -c 'import os; os.setxattr(\"/\", \"user.a\", b\"b\")'"
	expect_status 0
	for n in 1 2; do
		take
		session create --snapshot "$taken"
		session run "$(cat out)" -- "$PYTHON" -c 'import os
print(os.getxattr("/", "user.a"))'
		expect_out "b'b'"
		check "there are $(layers) layers" test "$(layers)" = 1
	done
	inside "$PYTHON -c 'import os; os.removexattr(\"/\", \"user.a\")'"
	take
	session create --snapshot "$taken"
	session run "$(cat out)" -- "$PYTHON" -c 'import os
print(os.listxattr("/"))'
	expect_out '[]'
	check "there are $(layers) layers" test "$(layers)" = 2
	session list
	mapfile -t all < <(cut -d ' ' -f 1 out)
	expect_gone "${all[@]}"
fi

if testcase "what nobody has written in makes no layer"; then
	create
	take
	fork 2
	check "there is a layer" test "$(layers)" = 0
	inside 'echo >/root/f'
	take
	take
	fork
	check "there are $(layers) layers" test "$(layers)" = 1
	# Its root alone is enough of a difference.
	inside 'chmod 0751 /'
	take
	check "there are $(layers) layers" test "$(layers)" = 2
	session create --snapshot "$taken"
	other=$(cat out)
	session run "$other" -- stat -c %a /
	expect_out 751
	mapfile -t all < <(mayfly session list </dev/null | cut -d ' ' -f 1)
	expect_gone "${all[@]}"
fi

if testcase "a snapshot has a name, a session, a moment and a size"; then
	create
	inside --fsize 100000 'head -c 4000000 /dev/urandom >/root/f'
	session snapshot "$id" 'one "name" é' --json
	expect_json 'keys == ["created_at", "name", "session_id", "size_kb",
	    "snapshot_id"] and .name == "one \"name\" é" and
	    .session_id == "'"$id"'" and .size_kb >= 3900 and
	    .size_kb < 6000 and (.created_at | test("^20.*Z$"))'
	first=$(jq -r .snapshot_id out)
	inside --fsize 100000 'head -c 2000000 /dev/urandom >/root/g'
	take
	snapshot show "$taken" --json
	expect_json '.name == null and .size_kb >= 5800 and .size_kb < 9000'
	snapshot list --json
	expect_json "map(.snapshot_id) == [\"$first\", \"$taken\"]"
	snapshot list --limit 1 --json
	expect_json "map(.snapshot_id) == [\"$first\"]"
	snapshot list --after "$first" --session "$id"
	expect_out_has "^$taken $id 20[^ ]* [0-9]+ $"
	snapshot list --session "$taken"
	expect_no_out
	snapshot show "$first"
	expect_out_has '^name +one "name" é$'
	long=$(printf 'x%.0s' {1..129})
	for name in $'a\nb' $'\x1b[2J' "$long" $'\x7f'; do
		session snapshot "$id" "$name"
		expect_status 64
		expect_err_has '^mayfly: session: name: '
	done
	session snapshot "$id" "${long:1}"
	expect_status 0
	session snapshot "$id" --json -- --json
	expect_json '.name == "--json"'
	expect_gone "$id"
fi

if testcase "of many files the size is counted by the reaper"; then
	create
	inside --nofile 64 --time 60000 --wall 60000 \
	    'cd /root; for i in $(seq 3000); do echo $i >f$i; done'
	take
	real=$(t_as du -sk "$STATE"/layers/id/* | cut -f 1)
	reap
	snapshot show "$taken" --json
	check "it is $(jq .size_kb out), not $real" test \
	    "$(jq .size_kb out)" -ge $((real - 8)) -a \
	    "$(jq .size_kb out)" -le $((real + 8))
	expect_gone "$id"
fi

t_done
