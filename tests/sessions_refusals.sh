#!/bin/bash
# What no session can be, where none can be made, and state that cannot be
# trusted.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/store.sh
. "$T_TREE/tests/store.sh"

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

# refused MESSAGE WORD...: a verb that takes the words for wrong usage.
refused()
{
	session "${@:2}"
	expect_status 64
	expect_no_out
	check "'${*:2}' gives: $(cat err)" \
	    test "$(cat err)" = "mayfly: session: $1"
}

if testcase "an empty value does not stand for the default"; then
	refused "an empty value for '--image'" create --image ''
	refused "an empty value for '--cwd'" create --cwd=
	expect_clean
fi

if testcase "a variable to remove is named, and not given a value"; then
	create
	refused "env: 'A=B' is not the name of a variable" env "$id" \
	    --unset A=B
	refused "env: 'A' is not of the form NAME=VALUE" env "$id" A
	delete
fi

if testcase "a time to live out of range is refused with the range"; then
	create
	range="ttl: not a whole number of seconds from 1 to 3155760000"
	for ttl in 0 3155760001 99999999999999999999; do
		refused "$range" ttl "$id" "$ttl"
		refused "$range" create --ttl "$ttl"
	done
	past=2001-01-01T00:00:00Z
	refused "expires: is in the past" ttl "$id" --expires "$past"
	refused "expires: is in the past" create --expires "$past"
	session show "$id" --json
	expect_json '.ttl == 300 and .expires_at == null'
	session ttl "$id" 3155760000
	expect_status 0
	delete
fi

if testcase "what is no option of a verb is refused by name, unless behind --"
then
	create
	for verb in show env cwd ttl snapshot fork tree export delete; do
		refused "unknown option '--bogus'" "$verb" "$id" --bogus
		refused "unknown option '--bogus=1'" "$verb" "$id" --bogus=1
		refused "unknown option '--jsn'" "$verb" "$id" --jsn
		session "$verb" "$id" --help
		expect_status 0
		expect_out_has '^usage: mayfly session '
	done
	for verb in show tree export delete; do
		refused "one argument too many: '2'" "$verb" "$id" 2
	done
	refused "one argument too many: '6'" ttl "$id" 5 6
	refused "one argument too many: '6'" snapshot "$id" 5 6
	refused "one argument too many: '6'" fork "$id" 5 6
	refused "one argument too many: '6'" cwd "$id" / 6
	refused "one argument too many: '6'" list 6
	refused "one argument too many: '6'" create 6
	session show "$id" --json
	expect_json '.ttl == 300 and .env_names == []'
	session env "$id" -- --bogus=1
	expect_status 0
	session show "$id" --json
	expect_json '.env_names == ["--bogus"]'
	session list
	check "others were made" test "$(wc -l <out)" = 1
	delete
	expect_clean
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
	check "$(stored sessions) are there" test "$(stored sessions)" = 7
	check "there is trash" test "$(stored trash)" = 0
	while read -r id; do
		delete
	done <made
fi

# So many that ext4 does not count a directory's links any more; what they are
# nobody knows, so none of them has expired. many NUMBER
many()
{
	"$PYTHON" - "$STATE/sessions" "$1" <<-'END'
		import os, sys
		path, number = sys.argv[1], int(sys.argv[2])
		for i in range(number):
		    one = "%s/a%025d" % (path, i)
		    os.mkdir(one, 0o700)
		    if i % 50000 == 0:
		        first = one + "/meta"
		        open(first, "w").write("what is this")
		    else:
		        os.link(first, one + "/meta")
	END
}

noted()
{
	sed -E 's/^[^ ]+ 0*//' "$STATE/sessions.count"
}

if [[ $AS == root ]] &&
    testcase "max_sessions holds where the file system does not count"; then
	many 65100
	export MAYFLY_MAX_SESSIONS=65103
	if [[ $(stat -c %h "$STATE/sessions") == 1 ]]; then
		create
		check "it is noted as $(noted)" test "$(noted)" = 65101
		# Nobody lowers it: it is no less than there are.
		delete
		create
		check "it is noted as $(noted)" test "$(noted)" = 65102
		delete
		# One of another boot is none.
		echo "x 00000000000000000001" >"$STATE/sessions.count"
	fi
	for _ in {1..6}; do
		MAYFLY_SESSION_WAIT=60000 \
		    "$MAYFLY" session create >>made 2>>refused &
	done
	wait
	check "$(wc -l <made) were made" test "$(wc -l <made)" = 3
	check "others were not refused" test \
	    "$(grep -c max_sessions refused)" = 3
	id=$(head -n 1 made)
	delete
	# It is at the limit now, and they are counted.
	session create
	expect_status 0
	session create
	expect_status 125
	expect_err_has max_sessions
	unset MAYFLY_MAX_SESSIONS
	rm -rf "$STATE/sessions" "$STATE/sessions.count"
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

t_done
