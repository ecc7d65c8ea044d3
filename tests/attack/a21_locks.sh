#!/bin/bash
# A21: locks and leases by which sandboxes could signal to each other or make
# each other wait. What is shown of the host's /usr is one file for all, and a
# lock for reading on it is seen by all: SPECIFICATION.md does not promise more.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=A21

# All of one's own that there is in each sandbox.
FILES=(/tmp/x /run/x /dev/shm/x)

expect_locks()
{
	local file

	for file in "$@"; do
		printf '%s: ok\n' "open $file" "flock $file" "lock $file"
		echo "lock $file anew: EAGAIN"
	done >want
	cmp -s want "${OUT:-out}" || {
		fail "locks are not free"
		detail "$(diff want "${OUT:-out}" | head -n 8)"
	}
}

for INSIDE in $ATTACK_UIDS; do
	[[ $INSIDE != 0 ]] || FILES+=(/root/x)
	[[ $INSIDE == 0 ]] || FILES=(/tmp/x /dev/shm/x)
	if attackcase "locks of one sandbox are free in another"; then
		attack_held a21_locks hold "${FILES[@]}"
		cp out held
		sed -i '/^holding$/d' held
		OUT=held expect_locks "${FILES[@]}"
		attack_words a21_locks try "${FILES[@]}"
		mayfly run "${words[@]}" </dev/null >second 2>err
		OUT=second expect_locks "${FILES[@]}"
		release
	fi

	if attackcase "locks of one session are free in another"; then
		create
		one=$id
		create
		attack_words a21_locks hold "${FILES[@]}"
		spawn session run "$one" "${words[@]}" </dev/null
		await "the locks" grep -qx holding out
		attack_words a21_locks try "${FILES[@]}"
		mayfly session run "$id" "${words[@]}" </dev/null >second 2>err
		OUT=second expect_locks "${FILES[@]}"
		t_as "$MAYFLY" session delete "$one"
		finish
		delete
	fi

	if attackcase "nobody of the host's waits for a sandbox's lease"; then
		attack a21_locks try /usr/bin/env /usr/bin/sh
		expect_status 0
		expect_out_lacks ': ok$'
		check "every attempt was made" test "$(wc -l <out)" = 8
	fi
done
t_done
