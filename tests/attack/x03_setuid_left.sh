#!/bin/bash
# X3: leaving a setuid or setgid file in a directory bound for writing.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=X3

# Every call, for one mode. mknod without a mode bit of its own is a file.
refusals()
{
	local call

	for call in fchmod 'fchmod high' fchmodat 'fchmodat high' fchmodat2 \
	    'fchmodat2 high' 'fchmod 2^16' chmod 'chmod high' openat \
	    'openat high' O_TMPFILE 'openat high flags' mknodat \
	    'mknodat high' open 'open high' creat 'creat high' mknod; do
		echo "$call $1: EPERM"
	done
	echo "openat2 $1: ENOSYS"
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "no call leaves a set-id file in a bound directory"; then
		shared_dir shared
		OPTIONS=(--bind "$PWD/shared:/mnt")
		attack x03_setuid_left /mnt
		if [[ $(uname -m) != x86_64 ]]; then
			sed -i '/^chmod\|^open \|^open high\|^creat\|^mknod /d' \
			    out
		fi
		expect_contained <<-END
			$(for mode in 4755 2755 6755 4000; do
				refusals "$mode"
			done)
			sticky: ok
			a plain file: ok
			open without creating, mode 4755: ok
		END
		check "the plain files are there" \
		    test -e shared/plain -a -e shared/good
		[[ -z $(find shared -perm /6000) ]] ||
		    fail "left outside: $(find shared -perm /6000 -ls)"
	fi

	if attackcase "nor does a program that copies, unpacks or installs" &&
	    have tar; then
		shared_dir shared
		run --user "$INSIDE:$INSIDE" --bind "$PWD/shared:/mnt" -- sh -c '
			cd /tmp && echo >f && chmod 6755 f && tar cf t.tar f
			cp -p f /mnt/copied
			install -m 4755 f /mnt/installed
			tar xpf t.tar -C /mnt
			mv f /mnt/moved
			mkdir -m 2777 /mnt/dir
			touch /mnt/touched; chmod u+s /mnt/touched
			umask 0; chmod 2777 /mnt
			ls /mnt >&2
			exit 0'
		expect_status 0
		[[ -z $(find shared -perm /6000) ]] ||
		    fail "left outside: $(find shared -perm /6000 -ls)"
	fi

	if attackcase "inside, where nobody else comes, set-id files can be made"
	then
		run --user "$INSIDE:$INSIDE" -- sh -c \
		    'echo >/tmp/f && chmod 4755 /tmp/f && ls -l /tmp/f'
		expect_status 0
		expect_out_has '^-rwsr-xr-x'
	fi
done
t_done
