#!/bin/bash
# C11: storms of writes, syncs and small files in one sandbox, while others are
# made, run and removed beside it. A fair share of the disk is not promised;
# that nobody is locked out is.
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/http.sh
. "$(dirname "$0")/http.sh"
ROW=C11

STORM='$SIG{TERM} = "IGNORE"; mkdir "s$_" or die for 1 .. 4;
    for my $n (1 .. 4) { next if fork; chdir "s$n"; my $i = 0;
	while (1) { $i++;
	    if ($n == 1) { open F, ">", "f"; syswrite F, "x" x 65536;
		syscall 74, fileno F }
	    elsif ($n == 2) { open F, ">", "n" . $i % 500; close F;
		unlink "n" . ($i - 250) % 500 }
	    elsif ($n == 3) { open F, ">>", "g"; syswrite F, "y" x 200000;
		truncate F, 0 if $i % 40 == 0 }
	    else { syscall 162; select undef, undef, undef, 0.05 } } }
    print "up\n"; STDOUT->flush; sleep 600'

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a storm on the disk locks nobody out" &&
	    require "the numbers of system calls are those of x86-64" \
	    test "$(uname -m)" = x86_64; then
		session
		stream "/sessions/$id/run" "$(jq -nc --arg user "$INSIDE" \
		    --arg storm "$STORM" '{user: $user, cwd: "/tmp",
		    command: ["perl", "-MIO::Handle", "-e", $storm],
		    time: 6000000, wall: 600000}')"
		await "the storm" grep -q up events
		for _ in 1 2 3 4 5; do
			http GET /health
			check "no answer to a health check" grep -qx OK out
			http_run 'echo fine' '{wall: 60000}'
			expect_json '.stdout == "fine\n"'
		done
		storm=$id
		session
		in_session 'echo x >/root/f; cat /root/f' '{wall: 60000}'
		expect_json '.stdout == "x\n"'
		forget
		http DELETE "/sessions/$storm"
		expect_code 204
		stream_end
		check "it goes on" jq -es '.[-1].reason == "killed"' out
	fi
done
http_look_back
t_done
