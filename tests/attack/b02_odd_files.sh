#!/bin/bash
# B2: what stands where a file should be, and would make its reader wait or do
# something: FIFOs, devices, sockets, directories, links to them.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=B2

# Makes one of each inside, in /tmp/odd.
ODD='mkdir -p /tmp/odd && cd /tmp/odd && mkfifo fifo && mkdir dir &&
    ln -s fifo tofifo && ln -s self self && ln -s /dev/zero tozero &&
    ln -s dir todir && mkdir -p deep && mkfifo deep/fifo && echo real >real &&
    perl -MSocket -e "socket(S, AF_UNIX, SOCK_STREAM, 0) &&
    bind(S, pack_sockaddr_un(q(sock))) || die"'

odd()
{
	printf '%s\n' fifo dir tofifo self tozero todir deep/fifo sock \
	    fifo/x sock/x /dev/zero /dev/full /dev/tty /dev/ptmx /dev/random \
	    /dev/pts/ptmx /dev/stdin /dev/fd/0 /dev/shm /proc/kmsg \
	    /proc/self/mem /proc/self/pagemap /proc/sysrq-trigger
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "nothing odd holds up who places a file"; then
		session
		in_session "$ODD" "{user: \"$INSIDE\"}"
		expect_json '.exit_code == 0'
		began=$(now)
		odd | jq -Rc --arg path "/sessions/$id/run" \
		    --arg user "$INSIDE" '{path: $path, body: {
		    command: "true", user: $user, cwd: "/tmp/odd", wall: 5000,
		    files: [{path: ., content: "x"}]}}' | send_all 1
		expect_each '.code == 422'
		# One that waits would do so until the limit.
		expect_took 15000
		in_session 'cd /tmp/odd && ls -F && cat real'
		expect_json '.stdout | endswith("real\n") and
		    contains("fifo|") and contains("sock=")'
		forget
	fi

	if attackcase "nothing odd is collected, or holds up who collects"; then
		session
		in_session "$ODD" "{user: \"$INSIDE\"}"
		began=$(now)
		# A writer that has the FIFO open would be one to wait for.
		in_session 'exec 3<>fifo; echo data >&3; exit 0' "$(odd |
		    jq -Rn --arg user "$INSIDE" '{user: $user, wall: 5000,
		    cwd: "/tmp/odd", collect: ([inputs] + ["real"])}')"
		expect_took 10000
		expect_code 200
		expect_json '[.files[].path] == ["real"] and .reason == "exit"'
		forget
	fi

	if attackcase "nothing odd is a directory to start in"; then
		session
		in_session "$ODD" "{user: \"$INSIDE\"}"
		began=$(now)
		odd | grep -vx -e dir -e todir -e /dev/shm |
		    sed 's|^[^/]|/tmp/odd/&|' |
		    jq -Rc --arg path "/sessions/$id" '{path: ($path + "/run"),
		    body: {command: "true", cwd: ., wall: 5000}},
		    {path: ($path + "/cwd"), body: {cwd: .}}' | send_all 1
		expect_each '.code == 422'
		expect_took 20000
		forget
	fi
done
http_look_back
t_done
