#!/bin/bash
# A10: nested namespaces by clone, clone3, unshare and setns, and every call
# that mounts.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A10

SPACES=(NEWNS NEWCGROUP NEWUTS NEWIPC NEWUSER NEWPID NEWNET NEWTIME
    'NEWUSER and all others')
LINKS='mnt cgroup uts ipc user pid net time'

for INSIDE in $ATTACK_UIDS; do
	if attackcase "no namespace can be made or entered"; then
		attack a10_namespaces
		expect_contained <<-END
			$(for space in "${SPACES[@]}" 'NEWUSER + 1<<32' \
			    'NEWUSER as vfork'; do
				echo "clone $space: EPERM"
			done)
			$(for space in "${SPACES[@]}" 'nothing new'; do
				echo "clone3 $space: ENOSYS"
			done)
			$(for space in "${SPACES[@]}" 'NEWUSER + 1<<32'; do
				echo "unshare $space: EPERM"
			done)
			$(for link in $LINKS; do
				echo "setns $link: EPERM"
				echo "setns $link by pidfd: EPERM"
			done)
		END
	fi

	if attackcase "nothing can be mounted or unmounted"; then
		attack a10_namespaces mounts
		expect_contained <<-END
			$(for call in 'mount tmpfs' 'mount proc' 'mount sysfs' \
			    'mount overlay' bind 'mount a disk' 'remount /' \
			    'make / shared' 'move /proc' 'umount /proc' \
			    'umount /' pivot_root chroot swapon quotactl \
			    fsopen fsconfig fsmount fspick open_tree \
			    move_mount mount_setattr open_tree_attr; do
				echo "$call: EPERM"
			done)
			statmount: ENOSYS
			listmount: ENOSYS
		END
	fi
done
t_done
