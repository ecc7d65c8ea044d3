#!/bin/bash
# A19: services of the host: abstract sockets, sockets with a path, loopback.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A19

for INSIDE in $ATTACK_UIDS; do
	if attackcase "what listens on the host cannot be reached"; then
		program listen
		"$ATTACK/listen" "mayfly-attack-$$" "$PWD/socket" >heard &
		listener=$!
		await "the host listens" test -s heard
		chmod 0777 socket
		port=$(head -n 1 heard)
		attack a19_host_services "mayfly-attack-$$" "$PWD/socket" "$port"
		expect_contained <<-END
			abstract stream: ECONNREFUSED
			abstract datagram: ECONNREFUSED
			path: ENOENT
			dbus: ENOENT
			systemd: ENOENT
			docker: ENOENT
			syslog: ENOENT
			127.0.0.1: ECONNREFUSED
			0.0.0.0: ECONNREFUSED
			::1: ECONNREFUSED
			169.254.169.254: ENETUNREACH
			10.0.0.1: ENETUNREACH
			1.1.1.1: ENETUNREACH
		END
		kill "$listener"
		wait "$listener" 2>/dev/null
		[[ $(<heard) == "$port" ]] || fail "the host's service was reached"
	fi
done
t_done
