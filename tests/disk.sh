#!/bin/bash
# A session holds no more on disk than it may where there are no quotas.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"
# shellcheck source=tests/disks.sh
. "$T_TREE/tests/disks.sh"

# KB, and inodes with --inodes, that the session holds.
held()
{
	du -sc "${@:--k}" "$STATE/sessions/$id"/{upper,work} | tail -n 1 |
	    cut -f 1
}

# fill WHAT PROGRAM: until the run is ended; says by how much it was too late.
fill()
{
	local kb inodes

	create
	inside --json --session_disk 8192 --time 60000 --fsize 1000000 \
	    --nofile 60 -- perl -e "$2"
	expect_status 124
	expect_json '.reason == "disk" and .exit_code == null and
	    .signal == 9 and .enforced.session_disk == "sampled"'
	expect_err_has "^mayfly: disk: the limit of 8192 KB .* was reached\$"
	kb=$(held) inodes=$(held --inodes)
	((kb > 8192 || inodes > 1024)) || fail "$1: only $kb KB, $inodes files"
	# What a disk takes in some 20 ms; a second and more where others compute.
	((kb < 8192 + 1048576 && inodes < 1024 + 131072)) ||
	    fail "$1: $kb KB and $inodes files are there"
	[[ -z ${T_TIMES:-} ]] || echo "# $1: $kb KB of 8192, $inodes of 1024"
	inside --session_disk 8192 -- true
	expect_status 125
	expect_err_has '^mayfly: limits: session_disk: the session holds more'
	delete
}

if testcase "a session that holds too much is ended, whatever fills it" &&
    disk 512M -N 60000; then
	fill bytes 'open F, ">", "/f"; 1 while syswrite F, "x" x 65536'
	fill "empty files" 'while (1) { open F, ">", "/tmp/" . $i++ }'
	fill "files of a byte" 'while (1) {
	    open F, ">", "/tmp/" . $i++; syswrite F, "x" }'
	fill directories 'while (1) { mkdir "/tmp/" . $i++ }'
	fill "nested directories" 'chdir "/tmp";
	    while (1) { mkdir "d"; chdir "d" }'
	fill links 'while (1) { symlink "x" x 4000, "/tmp/" . $i++ }'
	# fsetxattr(2), a block each
	fill attributes 'while (1) { open F, ">", "/tmp/" . $i++;
	    $v = "x" x 3000; $n = "user.x";
	    syscall(190, fileno F, $n, $v, length $v, 0) }'
	fill "many writers" 'for (1 .. 8) { fork or last }
	    open F, ">", "/tmp/$$"; 1 while syswrite F, "x" x 65536'
	expect_clean
	no_disk
fi

if testcase "a file without a name counts while it is open" && disk 512M; then
	create
	inside --json --session_disk 8192 --time 60000 --fsize 1000000 -- \
	    perl -e 'open F, ">", "/f"; unlink "/f";
	    1 while syswrite F, "x" x 65536'
	expect_json '.reason == "disk"'
	inside --json --session_disk 8192 --time 60000 -- perl -e '
	    for (1 .. 100) { open F, ">", "/f"; unlink "/f";
		syswrite F, "x" x 4000000; close F }'
	expect_json '.reason == "exit" and .exit_code == 0'
	delete
	expect_clean
	no_disk
fi

if testcase "what is hidden from counting ends where the disk is nearly full" &&
    disk 256M; then
	create
	# MAP_SHARED, and no descriptor: only the file system knows.
	MAYFLY_MIN_FREE=131072 t_as "$MAYFLY" session run "$id" --json \
	    --session_disk 8192 --time 60000 --fsize 1000000 --mem 4000000 -- \
	    perl -e 'for (1 .. 200) {
		open F, "+>", "/f"; unlink "/f"; syswrite F, "x" x 1000000;
		syscall(9, 0, 4096, 3, 1, fileno F, 0); close F;
		select undef, undef, undef, 0.01 } sleep 60' </dev/null >out 2>err
	status=$?
	expect_status 124
	expect_json '.reason == "disk" and .usage.wall_ms < 20000'
	delete
	expect_clean
	no_disk
fi

if testcase "what takes no space is not counted, and what was removed" &&
    disk 256M; then
	create
	inside --json --session_disk 8192 --fsize 1000000 -- perl -e '
	    open F, ">", "/f"; truncate F, 900 << 20;
	    for (1 .. 20) { open G, ">", "/g"; syswrite G, "x" x 4000000 }
	    for (1 .. 500) { link "/g", "/g$_" }'
	expect_json '.reason == "exit" and .exit_code == 0'
	# fallocate(2) would fill any disk between two looks.
	inside --json --session_disk 8192 --fsize 1000000 -- perl -e '
	    open F, ">", "/h";
	    print syscall(285, fileno F, 0, 0, 100 << 20), $!{EOPNOTSUPP} > 0'
	expect_json '.reason == "exit" and .stdout == "-11"'
	delete
	expect_clean
	no_disk
fi

if testcase "a run that writes too much and ends at once has the reason disk" &&
    disk 256M; then
	create
	inside --json --session_disk 8192 --fsize 1000000 -- perl -e '
	    open F, ">", "/f"; syswrite F, "x" x 20000000; exit 3'
	expect_status 124
	expect_json '.reason == "disk" and .exit_code == null'
	inside --session_disk 8192 -- true
	expect_status 125
	session cwd "$id" /tmp
	expect_status 0
	inside --session_disk 65536 -- rm /f
	expect_status 0
	inside --session_disk 8192 -- true
	expect_status 0
	delete
	expect_clean
	no_disk
fi

if testcase "what others write at the same time is not held against it" &&
    disk 512M; then
	create
	spawn session run "$id" --json --session_disk 8192 -- sh -c '
	    echo up; sleep 2; echo x >/f' </dev/null
	await "it runs" test -s "$STATE/sessions/$id/lock"
	for i in 1 2 3 4 5 6; do
		head -c 30000000 /dev/zero >"$DISK/other$i"
		sleep 0.1
	done
	finish
	expect_status 0
	expect_json '.reason == "exit" and .stdout == "up\n"'
	inside --session_disk 8192 -- cat /f
	expect_out x
	delete
	expect_clean
	no_disk
fi

if testcase "after a run that was killed the session is counted anew" &&
    disk 256M; then
	create
	inside --session_disk 8192 -- true
	spawn session run "$id" --session_disk 100000 --fsize 1000000 -- perl -e '
	    $| = 1; open F, ">", "/f"; syswrite F, "x" x 20000000;
	    print "written\n"; sleep 60' </dev/null
	await "it has written" grep -q written out
	kill -KILL "$pid"
	finish
	poll 100 t_as "$MAYFLY" session run "$id" --session_disk 100000 -- true \
	    </dev/null
	inside --session_disk 8192 -- true
	expect_status 125
	expect_err_has '^mayfly: limits: session_disk: '
	delete
	expect_clean
	no_disk
fi

t_done
