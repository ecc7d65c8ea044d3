#!/bin/bash
# A20: extended attributes that a file system or an overlay would trust.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A20

for INSIDE in $ATTACK_UIDS; do
	if attackcase "no trusted attribute and no file capability can be set"
	then
		shared_dir shared
		echo x >shared/file
		((EUID != 0)) || chown "$(owner_outside)" shared/file
		OPTIONS=(--bind "$PWD/shared:/mnt/shared")
		attack a20_xattrs /tmp /mnt/shared/file
		expect_status 0
		expect_out_lacks ': ok$'
		while IFS= read -r line; do
			case $line in
			*": EPERM" | *": EOPNOTSUPP") ;;
			*) fail "unexpected: $line" ;;
			esac
		done <out
		check "every attempt was made" test "$(wc -l <out)" = 16
		check "no attribute stands outside" \
		    test -z "$(getfattr -d -m - shared/file 2>/dev/null)"
	fi
done
t_done
