#!/bin/bash
# Snapshots and forks that are refused, and why; those that have to wait.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/layers.sh
. "$T_TREE/tests/layers.sh"

if testcase "what is no snapshot, session or number is refused"; then
	create
	for words in "snapshot aaaaaaaaaaaaaaaaaaaaaaaaaa" \
	    "fork aaaaaaaaaaaaaaaaaaaaaaaaaa" "tree aaaaaaaaaaaaaaaaaaaaaaaaaa" \
	    "snapshot ../x" "tree x"; do
		# shellcheck disable=SC2086
		session $words
		expect_status 125
		expect_err_has '^mayfly: session: there is no session '
	done
	for count in 0 17 x -1 1.5 ''; do
		session fork "$id" "$count"
		expect_status 64
		expect_err_has '^mayfly: session: count: '
	done
	for verb in snapshot fork tree; do
		session $verb
		expect_status 64
		session $verb "$id" 1 2
		expect_status 64
	done
	for one in aaaaaaaaaaaaaaaaaaaaaaaaaa "$id" ../x ''; do
		session create --snapshot "$one"
		expect_status 64
		expect_err_has '^mayfly: session: snapshot: '
		snapshot show "${one:-x}"
		expect_status 125
		expect_err_has 'there is no snapshot '
		snapshot delete "${one:-x}"
		expect_status 125
	done
	session snapshot "$id" --bogus
	expect_status 64
	expect_err_has "^mayfly: session: unknown option '--bogus'$"
	snapshot list
	expect_no_out
	for verb in show delete; do
		snapshot $verb "$id" --bogus
		expect_status 64
		expect_err_has "^mayfly: snapshot: unknown option '--bogus'$"
		snapshot $verb "$id" 2
		expect_status 64
		expect_err_has "^mayfly: snapshot: one argument too many: '2'$"
		snapshot $verb "$id" --help
		expect_status 0
		expect_out_has '^usage: mayfly snapshot '
	done
	for words in '' none show "show --json" "delete" "list --none" \
	    "list --session x" "list --limit x" "list --after"; do
		# shellcheck disable=SC2086
		snapshot $words
		expect_status 64
		expect_err_has '^mayfly: snapshot: '
	done
	check "there are sessions" test \
	    "$(mayfly session list </dev/null | wc -l)" = 1
	expect_gone "$id"
fi

if testcase "a session in which somebody runs is waited for, then busy"; then
	create
	hold_session
	expect_busy snapshot
	expect_busy fork
	t_as "$MAYFLY" session fork "$id" </dev/null >forked 2>err2 9>&- &
	forking=$!
	sleep 0.2
	check "the fork does not wait" test ! -s forked
	release_session
	wait "$forking"
	session run "$(cat forked)" -- cat /root/f
	expect_out end
	expect_gone "$id" "$(cat forked)"
fi

if testcase "max_sessions and max_snapshots hold, and nothing half is left"
then
	create
	inside 'echo >/root/f'
	MAYFLY_MAX_SESSIONS=4 t_as "$MAYFLY" session fork "$id" 4 </dev/null \
	    >out 2>err
	check "four more were made" test $? = 125
	expect_err_has max_sessions
	expect_no_out
	check "some are there" test "$(mayfly session list </dev/null |
	    wc -l)" = 1
	MAYFLY_MAX_SNAPSHOTS=1 t_as "$MAYFLY" session snapshot "$id" \
	    </dev/null >out 2>err
	check "none was taken" test $? = 0
	MAYFLY_MAX_SNAPSHOTS=1 t_as "$MAYFLY" session snapshot "$id" \
	    </dev/null >out 2>err
	check "one more was taken" test $? = 125
	expect_err_has max_snapshots
	MAYFLY_MIN_FREE=1000000000000 t_as "$MAYFLY" session snapshot "$id" \
	    </dev/null >out 2>err
	check "it was taken on a full disk" test $? = 125
	expect_gone "$id"
fi

t_done
