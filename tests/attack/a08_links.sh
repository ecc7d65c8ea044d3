#!/bin/bash
# A8: hard links, writes to read-only trees, and file handles.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A8

# An owner who has no id inside cannot even be compared with.
FOREIGN=EPERM
[[ $AS != root ]] || FOREIGN=EOVERFLOW

for INSIDE in $ATTACK_UIDS; do
	if attackcase "read-only trees and foreign files stay as they are" &&
	    needs_root; then
		mkdir -m 0755 tree
		echo untouched >tree/victim
		chmod 0666 tree/victim
		shared_dir shared
		echo foreign >shared/foreign
		chmod 0600 shared/foreign
		before=$(stat -c '%i %h %a %u %s' tree/victim shared/foreign)
		usr=$(ls -A /usr /usr/bin)
		OPTIONS=(--ro-bind "$PWD/tree:/mnt/tree"
		    --bind "$PWD/shared:/mnt/shared")
		attack a08_links /mnt/tree/victim /mnt/shared
		# Before 6.10 it took a capability to link by descriptor.
		sed -i 's/^\(link a foreign .* descriptor: \)ENOENT/\1'"$FOREIGN/" out
		expect_contained <<-END
			link of /usr to /tmp: EXDEV
			link within /usr: EROFS
			create in /usr/bin: EROFS
			write /usr/bin/env: EACCES
			unlink /usr/bin/env: EROFS
			rename in /usr/bin: EROFS
			mkdir in /usr: EROFS
			remount /usr for writing: EPERM
			write a read-only bind: EROFS
			truncate in a read-only bind: EROFS
			unlink in a read-only bind: EROFS
			chmod in a read-only bind: EROFS
			link of a read-only bind: EXDEV
			name_to_handle_at: ENOSYS
			open_by_handle_at: EPERM
			link a foreign file: $FOREIGN
			link a foreign file by descriptor: $FOREIGN
			write a foreign file: EACCES
			chmod a foreign file: $FOREIGN
			take a foreign file: EPERM
		END
		[[ $before == \
		    "$(stat -c '%i %h %a %u %s' tree/victim shared/foreign)" ]] ||
		    fail "a file of the host's has changed"
		[[ $usr == "$(ls -A /usr /usr/bin)" ]] || fail "/usr has changed"
	fi
done
t_done
