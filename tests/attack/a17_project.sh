#!/bin/bash
# A17: leaving a project quota by changing a file's project id.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A17

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a file keeps its project"; then
		shared_dir shared
		OPTIONS=(--bind "$PWD/shared:/mnt/shared")
		attack a17_project /tmp /mnt/shared
		expect_contained <<-END
			$(for dir in /tmp /mnt/shared; do
				echo "create $dir/project: ok"
				echo "FSSETXATTR $dir/project: EPERM"
				echo "FSSETXATTR + 1<<32 $dir/project: EPERM"
				echo "file_setattr $dir/project: ENOSYS"
			done)
		END
		if project=$(lsattr -p shared/project 2>/dev/null); then
			[[ $project =~ ^\ *0\  ]] || fail "project: $project"
		fi
	fi
done
t_done
