#!/bin/bash
# Project quotas of other disks than the guest's own: XFS, and ext4 that counts
# and holds nobody.
# in: root
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"
# shellcheck source=tests/vm/project.sh
. "$(dirname "$0")/project.sh"

# with_disk TYPE OPTIONS MKFS...: a disk of the case's own, with the state on it.
with_disk()
{
	mkdir disk
	truncate -s 320M image
	"${@:3}" image >mkfs 2>&1 && mount -t "$1" -o "loop,$2" image disk &&
	    mkdir disk/state || {
		fail "there is no disk: $(<mkfs)"
		return 1
	}
	STATE=$PWD/disk/state
	export MAYFLY_STATE_DIR=$STATE
	mayfly session list >/dev/null
}

without_disk()
{
	STATE=$T_ROOT/state
	export MAYFLY_STATE_DIR=$STATE
	umount disk
}

if testcase "quotas that are counted and hold nobody are no quotas" &&
    with_disk ext4 defaults mke2fs -q -F -t ext4 -O project,quota \
	-E quotatype=prjquota; then
	mayfly doctor --json >json
	expect_json '.findings[] | select(.name == "session_disk") |
	    .level == "warn" and (.remedy | test("prjquota"))' json
	create
	inside --json -- true
	expect_json '.enforced.session_disk == "sampled"'
	inside --json --session_disk 8192 --fsize 100000 -- perl -e '
	    open F, ">", "/f"; 1 while syswrite F, "x" x 65536'
	expect_json '.reason == "disk"'
	delete
	reap
	# Made without, and a quota comes later.
	create
	inside -- sh -c 'echo x >/f'
	umount disk
	mount -o loop,prjquota image disk || fail "no quota came"
	inside --json -- cat /f
	expect_json '.enforced.session_disk == "sampled" and .stdout == "x\n"'
	delete
	create
	inside --json -- true
	expect_json '.enforced.session_disk == "quota"'
	delete
	expect_clean "$number"
	without_disk
fi

if testcase "XFS holds a session as ext4 does" &&
    with_disk xfs prjquota mkfs.xfs -q; then
	mayfly doctor --json >json
	expect_json '.findings[] | select(.name == "session_disk") |
	    .level == "ok"' json
	# shellcheck disable=SC2046 # no word with LONG
	FREED_LATE=100 fill_all $([[ -n ${LONG:-} ]] || echo few)
	without_disk
fi

t_done
