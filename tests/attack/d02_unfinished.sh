#!/bin/bash
# D2: what somebody is about to make, or has not left yet, is no leftover. The
# reaper knows by the locks, which go with their holders.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=D2

# Holds a lock until somebody calls let_go: hold PATH
hold()
{
	rm -f held
	flock -x "$1" sh -c ': >held; exec sleep 60' &
	holder=$!
	await "the lock" test -e held
}

let_go()
{
	pkill -P "$holder"
	wait "$holder" 2>/dev/null
}

for INSIDE in $ATTACK_UIDS; do
	# Nothing inside has a part in it.
	[[ $INSIDE == "${ATTACK_UIDS%% *}" ]] || continue

	if attackcase "what is locked in the trash is left alone"; then
		create
		inside -- touch /file
		delete
		create
		new=$STATE/trash/new-$id
		t_as mv "$STATE/sessions/$id" "$new"
		for lock in "$new" "$new/lock"; do
			hold "$lock"
			reap
			expect_no_out
			check "it was removed under its lock" \
			    test -e "$new/meta"
			let_go
		done
		reap
		expect_out_has "^removed trash new-$id$"
		expect_clean
	fi

	if attackcase "an expired session that is locked is left alone"; then
		create --ttl 1
		inside -- touch /file
		sleep 2.1
		for lock in "" /lock; do
			hold "$STATE/sessions/$id$lock"
			reap
			expect_no_out
			check "it was removed under its lock" \
			    test -e "$STATE/sessions/$id/upper/file"
			let_go
		done
		reap
		expect_out_has "^removed session $id$"
		expect_clean
	fi

	if attackcase "who deletes does not wait for a lock without end"; then
		create
		inside -- touch /file
		hold "$STATE/sessions/$id/lock"
		began=$(now)
		session delete "$id"
		expect_status 0
		expect_took 3000
		session show "$id"
		expect_status 125
		reap
		expect_no_out
		let_go
		reap
		expect_clean
	fi
done
t_done
