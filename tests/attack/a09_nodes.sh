#!/bin/bash
# A9: device nodes, made inside and found in bound trees.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A9

for INSIDE in $ATTACK_UIDS; do
	dirs='/tmp /run/shm /mnt/shared'

	((INSIDE == 0)) && dirs+=' /root' || dirs+=' /home'
	if attackcase "no device can be made"; then
		shared_dir shared
		OPTIONS=(--bind "$PWD/shared:/mnt/shared")
		# shellcheck disable=SC2086
		attack a09_nodes $dirs
		expect_contained <<-END
			$(for dir in $dirs; do
				for node in mem kmsg null fuse sda vda; do
					echo "mknod $dir/$node: EPERM"
				done
			done)
		END
		check "nothing was made outside" test -z "$(ls -A shared)"
	fi

	if attackcase "a device in a bound tree is dead" && needs_root; then
		mkdir -m 0755 tree
		shared_dir shared
		for dir in tree shared; do
			mknod -m 0666 "$dir/null" c 1 3
			mknod -m 0666 "$dir/loop" b 7 200
		done
		OPTIONS=(--ro-bind "$PWD/tree:/mnt/tree"
		    --bind "$PWD/shared:/mnt/shared")
		attack a09_nodes =/mnt/tree/null =/mnt/tree/loop \
		    =/mnt/shared/null =/mnt/shared/loop
		expect_contained <<-END
			$(for node in tree/null tree/loop shared/null \
			    shared/loop; do
				echo "read /mnt/$node: EACCES"
				echo "write /mnt/$node: EACCES"
			done)
		END
	fi
done
t_done
