#!/bin/bash
# E1, E4: metadata services, private networks, the host and the world, over
# both families: no address but the sandbox's own can be reached.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=E1

expect_unreached()
{
	expect_status 0
	expect_out_lacks ': ok$'
	check "not every attempt was made" test "$(wc -l <out)" = 120
	sed 's/.*: //' out | sort -u >errors
	while IFS= read -r error; do
		[[ $error =~ ^(ENETUNREACH|EADDRNOTAVAIL|EACCES|EINVAL|EPERM)$ ]] ||
		    fail "$error: $(grep -m 1 "$error" out)"
	done <errors
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "no address of the host's, a cloud's or the world's answers"
	then
		attack e01_addresses
		expect_unreached
	fi

	if attackcase "nor does any from a session, or without sockets"; then
		create
		attack_words e01_addresses
		session run "$id" "${words[@]}"
		expect_unreached
		delete
		OPTIONS=(--network off)
		attack e01_addresses
		expect_status 0
		check "there are sockets" test \
		    "$(grep -c 'no socket: ' out)" = 120
	fi
done
t_done
