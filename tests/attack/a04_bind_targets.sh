#!/bin/bash
# A4: mount targets that are links, or become links while they are resolved
# (CVE-2021-30465, CVE-2019-19921). Where there is no image of the tenant's,
# that is a tree that is bound for writing, with a further bind below it.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A4

# A tree to bind at /job, a secret to show in it, and what must not change.
make_trees()
{
	shared_dir tree
	mkdir secret canary
	echo secret >secret/file
	echo untouched >canary/file
}

expect_canary()
{
	[[ $(ls -A canary) == file && $(<canary/file) == untouched ]] ||
	    fail "the host's directory has changed: $(ls -lA canary)"
}

bind_below()
{
	run --user "$INSIDE:$INSIDE" --bind "$PWD/tree:/job" \
	    --ro-bind "$PWD/secret:/job/$1" -- true
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a link of the tree's is not followed to the host"; then
		make_trees
		ln -s "$PWD/canary" tree/absolute
		ln -s /proc/self/root tree/magic
		ln -s /proc/self/fd/3 tree/descriptor
		for link in absolute magic descriptor; do
			bind_below "$link/new"
			expect_status 125
			expect_err_has bind
			expect_canary
		done
	fi

	if attackcase "a link upwards ends at the sandbox's root"; then
		make_trees
		ln -s "../../../../../../../..$PWD/canary" tree/up
		bind_below "up/new"
		expect_status 125
		expect_canary
	fi

	if attackcase "a race for the target is not won"; then
		make_trees
		mkdir -m 0777 tree/a
		ln -s "$PWD/canary" tree/b
		program swap
		"$ATTACK/swap" tree/a tree/b &
		swapper=$!
		for _ in {1..30}; do
			bind_below a/new
			expect_status 0 125
		done
		kill "$swapper"
		wait "$swapper" 2>/dev/null
		expect_canary
	fi
done
t_done
