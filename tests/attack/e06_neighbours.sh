#!/bin/bash
# E6: from one sandbox to another: ports, abstract names and socket files.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/attack/store.sh
. "$ATTACK_DIR/store.sh"
ROW=E6

expect_nobody()
{
	expect_contained <<-END
		connect to 127.0.0.1:80: ECONNREFUSED
		connect to 127.0.0.3:4711: ECONNREFUSED
		connect to @mayfly-neighbour: ECONNREFUSED
		connect to @mayfly-datagrams: ECONNREFUSED
		connect to @mayfly-packets: ECONNREFUSED
		connect to /tmp/neighbour: ENOENT
		connect to /dev/shm/neighbour: ENOENT
		connect to /run/shm/neighbour2: ENOENT
	END
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "what listens in a sandbox is not there for another"; then
		attack_held e06_neighbours listen
		check "not everything listens" \
		    test "$(grep -c ': ok$' out)" = 8
		mv out listening
		attack_words e06_neighbours look
		mayfly run "${words[@]}" </dev/null >out 2>err
		status=$?
		expect_nobody
		# Nor for the host.
		check_not "the host has its names" \
		    grep -q '@mayfly-' /proc/net/unix
		release
	fi

	if attackcase "nor what listens in a session for another"; then
		create
		one=$id
		create
		attack_words e06_neighbours listen
		spawn session run "$one" "${words[@]}" </dev/null
		await "the sockets" grep -qx holding out
		attack_words e06_neighbours look
		mv out listening
		session run "$id" "${words[@]}"
		expect_nobody
		t_as "$MAYFLY" session delete "$one"
		finish
		delete
	fi
done
t_done
