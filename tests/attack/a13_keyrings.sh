#!/bin/bash
# A13: keyrings, which no namespace separates.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A13

for INSIDE in $ATTACK_UIDS; do
	if attackcase "there are no keyrings"; then
		attack a13_keyrings
		expect_contained <<-END
			add_key: ENOSYS
			request_key: ENOSYS
			$(for name in GET_KEYRING_ID JOIN_SESSION_KEYRING \
			    DESCRIBE SEARCH READ GET_PERSISTENT CAPABILITIES \
			    'GET_KEYRING_ID + 1<<32'; do
				echo "keyctl $name: ENOSYS"
			done)
		END
		check_not "a key was made on the host" grep -q mayfly /proc/keys
	fi
done
t_done
