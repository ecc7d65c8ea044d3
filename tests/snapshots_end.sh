#!/bin/bash
# Of snapshots and forks goes what nobody needs any more, and nothing else.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/layers.sh
. "$T_TREE/tests/layers.sh"

if testcase "a layer goes when nobody names it, and nobody runs over it"; then
	create
	inside 'echo 1 >/root/f'
	take
	first=$taken
	inside 'echo 2 >/root/g'
	fork
	check "there are $(layers) layers" test "$(layers)" = 2
	delete "$id"
	reap
	check "there are $(layers) layers" test "$(layers)" = 2
	snapshot delete "$first"
	reap --dry-run
	expect_no_out
	mkfifo in
	exec 9<>in
	spawn session run "${forks[0]}" -- sh -c 'echo up; read x; cat /root/*' \
	    <in
	await "it runs" grep -q up out
	t_as "$MAYFLY" session delete "${forks[0]}" >deleted 2>&1 &
	deleting=$!
	wait "$deleting"
	finish
	exec 9>&-
	reap --dry-run
	check "a dry run says $(wc -l <out)" test \
	    "$(grep -c '^would remove layer ' out)" = 2
	check "a dry run removes" test "$(layers)" = 2
	reap
	check "there are $(layers) layers" test "$(layers)" = 0
	expect_gone
fi

if testcase "while somebody makes a layer none goes"; then
	create
	inside 'echo 1 >/root/f'
	take
	delete "$id"
	snapshot delete "$taken"
	exec 8<"$STATE/layers"
	flock -s 8
	reap
	check "it has gone" test "$(layers)" = 1
	exec 8>&-
	exec 8<"$(echo "$STATE"/layers/id/*)"
	flock -s 8
	reap
	check "it has gone" test "$(layers)" = 1
	exec 8>&-
	# What may be named in what cannot be read is kept.
	create
	t_as sh -c "echo mayfly-image 9 >'$STATE/sessions/$id/image'"
	mayfly reap </dev/null >out 2>err
	check "it is no trouble" test $? = 125
	expect_err_has "^mayfly: reap: '$id' stays: "
	check "it has gone" test "$(layers)" = 1
	delete "$id"
	expect_gone
fi

if testcase "what a crash leaves of a snapshot is put right"; then
	create
	inside 'echo 1 >/root/f'
	dir=$STATE/sessions/$id
	# Its manifest names what its upper has not become.
	take
	inside 'echo 2 >/root/g'
	t_as sh -c "printf 'snapshot=id/aaaaaaaaaaaaaaaaaaaaaaaaaa 1\\0' \
	    >>'$dir/image'"
	inside 'cat /root/f /root/g'
	expect_out $'1\n2'
	check "it is still named" test "$(depth "$id")" = 1
	# Its upper has become a layer, and there is no new one.
	t_as sh -c "printf 'snapshot=id/bbbbbbbbbbbbbbbbbbbbbbbbbb 1\\0' \
	    >>'$dir/image'; mv '$dir/upper' \
	    '$STATE/layers/id/bbbbbbbbbbbbbbbbbbbbbbbbbb'"
	reap
	inside 'cat /root/f /root/g; echo 3 >/root/h'
	expect_out $'1\n2'
	check "it has $(depth "$id") layers" test "$(depth "$id")" = 2
	# The same, and one that was begun.
	fork
	t_as sh -c "mkdir '$dir/upper.new'; rmdir '$dir/upper'
	    : >'$dir/image.new'"
	t_as rm -rf "$dir/work"
	inside 'cat /root/f /root/g /root/h'
	expect_out $'1\n2\n3'
	t_as mkdir "$dir/upper.new"
	t_as touch "$dir/image.new"
	reap
	check "there is $(names "$dir")" test "$(names "$dir")" = \
	    "cancel image lock meta upper work"
	# A snapshot without a record, and files that were to replace others.
	t_as mkdir -p "$STATE/snapshots/cccccccccccccccccccccccccc"
	t_as touch "$STATE/snapshots/cccccccccccccccccccccccccc/image" \
	    "$STATE/snapshots/$taken/meta.new" "$STATE/tree/$id.new"
	reap
	check "there is $(names "$STATE/tree")" test \
	    "$(names "$STATE/tree")" = "$id"
	check "there is $(names "$STATE/snapshots")" test \
	    "$(names "$STATE/snapshots")" = "$taken"
	check "there is $(names "$STATE/snapshots/$taken")" test \
	    "$(names "$STATE/snapshots/$taken")" = "image meta"
	expect_gone "$id" "${forks[@]}"
fi

# A session, and a snapshot of so many files that nobody waits for their size.
take_many()
{
	create
	inside 'cd /root; for i in $(seq 2100); do : >f$i; done'
	take
}

# Where a session is a project the kernel knows its size.
is_counted_later()
{
	local there=1

	take_many
	! grep -qaz '^counted=0$' "$STATE/snapshots/$taken/meta" || there=0
	snapshot delete "$taken"
	delete "$id"
	return "$there"
}

# It is counted by the reaper, which then writes its record anew.
if [[ $AS == root ]] &&
    testcase "a snapshot that was removed does not come back from a reaper" &&
    require "strace cannot be used here" can_delay &&
    require "the size is known at once here" is_counted_later; then
	for seconds in 0 3; do
		take_many
		slowly fsync 1 reap </dev/null >reaped 2>&1 &
		reaper=$!
		await "it is counted" \
		    test -e "$STATE/snapshots/$taken/meta.new"
		slowly fsync "$seconds" snapshot delete "$taken" >out 2>err
		status=$?
		expect_status 0
		wait "$reaper"
		status=$?
		expect_status 0
		check "there is $(names "$STATE/snapshots")" test \
		    -z "$(names "$STATE/snapshots")"
		delete "$id"
	done
	expect_gone
fi

if testcase "the tree has all relatives, those that have gone as well"; then
	create
	top=$id
	inside 'echo >/root/f'
	fork 2
	first=${forks[0]} second=${forks[1]}
	id=$first
	fork
	grandchild=${forks[0]}
	take '' "$second"
	session create --snapshot "$taken"
	late=$(cat out)
	session tree "$grandchild" --json
	expect_json "[.. | .id? // empty] == [\"$top\", \"$first\",
	    \"$grandchild\", \"$second\", \"$late\"]"
	expect_json '[.. | .deleted? | select(. != null)] | any | not'
	expect_json '.children[0].children[0].children == [] and
	    (.created_at | test("Z$")) and
	    keys == ["children", "created_at", "deleted", "id"]'
	delete "$top" "$first"
	reap
	session tree "$late" --json
	expect_json "[.. | select(.deleted?).id] == [\"$top\", \"$first\"]"
	expect_json "[.. | .id? // empty] == [\"$top\", \"$first\",
	    \"$grandchild\", \"$second\", \"$late\"]"
	session tree "$grandchild"
	cut -d ' ' -f 1-2 out >seen
	printf '%s\n' "$top" "|-- $first" "|   \`-- $grandchild" \
	    "\`-- $second" "    \`-- $late" >wanted
	check "the text differs: $(diff wanted <(sed 's/ 20[^ ]*//g
	    s/ deleted//; s/ \*$//' out))" cmp -s wanted <(sed 's/ 20[^ ]*//g
	    s/ deleted//; s/ \*$//' out)
	for gone in "$top" "$first"; do
		session tree "$gone"
		expect_status 125
	done
	# A branch with nobody left says nothing, and its notes go.
	delete "$grandchild"
	session tree "$late" --json
	expect_json "[.. | .id? // empty] == [\"$top\", \"$second\", \"$late\"]"
	reap
	check "there is $(names "$STATE/tree")" test \
	    "$(names "$STATE/tree")" = "$top $second"
	expect_gone "$second" "$late"
fi

if testcase "forks, snapshots and reapers at once do each other no harm"; then
	create
	inside 'echo kept >/root/kept'
	for worker in 1 2 3; do
		(
			for _ in 1 2 3 4 5; do
				one=$(t_as "$MAYFLY" session fork "$id") ||
				    echo "fork: $?"
				t_as "$MAYFLY" session run "$one" -- sh -c \
				    'cat /root/kept; echo >/root/own'
				kept=$(t_as "$MAYFLY" session snapshot \
				    "$one") || echo "snapshot: $?"
				t_as "$MAYFLY" session delete "$one" ||
				    echo "delete: $?"
				two=$(t_as "$MAYFLY" session create \
				    --snapshot "$kept") || echo "create: $?"
				t_as "$MAYFLY" snapshot delete "$kept" ||
				    echo "forget: $?"
				t_as "$MAYFLY" session run "$two" -- \
				    sh -c 'ls /root' || echo "run: $?"
				t_as "$MAYFLY" session delete "$two" ||
				    echo "delete: $?"
			done
		) </dev/null >"said.$worker" 2>&1 &
	done
	for _ in {1..40}; do
		t_as "$MAYFLY" reap </dev/null >>reaped 2>&1
		echo "reap: $?" >>reaped
	done
	wait
	check "a reap failed: $(grep -v '^removed' reaped | sort | uniq -c)" \
	    test "$(grep -vc -e '^removed ' -e '^reap: 0' reaped)" = 0
	for worker in 1 2 3; do
		check "it said: $(head -5 "said.$worker")" cmp -s \
		    "said.$worker" <(for _ in 1 2 3 4 5; do
			printf 'kept\nkept\nown\n'; done)
	done
	expect_gone "$id"
fi

t_done
