#!/bin/bash
# C4: filling the disk of a session, by bytes and by inodes.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C4

# KB, and files, that are more than the limit.
SLACK_KB=262144
SLACK_FILES=16384

held()
{
	local dir=$T_ROOT/state

	[[ $AS == root ]] || [[ -n ${MAYFLY_STATE_DIR:-} ]] || dir+=/mayfly
	du -s "$1" "$dir/sessions/$id/upper" | cut -f 1
}

for INSIDE in $ATTACK_UIDS; do
	for how in bytes files directories attributes links nameless mapped \
	    reserved zeroed; do
		attackcase "'$how' gets a session no more than it may hold" ||
		    continue
		id=$(mayfly session create)
		OPTIONS=(--json --session_disk 8192 --fsize 1000000
		    --time 60000 --nofile 64)
		attack_words c04_disk "$how"
		mayfly session run "$id" "${words[@]}" </dev/null >out 2>err
		status=$?
		# It is ended, or told by a quota, in a mapping by SIGBUS; or
		# the call is refused.
		expect_json '.reason == "disk" or (.reason == "exit" and
		    (.stdout | test(": (EDQUOT|ENOSPC|EOPNOTSUPP|EMFILE)"))) or
		    ("'"$how"'" == "mapped" and .signal == 7 and
		    .reason == "signal")'
		kb=$(held -k) files=$(held --inodes)
		((kb <= 8192 + SLACK_KB && files <= 1024 + SLACK_FILES)) ||
		    fail "$kb KB in $files files"
		mayfly session delete "$id" 2>err || fail "it stays: $(<err)"
		mayfly reap >out 2>err
	done
done
t_done
