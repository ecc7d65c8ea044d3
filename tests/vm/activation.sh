#!/bin/bash
# mayfly installed on a machine with systemd: its units start it, end it and
# clean up behind it, and nothing of it is left when it is uninstalled.
# in: alone
# shellcheck disable=SC2016 # programs in single quotes are for elsewhere

# systemd has to know the processes by their numbers.
export T_ENTERED=1
# shellcheck source=tests/t.sh
. "$(dirname "$0")/../t.sh"

[[ $EUID == 0 && -d /run/systemd/system ]] ||
    t_give_up "this needs root and systemd: use guest.sh"
[[ -n $(type -P curl) && -n $(type -P make) ]] ||
    t_give_up "there is no curl or no make"

# shellcheck source=tests/vm/installed.sh
. "$(dirname "$0")/installed.sh"

# All takes five minutes in a virtual machine: there it is what differs with the
# cgroups and the kernel that a container does not have.
if ! is_container && [[ -z ${CASE:-}${LONG:-} ]]; then
	CASE='^(make install|a health|a run|the sandbox has|a cgroup holds|'
	CASE+='memory ends|what runs inside|the front is|a session keeps|'
	CASE+='after kill -9 of the (broker|init)|systemctl stop|a burst|'
	CASE+='resident: (a cgroup|a sandbox|kill -9|systemctl)|uninstall)'
fi

"${MAKE[@]}" install >"$T_ROOT/installed" 2>&1
installed=$?
systemctl -q enable --now mayfly.socket mayfly-reaper.timer \
    >>"$T_ROOT/installed" 2>&1
enabled=$?
# What the first request makes for all later ones is no leak; see t.sh.
post true
code_of_first=$code

if testcase "make install and enable are all that it takes"; then
	check "make install: $(<"$T_ROOT/installed")" test "$installed" = 0
	check "systemctl: $(<"$T_ROOT/installed")" test "$enabled" = 0
	check "the socket is not there" systemctl -q is-active mayfly.socket
	check "the timer is not there" \
	    systemctl -q is-active mayfly-reaper.timer
	check "they would not be there after a boot" \
	    systemctl -q is-enabled mayfly.socket mayfly-reaper.timer
	check "the first request got $code_of_first" \
	    test "$code_of_first" = 200
	check "no user mayfly-front" getent passwd mayfly-front
	expect_quiet
fi

if testcase "a health check is answered, over TCP and the UNIX socket"; then
	for way in "$TCP/health" "--unix-socket $SOCKET http://localhost/health"
	do
		# shellcheck disable=SC2086
		ask $way
		expect_code 200
		check "the body" test "$(<out)" = OK
	done
	expect_quiet
fi

if testcase "a run is answered, and then no process of mayfly is there"; then
	post 'echo hello; echo no >&2; exit 3'
	expect_code 200
	expect_json '.stdout == "hello\n" and .stderr == "no\n" and
	    .exit_code == 3 and .reason == "exit"'
	ask_json --unix-socket "$SOCKET" -d '{"command": ["echo", "hello"]}' \
	    http://localhost/run
	expect_code 200
	expect_json '.stdout == "hello\n"'
	expect_quiet
fi

if testcase "the sandbox has host ids of its own, not those of root"; then
	post 'cat /proc/self/uid_map; cut -d " " -f 1-3 /proc/self/status |
	    grep -E "^(CapEff|NoNewPrivs)"'
	expect_json '.stdout | split("\n")[0] | [splits(" +")] |
	    .[1] == "0" and (.[2] | tonumber) >= 1879048192 and
	    .[3] == "65536"'
fi

if has_controllers &&
    testcase "a cgroup holds time, mem, nproc and cpus of a connection"; then
	post 'true' '"cpus": 0.5,'
	expect_json '.enforced | .time == "cgroup" and .mem == "cgroup" and
	    .nproc == "cgroup" and .cpus == "cgroup"'
	! begin "$TCP" '' "$LIMITS" || expect_limits
	kill "$pid"
	finish
	expect_quiet
fi

if has_controllers &&
    testcase "memory ends the run, and the connection reports it"; then
	post 'exec perl -e "\$x = q(a) x (512 << 20); sleep 60"' '"mem": 65536,'
	expect_code 200
	expect_json '.reason == "memory" and .usage.memory_kb <= 66000'
	expect_quiet
	check_not "a unit failed" sh -c "systemctl --failed | grep mayfly"
fi

if has_capability 24 && # CAP_SYS_RESOURCE
    testcase "what runs inside stays the OOM killer's first"; then
	post 'for n in -500 0 999; do
	    (echo $n >/proc/self/oom_score_adj) 2>/dev/null; done
	    cat /proc/self/oom_score_adj'
	expect_json '.stdout == "1000\n"'
fi

if testcase "descriptors: the front has the client's, the command has pipes"
then
	if begin; then
		connection=$(readlink "/proc/$(front)/fd/0")
		check "the front's 0 is $connection" \
		    test "${connection%%:*}" = socket
		for process in "$broker" "$init" "$command"; do
			find "/proc/$process/fd" -lname "$connection"
		done >others
		check "others have it: $(<others)" test ! -s others
		check "the command's are not 0, 1 and 2" test "$(find \
		    "/proc/$command/fd" -mindepth 1 -printf '%f:%l\n' |
		    sed 's/:pipe.*//' | sort | tr -d '\n')" = 012
	fi
	kill "$pid"
	finish
	expect_quiet
fi

if testcase "the front is nobody: own user, empty root, no capability"; then
	if begin; then
		front=$(front)
		check "its root" test "$(readlink "/proc/$front/root")" = \
		    /run/mayfly/empty
		cp "/proc/$front/status" out
		expect_out_has "^Uid:.$(id -u mayfly-front)\b"
		expect_out_has '^CapEff:.0000000000000000$'
		expect_out_has '^CapPrm:.0000000000000000$'
		expect_out_has '^NoNewPrivs:.1'
		expect_out_has '^Seccomp:.2'
	fi
	kill "$pid"
	finish
	expect_quiet
fi

if testcase "the client's departure ends the sandbox"; then
	begin && kill -KILL "$pid"
	finish
	expect_quiet
	check_not "the command still runs" pgrep -xf 'sleep 1000'
fi

if testcase "only root and the group mayfly reach the UNIX socket"; then
	group=$(getent group mayfly | cut -d : -f 3)
	chmod 0777 .
	for groups in --clear-groups "--groups $group"; do
		# shellcheck disable=SC2086
		setpriv --reuid 1000 --regid 1000 $groups curl -sS -m 20 \
		    --unix-socket "$SOCKET" http://localhost/health \
		    >"said$groups" 2>&1
	done
	check "strangers reach it" grep -q 'onnect' said--clear-groups
	check "the group does not" test "$(<"said--groups $group")" = OK
	expect_quiet
fi

if testcase "the journal has one line for each request, and no other"; then
	mark_journal
	for path in /health /nothing /health; do
		ask "$TCP$path"
	done
	post 'echo hello; exit 5'
	expect_quiet
	journal mayfly >lines
	check "$(wc -l <lines) lines: $(cat -v lines)" \
	    test "$(wc -l <lines)" = 4
	check "the last one: $(tail -n 1 lines)" \
	    grep -qE 'POST.*/run.*200.*exit.*\b5\b' lines
	journal systemd | grep -F mayfly@ >units
	check "systemd has its say: $(head -n 3 units)" test ! -s units
fi

if testcase "a token, once there is one, is needed over TCP"; then
	token=$(/usr/local/bin/mayfly token add tester)
	ask "$TCP/sessions"
	expect_code 401
	ask -H "Authorization: Bearer $token" "$TCP/sessions"
	expect_code 200
	ask --unix-socket "$SOCKET" http://localhost/sessions
	expect_code 200
	/usr/local/bin/mayfly token remove tester
	ask "$TCP/sessions"
	expect_code 200
	expect_quiet
fi

if testcase "the configuration is read at each request"; then
	mkdir -p /etc/mayfly/mayfly.conf.d
	echo 'max_wall = 1000' >/etc/mayfly/mayfly.conf.d/test.conf
	post 'true' '"wall": 1001,'
	expect_code 422
	echo 'wrong = 1' >/etc/mayfly/mayfly.conf.d/test.conf
	post 'true'
	expect_code 500
	rm /etc/mayfly/mayfly.conf.d/test.conf
	post 'true'
	expect_code 200
	expect_quiet
fi

# The units' capabilities are those of who mounts a session's overlay.
if testcase "a session keeps owners, modes, times and set-group-ID bits"; then
	ask_json -d '{}' "$TCP/sessions"
	id=$(jq -r .id out)
	ask_json -d "$(jq -n '{command: "cd /root; touch f; chown 5:6 f
	    chmod 6755 f; touch -d @978307200 f; mkdir d; chgrp 77 d
	    chmod 3777 d; touch d/x; rm /etc/hosts"}')" \
	    "$TCP/sessions/$id/run"
	expect_json '.exit_code == 0 and .stderr == ""'
	ask_json -d '{"command":
	    "cd /root; stat -c \"%a %u %g %Y\" f; stat -c \"%a %g\" d d/x"}' \
	    "$TCP/sessions/$id/run"
	expect_json '.stdout == "6755 5 6 978307200\n3777 77\n644 77\n"'
	ask -X DELETE "$TCP/sessions/$id"
	expect_code 204
	expect_quiet
fi

# What is killed by force, and what must be said of it. In emulation one run has
# to do.
for victim in broker front init command; do
	if testcase "after kill -9 of the $victim all of it ends, and nothing stays"
	then
		ask_json -d '{}' "$TCP/sessions"
		id=$(jq -r .id out)
		for where in "$TCP" "$TCP/sessions/$id"; do
			is_container || [[ $where != "$TCP" ]] || continue
			if begin "$where"; then
				[[ $victim != front ]] || front=$(front)
				kill -KILL "${!victim}"
				finish
			fi
			expect_quiet
			check_not "the command still runs" \
			    pgrep -xf 'sleep 1000'
			case $victim in
			init) expect_out_has '"reason":"killed"' ;;
			command)
				expect_out_has '"signal":9.*"reason":"signal"'
				;;
			esac
			left=$(left_after_reap)
			check "this stays: $left" test -z "$left"
			check "a unit failed" no_unit_failed
			ask_json -d '{"command": "echo next"}' "$where/run"
			expect_json '.stdout == "next\n"'
		done
		ask -X DELETE "$TCP/sessions/$id"
		expect_code 204
		expect_quiet
		left=$(left_after_reap; ls -A /var/lib/mayfly/sessions)
		check "this stays: $left" test -z "$left"
	fi
done

if testcase "systemctl stop ends a run, and the client is told"; then
	if begin; then
		systemctl stop "$unit"
		finish
		expect_out_has '"reason":"killed"'
	fi
	expect_quiet
fi

if testcase "the reaper's timer removes what has expired, and no more"; then
	mark_journal
	drop_in mayfly-reaper.timer <<-'END'
		[Timer]
		OnCalendar=
		OnCalendar=*:*:0/3
		RandomizedDelaySec=0
		AccuracySec=100ms
	END
	systemctl restart mayfly-reaper.timer
	ask_json -d '{"ttl": 600}' "$TCP/sessions"
	short=$(jq -r .id out)
	ask_json -d '{"ttl": 600}' "$TCP/sessions"
	long=$(jq -r .id out)
	ask_json -d "$(jq -n '{command: "umask 0; mkdir -p a/b s; touch s/f
	    chmod 1777 s; chown -R 77:77 s; chmod 0 a/b a"}')" \
	    "$TCP/sessions/$short/run"
	expect_code 200
	expect_json '.exit_code == 0 and .stderr == ""'
	ask_json -d '{"ttl": 1}' "$TCP/sessions/$short/ttl"
	expect_code 200
	await "the expired one is gone" test ! -e \
	    "/var/lib/mayfly/sessions/$short"
	await "its files are gone" sh -c \
	    'test -z "$(ls -A /var/lib/mayfly/trash 2>/dev/null)"'
	check "the other one is gone as well" \
	    test -d "/var/lib/mayfly/sessions/$long"
	check "the reaper failed: $(journal mayfly-reap)" test \
	    "$(systemctl show -P Result mayfly-reaper.service)" = success
	ask -X DELETE "$TCP/sessions/$long"
	expect_code 204
	no_drop_in mayfly-reaper.timer
	systemctl restart mayfly-reaper.timer
	expect_quiet
fi

# How many connections systemd has closed since the mark, for want of room.
refused()
{
	journal systemd | grep -c 'Too many incoming connections'
}

# Connects COUNT times from 127.0.0.1, HOLD at a time.
flood()
{
	perl -MIO::Socket::INET -e '
	    my ($count, $hold) = @ARGV;
	    for (1 .. $count) {
		    push @held, IO::Socket::INET->new(PeerAddr => "127.0.0.1",
			PeerPort => 8080, Timeout => 10) // next;
		    shift @held if @held > $hold;
		    $n++;
	    }
	    print "$n\n"' "$@"
}

# In a virtual machine without KVM 5,000 take ten minutes.
count=5000
is_container || count=1000
if testcase "after thousands of connections at once a request is answered"; then
	flood "$count" 200 >said
	check "only $(<said) connected" test "$(<said)" -gt $((count * 4 / 5))
	check "the socket unit failed" systemctl -q is-active mayfly.socket
	poll 600 curl -sSf -m 5 "$TCP/health" ||
	    fail "no request is answered"
	poll 1200 quiet || fail "connections stay: $(connections | wc -l)"
fi

# As it is installed; in emulation fewer, so that the limit is reached before
# the first of them is told that it has been silent for too long.
if testcase "a burst past MaxConnections is refused, and no unit fails"; then
	limit=$(systemctl show -P MaxConnections mayfly.socket)
	check "the limit is $limit" test "$limit" = 1024
	burst=2000
	if ! is_container; then
		limit=32 burst=200
		drop_in mayfly.socket <<<$'[Socket]\nMaxConnections=32'
	fi
	mark_journal
	hold "$burst"
	poll 400 eval '(($(refused) >= burst - limit))' ||
	    fail "$(refused) of $burst are refused"
	check "a unit has failed" no_unit_failed
	check "the socket is gone" systemctl -q is-active mayfly.socket
	: >reset
	wait "$pid"
	poll 600 curl -sSf -m 5 "$TCP/health" || fail "nobody is answered"
	post 'echo next'
	expect_json '.stdout == "next\n"'
	poll 1200 quiet || fail "connections stay: $(connections | wc -l)"
	check "a unit has failed afterwards" no_unit_failed
	check "the socket is gone afterwards" \
	    systemctl -q is-active mayfly.socket
	is_container || no_drop_in mayfly.socket
fi

if testcase "one address cannot take all connections"; then
	# They say nothing, until the front's patience ends.
	flood 200 200 9>&- >count &
	pid=$!
	poll 100 sh -c 'test $(systemctl list-units --no-legend --plain \
	    "mayfly@*.service" | wc -l) -ge 60'
	ask --interface 127.0.0.2 "$TCP/health"
	expect_code 200
	check "there are more than 64 of one address" \
	    test "$(connections | grep -c '127.0.0.1:8080-127.0.0.1:')" -le 64
	wait "$pid"
	poll 600 quiet || fail "connections stay: $(connections | wc -l)"
fi

if testcase "with many requests at once each gets its own answer"; then
	for i in {1..16}; do
		curl -sS -m 60 -H 'Content-Type: application/json' \
		    -d "{\"command\": [\"echo\", \"$i\"]}" "$TCP/run" \
		    >"answer.$i" 2>&1 &
	done
	wait
	for i in {1..16}; do
		expect_json ".stdout == \"$i\\n\"" "answer.$i"
	done
	expect_quiet
fi

# shellcheck source=tests/vm/resident.sh
. "$(dirname "$0")/resident.sh"

if testcase "uninstall leaves nothing but /etc/mayfly and the state"; then
	systemctl start mayfly.socket
	ask_json -d '{}' "$TCP/sessions"
	begin
	"${MAKE[@]}" uninstall >said 2>&1
	status=$?
	expect_status 0
	check "it has something to say: $(<said)" test ! -s said
	finish
	check "processes stay" no_processes
	check "files stay: $(find / -xdev -name '*mayfly*' -path '/usr/*')" \
	    test -z "$(find / -xdev -name '*mayfly*' -path '/usr/*')"
	check "/run/mayfly stays: $(ls -A /run/mayfly 2>&1)" \
	    test ! -e /run/mayfly
	check "links stay" test -z "$(find /etc/systemd -name 'mayfly*' \
	    ! -name 'mayfly-tests*')"
	systemctl list-units --all --plain --no-legend 'mayfly*' |
	    grep -v mayfly-tests >units
	check "units stay: $(<units)" test ! -s units
	check "the state is gone" test -d /var/lib/mayfly/sessions
	check "the configuration is gone" test -e /etc/mayfly/mayfly.conf
fi

t_done
