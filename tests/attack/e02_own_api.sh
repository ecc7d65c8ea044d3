#!/bin/bash
# E2: mayfly's own API, asked from inside a sandbox (CVE-2025-9074): over TCP
# on every address there may be, over its UNIX socket, through what the request
# brought along.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=E2

# Tries each address given with a request for sessions, and each path of a
# socket; says what answers.
ASK='use Socket; my $ask = "GET /sessions HTTP/1.1\r\nHost: localhost\r\n\r\n";
    sub ask { my ($what, $family, $to) = @_; my $answer = "";
	socket(S, $family, SOCK_STREAM, 0) && connect(S, $to) or
	    return print "$what: $!\n";
	send(S, $ask, 0x4000); recv(S, $answer, 100, 0);
	print "BREACH $what: $answer\n" }
    for (@ARGV) {
	if (m{/}) { ask($_, AF_UNIX, pack_sockaddr_un($_)) }
	elsif (/:.*:/) { my ($a, $p) = /^(.*),(\d+)$/;
	    ask($_, AF_INET6, pack_sockaddr_in6($p,
		Socket::inet_pton(AF_INET6, $a))) }
	else { my ($a, $p) = split /,/;
	    ask($_, AF_INET, pack_sockaddr_in($p, inet_aton($a))) } }'

for INSIDE in $ATTACK_UIDS; do
	if attackcase "the server does not hear its own sandboxes"; then
		port=${HTTP_TCP##*:}
		for address in 127.0.0.1 127.0.0.2 127.8.0.1 0.0.0.0 10.77.0.1 \
		    255.255.255.255 ::1 :: fd77::1 ::ffff:127.0.0.1; do
			printf '%s\n' "$address,$port" "$address,80"
		done >places
		printf '%s\n' "$HTTP_SOCKET" /run/mayfly/api.sock \
		    "/proc/1/root$HTTP_SOCKET" "/proc/1/cwd/../..$HTTP_SOCKET" \
		    "/proc/self/root/..$HTTP_SOCKET" "/..$HTTP_SOCKET" \
		    >>places
		log_mark
		http GET /health
		expect_code 200
		await "its line" log_has 'path="/health"'
		log_mark
		jq -Rn --arg user "$INSIDE" --arg ask "$ASK" '{user: $user,
		    command: (["perl", "-e", $ask] + [inputs])}' <places \
		    >request
		http POST /run @request
		expect_code 200
		expect_json '.exit_code == 0 and (.stdout | contains("BREACH") |
		    not) and (.stdout | split("\n") | length) == 27'
		# One line in the log: the run's own.
		await "the run's line" log_has 'path="/run"'
		check "somebody was heard: $(log_since | tail -n 1)" \
		    test "$(log_since | grep -c method=)" = 1
	fi

	if attackcase "no stream of a request's leads to the server"; then
		log_mark
		# As if they were the connection.
		http_run 'for f in 0 1 2; do
		    printf "GET /sessions HTTP/1.1\r\nHost: localhost\r\n\r\n" \
			>&$f; done 2>/dev/null
		    ls -l /proc/self/fd | grep -c socket' "{user: \"$INSIDE\"}"
		expect_code 200
		expect_json '.stdout | endswith("\n0\n")'
		await "the run's line" log_has 'path="/run"'
		check "somebody was heard" \
		    test "$(log_since | grep -c method=)" = 1
	fi
done
http_look_back
t_done
