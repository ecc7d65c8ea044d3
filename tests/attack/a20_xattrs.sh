#!/bin/bash
# A20: extended attributes that a file system or an overlay would trust, also
# the overlay that a session is (CVE-2021-3493, CVE-2023-0386).
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=A20

# What there is below /tmp in the session, and in places of other layers.
look_inside()
{
	inside -- sh -c 'cd / && ls -laR --time-style=+ tmp; cat /tmp/d/f \
	    /tmp/f; ls / /usr /etc; head -n 1 /etc/passwd; ls -la /tmp/merged'
	expect_status 0
	# Attributes take up blocks.
	sed -i '/^total /d' out
}

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

	if attackcase "no attribute makes the next run's overlay see other things"
	then
		create
		inside -- sh -c 'mkdir -p /tmp/d/e && echo own >/tmp/d/f &&
		    echo own >/tmp/f && mkdir /tmp/merged &&
		    chmod -R a+rwX /tmp && mkdir -p /etc/pki /attack'
		look_inside
		cp out before
		program a20_overlay
		inside --user "$INSIDE" --ro-bind "$ATTACK:/attack" -- \
		    /attack/a20_overlay /tmp/d /tmp/d/e /tmp/d/f /tmp/f \
		    /tmp/merged /tmp /etc /etc/passwd /etc/pki / /home
		expect_status 0
		check "not every attempt was made" \
		    test "$(wc -l <out)" = 308
		check "a trusted attribute was set" \
		    test -z "$(grep '^trusted.*: ok' out)"
		look_inside
		cmp -s out before || {
			fail "the next run sees something else"
			detail "$(diff before out | head -n 10)"
		}
		# And those that it makes are the same as before.
		inside -- sh -c 'cd /tmp && mv d moved && mkdir d && echo new >d/f &&
		    cat moved/f d/f && rm -r moved d merged && ls'
		expect_status 0
		expect_out $'own\nnew\nf'
		delete
		expect_clean
	fi
done
t_done
