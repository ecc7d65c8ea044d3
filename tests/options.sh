#!/bin/bash
# Environment, directory, user and network of a command: mayfly(1).
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

STANDARD_PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

if testcase "nothing of the caller's environment is inside"; then
	SECRET=marker LD_PRELOAD='' LANG=C.UTF-8 run -- env
	expect_status 0
	check "out is not HOME and PATH alone" \
	    cmp <(sort out) <(printf 'HOME=/root\nPATH=%s\n' "$STANDARD_PATH")
fi

if testcase "HOME is /home for any user but 0"; then
	run --user 1000 -- env
	expect_status 0
	check "out is not HOME and PATH alone" \
	    cmp <(sort out) <(printf 'HOME=/home\nPATH=%s\n' "$STANDARD_PATH")
fi

if testcase "variables are set as given, and the last value counts"; then
	run --env A=1 --env 'B=x y=z' --env C= --env A=2 --env 'É=ö' -- env
	expect_status 0
	check "A" grep -qx 'A=2' out
	check "B" grep -qx 'B=x y=z' out
	check "C" grep -qx 'C=' out
	check "É" grep -qx 'É=ö' out
	check "A is there twice" test "$(grep -c '^A=' out)" = 1
fi

if testcase "HOME and PATH can be given"; then
	run --env HOME=/tmp --env PATH=/bin -- env
	expect_status 0
	check "out is not what was given" \
	    cmp <(sort out) <(printf 'HOME=/tmp\nPATH=/bin\n')
fi

if testcase "a command is looked for in the PATH it is given"; then
	mkdir tools
	printf '#!/bin/sh\necho mine\n' >tools/mine
	chmod 755 tools tools/mine
	run --ro-bind "$PWD/tools:/tools" --env PATH=/tools:/usr/bin -- mine
	expect_status 0
	expect_out mine
	run --env PATH=/nowhere -- true
	expect_status 127
fi

if testcase "PATH inside says nothing of where mayfly looks outside"; then
	mkdir bin
	printf '#!/bin/sh\necho outside\n' >bin/outside
	chmod 755 bin bin/outside
	PATH=$PWD/bin:$PATH run -- outside
	expect_status 127
fi

if testcase "2,000 variables and 100 KB of a value arrive"; then
	options=()
	for i in {1..2000}; do options+=(--env "V$i=$i"); done
	run "${options[@]}" --env "BIG=$(printf '%0100000d' 7)" -- \
	    perl -e 'print scalar(keys %ENV), " ", length $ENV{BIG}, "\n"'
	expect_status 0
	expect_out "2003 100000"
fi

if testcase "the directory is / unless --cwd says otherwise"; then
	run -- pwd
	expect_out /
	run --cwd /tmp -- pwd
	expect_out /tmp
	run --cwd /usr/bin/.. -- sh -c 'pwd -P'
	expect_out /usr
	run --cwd /usr/bin -- ./env true
	expect_status 0
fi

if testcase "a directory that does not exist is an error with its name"; then
	run --cwd /no/such/dir -- echo started
	expect_status 125
	expect_no_out
	expect_err_has 'cwd|/no/such/dir'
	run --cwd /etc/passwd -- echo started
	expect_status 125
	expect_no_out
fi

if testcase "an empty directory is an error"; then
	run --cwd '' -- echo started
	expect_status 64 125
	expect_no_out
	expect_err_has cwd
fi

if testcase "the directory cannot lead out of the sandbox"; then
	for dir in /proc/self/fd/7 /proc/self/fd/10 /proc/1/root \
	    /proc/1/cwd ../../.. /tmp/../../..; do
		# The host has it below its root, the sandbox has not.
		run --cwd "$dir" -- sh -c 'pwd; ls -d var/log'
		[[ $status == 64 || $status == 125 ]] && continue
		expect_out_has '^/'
		expect_out_lacks 'unreachable|log'
	done
fi

if testcase "the image is host, and an unknown one is an error by name"; then
	run --image host -- echo hi
	expect_status 0
	expect_out hi
	run --image no-such-image -- echo started
	check_not "it ran" test "$status" -eq 0
	expect_no_out
	expect_err_has no-such-image
fi

if testcase "an image name cannot be a path"; then
	for name in .. . / ../host host/../host /usr '' 'a b' HOST; do
		run --image "$name" -- echo started
		[[ $status == 64 || $status == 125 ]] ||
		    fail "--image '$name' gave $status"
		expect_no_out
	done
fi

# Prints the families of which a socket can be made.
FAMILIES='use Socket;
	for ([unix => 1], [inet => 2], [inet6 => 10], [netlink => 16]) {
		for $type (1, 2, 3) {
			socket(S, $_->[1], $type, 0) and $n{$_->[0]} = 1;
		}
	} print join(" ", sort keys %n), "\n"'

if testcase "--network off allows no sockets at all"; then
	run --network off -- perl -e "$FAMILIES"
	expect_status 0
	expect_out ""
	# Pairs lead nowhere, unless they can be given a name.
	run --network off -- perl -e 'use Socket;
	    for $type (1, 5, 2) {
		socketpair(A, B, 1, $type, 0) or print "$type: $!\n" and next;
		bind(A, pack_sockaddr_un("\0name")) and print "bound\n";
		connect(A, pack_sockaddr_un("\0name")) and print "connected\n";
		listen(A, 1) and print "listens\n";
		$type == 1 and send(A, "to", 0, pack_sockaddr_un("\0x")) and
		    print "sent\n";
		syswrite A, "x"; sysread(B, $got, 1); print "$type: $got\n";
	    }'
	expect_status 0
	expect_out $'1: x\n5: x\n2: Socket type not supported'
fi

if testcase "--network none is the default and has local sockets"; then
	run -- perl -e "$FAMILIES"
	expect_out_has '^inet inet6 (netlink )?unix$'
	run --network none -- perl -e "$FAMILIES"
	expect_out_has '^inet inet6 (netlink )?unix$'
fi

if testcase "--json keeps mayfly's stdout free of anything else"; then
	run --json -- sh -c 'echo out; echo err >&2'
	expect_no_err
	check "out is not JSON" jq -e . out
fi

t_done
