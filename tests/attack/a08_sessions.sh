#!/bin/bash
# A8: from one session to another or to the store: by names, by hard links, by
# inodes that two of them might share.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=A8

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a session leads to no other one and not to the store"
	then
		create
		inside -- sh -c 'echo secret >/root/secret; mkdir -p /tmp &&
		    chmod 01777 /tmp'
		other=$id
		create
		find "$STATE/sessions/$other" -printf '%P %i %n %s %m\n' |
		    sort >before
		program a08_sessions
		inside --user "$INSIDE" --ro-bind "$ATTACK:/attack" -- \
		    /attack/a08_sessions "$other" "$STATE"
		expect_status 0
		expect_out_has '^make a file: ok$'
		grep -v '^make a file' out | sed 's/.*: //' | sort | uniq -c |
		    awk '{ print $2 }' | xargs >errors
		for error in $(<errors); do
			[[ $error =~ ^(ENOENT|EACCES|EXDEV|EPERM|EROFS|ENOTDIR)$ ]] ||
			    fail "$error: $(grep "$error" out | head -n 1)"
		done
		check "not every attempt was made" \
		    test "$(wc -l <out)" = 78
		find "$STATE/sessions/$other" -printf '%P %i %n %s %m\n' |
		    sort | cmp -s - before || fail "the other one has changed"
		delete "$other"
		delete
	fi

	if attackcase "what a session has linked is its own"; then
		create
		other=$id
		inside -- sh -c 'mkdir -p /a/b; echo x >/a/f; ln /a/f /a/b/g
		    ln /etc/hosts /a/hosts; ln /etc/passwd /a/b/passwd'
		create
		inside -- sh -c 'mkdir -p /a/b; echo y >/a/f; ln /a/f /a/b/g
		    ln /etc/hosts /a/hosts; ln /etc/passwd /a/b/passwd'
		# Each link of a file is a name below the same directory.
		for one in "$id" "$other"; do
			find "$STATE/sessions/$one/upper" -type f \
			    -printf '%i %n\n' | sort | uniq -c |
			    awk '$1 != $3' >odd
			check "$one: there are links elsewhere" test ! -s odd
		done
		delete "$other"
		inside -- cat /a/b/g /a/f
		expect_out $'y\ny'
		delete
		expect_clean
	fi
done
t_done
