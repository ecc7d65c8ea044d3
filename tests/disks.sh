# shellcheck shell=bash
#
# For topics whose sessions are on a disk of their own, which can be full.
#
# shellcheck disable=SC2154 # t.sh sets status

# shellcheck source=tests/store.sh
. "$T_TREE/tests/store.sh"

((EUID == 0)) || t_give_up "only root can mount a disk of its own"
DISK=$T_ROOT/disk
export MAYFLY_STATE_DIR=$DISK/state
STATE=$MAYFLY_STATE_DIR

# disk SIZE [OPTION]...: a file system of that size with the state on it, until
# the end of the case: no_disk.
disk()
{
	truncate -s "$1" "$T_ROOT/image" &&
	    mke2fs -q -F -t ext4 -m 0 "${@:2}" "$T_ROOT/image" >mke2fs 2>&1 &&
	    mkdir -p "$DISK" && mount -o loop "$T_ROOT/image" "$DISK" &&
	    mkdir "$STATE" && chown "$T_UID" "$STATE" && return
	fail "there is no disk: $(<mke2fs)"
	return 1
}

no_disk()
{
	umount "$DISK" || fail "the disk is in use"
	rm -f "$T_ROOT/image"
}

can_mount()
{
	disk 8M && no_disk
} >/dev/null 2>&1

mkdir "$T_ROOT/case"
cd "$T_ROOT/case" || exit 2
can_mount || t_give_up "no disk can be mounted here"
cd / && rm -r "$T_ROOT/case"
# shellcheck disable=SC2034 # what can_mount found is no case of its own
t_state=ok

# Makes one that lives until it is deleted, or with these words; sets id.
create()
{
	session create "${@:---ttl=none}"
	id=$(cat out)
	[[ $status == 0 && $id =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no session was made: $status"
}

expect_clean()
{
	reap
	expect_status 0
	check "something is left" test -z \
	    "$(find "$STATE" -mindepth 2 2>/dev/null)"
}
