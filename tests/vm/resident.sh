# shellcheck shell=bash
#
# The second pair of units, mayfly-serve.socket and .service, instead of the
# first. Part of activation.sh, which sources it.
# shellcheck disable=SC2154 # of installed.sh
# shellcheck disable=SC2016 # programs in single quotes are for inside

# Who waits for a request is a process, too, and would be counted.
mkdir -p /etc/mayfly/mayfly.conf.d
echo 'pool = 0' >/etc/mayfly/mayfly.conf.d/pool.conf

# The server has a mount namespace, which stays as long as it does.
rest()
{
	systemctl stop mayfly-serve.service 2>/dev/null
	await "all processes have ended" no_processes
}

if testcase "the resident pair takes the place of the first, and works"; then
	systemctl start mayfly-serve.socket >out 2>&1
	check "it did not start: $(<out)" \
	    systemctl -q is-active mayfly-serve.socket
	check_not "the first stays" systemctl -q is-active mayfly.socket
	check "the server runs already" no_processes
	ask "$TCP/health"
	expect_code 200
	check "there is no server" \
	    systemctl -q is-active mayfly-serve.service
	server=$(systemctl show -P MainPID mayfly-serve.service)
	for way in "$TCP" "--unix-socket $SOCKET http://localhost"; do
		# shellcheck disable=SC2086
		ask_json -d '{"command": ["echo", "hello"]}' $way/run
		expect_code 200
		expect_json '.stdout == "hello\n"'
	done
	check "it is another server" test "$server" = \
	    "$(systemctl show -P MainPID mayfly-serve.service)"
	check "more than the server stays: $(processes)" \
	    test "$(processes)" = "$server"
	rest
fi

if has_controllers &&
    testcase "resident: a cgroup holds time, mem, nproc and cpus"; then
	systemctl start mayfly-serve.socket
	for _ in 1 2; do
		post 'true' '"cpus": 0.5,'
		expect_json '.enforced | .time == "cgroup" and
		    .mem == "cgroup" and .nproc == "cgroup" and
		    .cpus == "cgroup"'
	done
	! begin "$TCP" mayfly-serve.service "$LIMITS" || expect_limits
	kill "$pid"
	finish
	rest
fi

kill_server()
{
	systemctl kill --kill-who=main -s KILL mayfly-serve.service
}

# Server, and of each of the pool broker, front, PID 1 and the command to be.
has_pool()
{
	local count=$((1 + 4 * $1))

	# Twice: what serves a request and one that is being made are as many.
	(($(processes | wc -l) == count)) && sleep 1 &&
	    (($(processes | wc -l) == count))
}

if has_controllers &&
    testcase "resident: a sandbox that was ready has its run's limits"; then
	echo 'pool = 2' >/etc/mayfly/mayfly.conf.d/pool.conf
	systemctl start mayfly-serve.socket
	ask "$TCP/health"
	await "the pool is there" has_pool 2
	processes >before
	! begin "$TCP" mayfly-serve.service "$LIMITS" || expect_limits
	check "it was not ready" grep -qx "$init" before
	kill "$pid"
	finish
	await "the pool is there" has_pool 2
	post 'exec python3 -c "x = bytearray(300000000)"' '"mem": 65536,'
	expect_json '.reason == "memory" and .enforced.mem == "cgroup"'
	await "the pool is there" has_pool 2
	post 'while :; do :; done' '"time": 300,'
	expect_json '.reason == "time" and .enforced.time == "cgroup" and
	    .usage.cpu_ms < 2000'
	await "the pool is there" has_pool 2
	kill_server
	echo 'pool = 0' >/etc/mayfly/mayfly.conf.d/pool.conf
	rest
	/usr/local/bin/mayfly reap >out 2>&1
fi

# Those of the pool, and of what else there is.
cgroups()
{
	find /sys/fs/cgroup -type d -path '*mayfly-serve.service*' \
	    -name 'mayfly-run-*' | wc -l
}

if has_controllers &&
    testcase "resident: a sandbox that nobody used leaves no cgroup"; then
	echo 'pool = 2' >/etc/mayfly/mayfly.conf.d/pool.conf
	systemctl start mayfly-serve.socket
	for _ in 1 2 3 4; do
		ask "$TCP/health"
		expect_code 200
		await "the pool is there" has_pool 2
	done
	await "only theirs are there" eval '(($(cgroups) == 2))'
	systemctl stop mayfly-serve.service 2>/dev/null
	echo 'pool = 0' >/etc/mayfly/mayfly.conf.d/pool.conf
	rest
fi

if testcase "resident: the pool goes with what it was made with"; then
	echo 'pool = 2' >/etc/mayfly/mayfly.conf.d/pool.conf
	systemctl start mayfly-serve.socket
	ask "$TCP/health"
	await "the pool is there" has_pool 2
	echo 'pool = 1' >/etc/mayfly/mayfly.conf.d/pool.conf
	await "one is there" has_pool 1
	echo 'pool = 0' >/etc/mayfly/mayfly.conf.d/pool.conf
	await "none is there" has_pool 0
	post 'echo a'
	expect_json '.stdout == "a\n"'
	rest
fi

if testcase "resident: sessions are those of the first pair"; then
	systemctl start mayfly-serve.socket
	ask_json -d '{}' "$TCP/sessions"
	expect_code 201
	id=$(jq -r .id out)
	ask_json -d '{"command": "echo kept >/root/f"}' \
	    "$TCP/sessions/$id/run"
	expect_code 200
	ask_json -d '{"command": "cat /root/f"}' "$TCP/sessions/$id/run"
	expect_json '.stdout == "kept\n"'
	systemctl start mayfly.socket
	check_not "both pairs are there" \
	    systemctl -q is-active mayfly-serve.socket
	ask_json -d '{"command": "cat /root/f"}' "$TCP/sessions/$id/run"
	expect_json '.stdout == "kept\n"'
	ask -X DELETE "$TCP/sessions/$id"
	expect_code 204
fi

if testcase "resident: the server ends when nobody comes, and comes back"; then
	systemctl start mayfly-serve.socket
	drop_in mayfly-serve.service <<-'END'
		[Service]
		ExecStart=
		ExecStart=/usr/local/bin/mayfly serve --idle-exit 1
	END
	systemctl restart mayfly-serve.service
	for _ in 1 2; do
		ask "$TCP/health"
		expect_code 200
		await "the server has ended" no_processes
		check "it failed" test "$(systemctl show -P Result \
		    mayfly-serve.service)" = success
		check "the socket is gone" \
		    systemctl -q is-active mayfly-serve.socket
	done
	if begin "$TCP" mayfly-serve.service; then
		sleep 2
		check "it ended at work" kill -0 "$pid"
	fi
	kill "$pid"
	finish
	await "the server has ended" no_processes
	no_drop_in mayfly-serve.service
fi

if testcase "resident: after kill -9 of the server it is started again"; then
	systemctl start mayfly-serve.socket
	for _ in 1 2 3 4 5 6 7 8; do
		ask "$TCP/health"
		expect_code 200
		kill_server
	done
	ask "$TCP/health"
	expect_code 200
	check "the socket failed" systemctl -q is-active mayfly-serve.socket
	rest
fi

if testcase "resident: kill -9 of the server ends what it runs"; then
	systemctl start mayfly-serve.socket
	if begin "$TCP" mayfly-serve.service; then
		kill_server
		finish
		poll 100 sh -c '! pgrep -xf "sleep 1000"' ||
		    fail "the command still runs"
	fi
	rest
fi

# Who connects and says nothing has no process of its own.
if is_container &&
    testcase "resident: who only connects costs the others nothing"; then
	systemctl start mayfly-serve.socket
	ask "$TCP/health"
	server=$(systemctl show -P MainPID mayfly-serve.service)
	hold 2000
	# One may be its reaper.
	check "it serves $(pgrep -cP "$server")" \
	    test "$(pgrep -cP "$server")" -le 2
	ask "$TCP/health"
	expect_code 200
	: >reset
	wait "$pid"
	check "it is another server" test "$server" = \
	    "$(systemctl show -P MainPID mayfly-serve.service)"
	check "a unit has failed" no_unit_failed
	rest
fi

if testcase "resident: systemctl stop ends it, and what it runs"; then
	systemctl start mayfly-serve.socket
	ask "$TCP/health"
	if begin "$TCP" mayfly-serve.service; then
		systemctl stop mayfly-serve.service 2>/dev/null
		finish
		expect_out_has '"reason":"killed"'
	fi
	await "all processes have ended" no_processes
	check_not "the command still runs" pgrep -xf 'sleep 1000'
	systemctl start mayfly.socket
	check_not "both pairs are there" \
	    systemctl -q is-active mayfly-serve.socket
	ask "$TCP/health"
	expect_code 200
	expect_quiet
fi
rm -f /etc/mayfly/mayfly.conf.d/pool.conf
