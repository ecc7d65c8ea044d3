#!/bin/bash
# X2: files that only root of the host may read, in a tree that is bound and in
# the image, with whatever rights there are inside.
# as: root user subuid
# shellcheck disable=SC2016 # what is in single quotes is for other shells

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=X2

# Outcomes of all attempts on a file that is there, on a read-only mount.
denied()
{
	cat <<-END
		read $1: EACCES
		write $1: EACCES
		truncate $1: EROFS
		reopen $1: EACCES
		access $1: EACCES
		chmod $1: EROFS
		chown $1: EROFS
		link $1: EXDEV
		rename $1: EXDEV
		execute $1: EACCES
	END
}

# Root inside also tries as user 1, where it can become one.
as_another()
{
	((INSIDE == 0)) || return 0
	[[ $AS != user ]] || echo "become 1: EINVAL"
	echo "read $1 as 1: EACCES"
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a file that is root's alone stays unread in a bind" &&
	    needs_root; then
		mkdir -m 0755 tree
		echo secret >tree/secret
		chmod 0600 tree/secret
		before=$(stat -c '%u %a %s %Z' tree/secret)
		OPTIONS=(--ro-bind "$PWD/tree:/mnt")
		attack x02_root_only /mnt/secret
		expect_contained < <(
			denied /mnt/secret
			as_another /mnt/secret
		)
		[[ $before == "$(stat -c '%u %a %s %Z' tree/secret)" ]] ||
		    fail "it has changed"
	fi

	if attackcase "nor can it be reached below a directory of root's" &&
	    needs_root; then
		mkdir -m 0755 tree
		mkdir -m 0700 tree/closed
		echo secret >tree/closed/secret
		chmod 0644 tree/closed/secret
		OPTIONS=(--ro-bind "$PWD/tree:/mnt")
		attack x02_root_only /mnt/closed/secret
		expect_contained < <(
			denied /mnt/closed/secret | sed '/^reopen/d
			    s/E[A-Z]*$/EACCES/'
			as_another /mnt/closed/secret
		)
	fi

	if attackcase "nor in a directory that is bound for writing" &&
	    needs_root; then
		shared_dir shared
		echo secret >shared/secret
		chmod 0600 shared/secret
		OPTIONS=(--bind "$PWD/shared:/mnt")
		run --user "$INSIDE:$INSIDE" "${OPTIONS[@]}" -- \
		    cat /mnt/secret
		expect_status 1
		expect_no_out
		expect_err_has 'Permission denied'
		run --user "$INSIDE:$INSIDE" "${OPTIONS[@]}" -- \
		    chmod 0644 /mnt/secret
		expect_status 1
		[[ $(stat -c '%u %a' shared/secret) == "0 600" ]] ||
		    fail "it has changed"
	fi

	if attackcase "a directory of root's is not bound for writing" &&
	    [[ $AS == root ]]; then
		mkdir -m 0777 roots
		run --bind "$PWD/roots:/mnt" -- touch /mnt/file
		expect_status 64 125
		expect_err_has 'bind-root'
		check "nothing was written" test -z "$(ls -A roots)"
	fi

	if attackcase "the secrets of the host's /etc and /usr are not there"
	then
		run --user "$INSIDE:$INSIDE" -- sh -c 'for f in /etc/shadow \
		    /etc/gshadow /etc/shadow- /etc/sudoers /etc/ssl/private \
		    /etc/ssh /root/.ssh /home/* /var/lib/dpkg /etc/machine-id \
		    /boot /sys /var/log /run/systemd; do
			[ ! -e "$f" ] || echo "$f"; done'
		expect_status 0
		expect_no_out
	fi
done
t_done
