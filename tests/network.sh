#!/bin/bash
# The network of a sandbox: only lo, up, and nothing else.
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

# A server and a client in one process: echoes through HOST and PORT.
ECHO='use IO::Socket::INET;
	$l = IO::Socket::INET->new(Listen => 1, LocalAddr => $ARGV[0],
	    LocalPort => $ARGV[1]) or die "listen: $!\n";
	if (!fork) {
		$c = IO::Socket::INET->new(PeerAddr => $ARGV[0],
		    PeerPort => $l->sockport) or die "connect: $!\n";
		print $c "ping\n"; exit;
	}
	$s = $l->accept or die "accept: $!\n"; print scalar <$s>; wait'

if testcase "lo is the only interface, and it is up"; then
	run -- sh -c 'sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d " "'
	expect_status 0
	expect_out lo
	run -- perl -e "$ECHO" 127.0.0.1 0
	expect_status 0
	expect_out ping
fi

if testcase "all of 127.0.0.0/8 is loopback"; then
	run -- perl -e "$ECHO" 127.9.8.7 0
	expect_status 0
	expect_out ping
fi

if testcase "low ports can be bound, by any user inside"; then
	run -- perl -e "$ECHO" 127.0.0.1 80
	expect_out ping
	run --user 1000 -- perl -e "$ECHO" 127.0.0.1 1
	expect_out ping
fi

if testcase "there is no route anywhere"; then
	run -- sh -c 'sed 1d /proc/net/route'
	expect_status 0
	expect_no_out
	run --wall 10000 -- perl -MIO::Socket::INET -e '
	    IO::Socket::INET->new(PeerAddr => "192.0.2.1", PeerPort => 80)
	    or print "$!\n"'
	expect_status 0
	expect_out "Network is unreachable"
fi

if testcase "names are not looked up on the host"; then
	run --wall 10000 -- getent hosts example.com
	expect_status 2
	run -- getent hosts localhost
	expect_status 0
	expect_out_has '^(127\.0\.0\.1|::1) .*localhost'
fi

if testcase "a server of the host's is not reachable"; then
	mkfifo port
	perl -MIO::Socket::INET -e '$| = 1;
	    $l = IO::Socket::INET->new(Listen => 1,
	    LocalAddr => "127.0.0.1") or exit 1;
	    print $l->sockport, "\n"; $l->accept' >port &
	server=$!
	read -r number <port
	run -- perl -MIO::Socket::INET -e '
	    IO::Socket::INET->new(PeerAddr => "127.0.0.1",
	    PeerPort => shift) and print "connected\n"; print "$!\n"' \
	    "$number"
	kill "$server"
	wait "$server" 2>/dev/null
	expect_out "Connection refused"
fi

if testcase "an abstract socket of the host's is not reachable"; then
	name=mayfly-test-$RANDOM
	perl -MSocket -e 'socket S, 1, 1, 0 or die;
	    bind S, sockaddr_un("\0$ARGV[0]") or die; listen S, 1;
	    open F, ">ready"; close F; sleep 60' "$name" &
	server=$!
	await "the server listens" test -e ready
	run -- perl -MSocket -e 'socket S, 1, 1, 0 or die;
	    connect S, sockaddr_un("\0$ARGV[0]") and print "connected";
	    print "$!\n"' "$name"
	kill "$server"
	wait "$server" 2>/dev/null
	expect_out "Connection refused"
fi

if testcase "two sandboxes cannot reach each other"; then
	mkfifo hold
	exec 9<>hold
	"${T_AS[@]}" "$MAYFLY" run -- perl -MIO::Socket::INET -e '$| = 1;
	    $l = IO::Socket::INET->new(Listen => 1, LocalPort => 4444,
	    LocalAddr => "127.0.0.1") or exit 1;
	    print "up\n"; <STDIN>' <hold >first 2>&1 &
	pid=$!
	await "the first listens" test -s first
	run -- perl -MIO::Socket::INET -e '
	    IO::Socket::INET->new("127.0.0.1:4444") and print "connected";
	    print "$!\n"'
	echo >&9
	finish
	exec 9>&-
	expect_status 0
	expect_out "Connection refused"
fi

if testcase "root inside cannot change the network" &&
    require "there is no ip" have ip; then
	run -- ip link add dummy0 type dummy
	check_not "a link was added" test "$status" -eq 0
	run -- ip link set lo down
	check_not "lo was set down" test "$status" -eq 0
	run -- ip addr add 192.0.2.1/32 dev lo
	check_not "an address was added" test "$status" -eq 0
fi

if [[ $AS == root ]] &&
    testcase "root without CAP_NET_ADMIN has the same network"; then
	# As in a container that has the network of its host.
	less=(setpriv --bounding-set -net_admin --inh-caps -net_admin --
	    "$MAYFLY")
	"${less[@]}" run -- perl -e "$ECHO" 127.0.0.1 80 </dev/null >out 2>err
	status=$?
	expect_status 0
	expect_out ping
	"${less[@]}" run --user 1000 -- sh -c 'sed 1,2d /proc/net/dev |
	    cut -d: -f1 | tr -d " "; sed 1d /proc/net/route
	    cat /proc/sys/net/ipv4/ip_unprivileged_port_start
	    exit 7' </dev/null >out 2>err
	status=$?
	expect_status 7
	expect_out $'lo\n0'
	check_not "lo can be set down" "${less[@]}" run -- ip link set lo down
	check "the doctor says that none can run" "${less[@]}" doctor
fi

t_done
