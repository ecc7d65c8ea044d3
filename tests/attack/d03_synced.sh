#!/bin/bash
# D3: power that fails after an answer. What was answered is on disk: records
# are synced before they get their names, and directories after that. (That
# the kernel then keeps its word is for a machine whose power is cut to show.)
# as: root user

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=D3

can_trace()
{
	t_as strace -f -qq -o /dev/null true
}

# The calls that matter of a `mayfly ...`, one a line: as name and the paths of
# descriptors, and names.
trace()
{
	t_as strace -E "$UNCHECKED" -f -y -qq -o "$PWD/trace" \
	    -e trace=fsync,fdatasync,renameat,rename,renameat2,write,writev \
	    "$MAYFLY" "$@" </dev/null >out 2>err
	status=$?
	expect_status 0
	sed -nE 's/^[0-9]+ +//; /^(fsync|fdatasync|rename)/p; /^writev?\(1</p' \
	    trace >calls
}

traced()
{
	trace session "$@"
}

# The line of the first call that matches, behind line $2; 0 for none.
line_of()
{
	awk -v after="${2:-0}" -v pattern="$1" \
	    'NR > after && $0 ~ pattern { print NR; found = 1; exit }
	    END { if (!found) print 0 }' calls
}

# Each of the patterns is met, in this order.
expect_order()
{
	local line=0 pattern

	for pattern; do
		line=$(line_of "$pattern" "$line")
		if ((line == 0)); then
			fail "there is no $pattern, or not in time"
			detail "$(cat calls)"
			return
		fi
	done
}

for INSIDE in $ATTACK_UIDS; do
	# Nothing inside has a part in it.
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "a session is on disk before its id is told" &&
	    require "strace cannot be used here" can_trace; then
		traced create
		id=$(<out)
		expect_order '^fsync.*meta.new' '^rename.*"meta.new".*"meta"' \
		    "^fsync.*trash/new-$id>" \
		    "^rename.*\"new-$id\".*\"$id\"" \
		    '^fsync.*/sessions>' '^writev?.*'"$id"
		delete
	fi

	# What is traced cannot become newuidmap's root.
	if [[ $AS != subuid ]] &&
	    attackcase "a change is on disk before it is answered" &&
	    require "strace cannot be used here" can_trace; then
		create
		for words in "env $id A=1" "ttl $id 1000" "cwd $id /tmp"; do
			# shellcheck disable=SC2086
			traced $words
			expect_order '^fsync.*meta.new' \
			    '^rename.*"meta.new".*"meta"' \
			    "^fsync.*/sessions/$id>"
		done
		delete
	fi

	if attackcase "a deletion is on disk before it is answered" &&
	    require "strace cannot be used here" can_trace; then
		create
		traced delete "$id"
		expect_order "^rename.*\"$id\"" '^fsync.*/sessions>'
		expect_clean
	fi

	if attackcase "a token is on disk, or gone, before that is told" &&
	    require "strace cannot be used here" can_trace; then
		t_as mkdir "$T_ROOT/state/etc"
		export MAYFLY_TOKENS=$T_ROOT/state/etc/tokens
		for words in "add one" "remove one"; do
			# shellcheck disable=SC2086
			trace token $words
			expect_order '^fsync.*/tokens.new>' \
			    '^rename.*/tokens.new".*/tokens"' \
			    '^fsync.*/state/etc>'
		done
		unset MAYFLY_TOKENS
		t_as rm -r "$T_ROOT/state/etc"
	fi
done
t_done
