#!/bin/bash
# C12: connections without end: ports, sockets in their last state and network
# namespaces used up. All of them are the sandbox's own.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C12

namespaces()
{
	readlink /proc/[0-9]*/ns/net | sort -u | wc -l
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "ten thousand connections are the sandbox's own"; then
		began=$(now)
		run --user "$INSIDE" --time 60000 --wall 60000 -- perl -MSocket -e '
		    sub to { pack_sockaddr_in(4000, INADDR_LOOPBACK) }
		    socket(L, AF_INET, SOCK_STREAM, 0) && bind(L, to()) &&
		    listen(L, 64) or die $!;
		    for (1 .. 10000) {
			    socket(C, AF_INET, SOCK_STREAM, 0) or die $!;
			    connect(C, to()) or die "$_ $!";
			    accept(A, L) or die $!; close C; close A;
		    }
		    print "done\n"'
		expect_out 'done'
		expect_took 60000
	fi

	if attackcase "ports that are used up are so for nobody else"; then
		spawn run --user "$INSIDE" --nofile 40000 \
		    --time $((T_PATIENCE * 1000)) \
		    --wall $((T_PATIENCE * 1000)) -- perl -MSocket -e '
		    $| = 1; my @all; my $n = 0;
		    for (1024 .. 65535) {
			    socket(my $s, AF_INET, SOCK_STREAM, 0) or last;
			    bind($s, pack_sockaddr_in($_, INADDR_ANY)) or next;
			    push @all, $s; last if ++$n == 30000;
		    }
		    print "$n\n"; sleep 60' </dev/null
		await "all the ports" grep -q . out
		check "only $(<out) were had" test "$(<out)" -ge 1000
		mayfly run --user "$INSIDE" -- perl -MSocket -e '
		    socket(S, AF_INET, SOCK_STREAM, 0) &&
		    bind(S, pack_sockaddr_in(2000, INADDR_ANY)) && listen(S, 1)
		    or die $!; print "fine\n"' </dev/null >second 2>err
		check "another sandbox has none: $(<err)" grep -q fine second
		check "the host has none" perl -MSocket -e '
		    socket(S, AF_INET, SOCK_STREAM, 0) &&
		    bind(S, pack_sockaddr_in(0, INADDR_LOOPBACK)) or exit 1'
		kill "$pid"
		finish
	fi

	if attackcase "no network namespace outlives its run"; then
		before=$(namespaces)
		for _ in {1..30}; do
			run --user "$INSIDE" -- perl -MSocket -e '
			    socket(S, AF_INET, SOCK_DGRAM, 0);
			    fork for 1 .. 3; sleep 60 if fork == 0'
			expect_status 0
		done
		poll 100 eval '(($(namespaces) <= before))' ||
		    fail "there are $(namespaces), before there were $before"
	fi
done
t_done
