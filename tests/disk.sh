#!/bin/bash
# A session holds no more on disk than it may where there are no quotas, and a
# disk that is full, has no inodes left or cannot be written is told as such.
# as: root user subuid
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

((EUID == 0)) || t_give_up "only root can mount a disk of its own"
DISK=$T_ROOT/disk
export MAYFLY_STATE_DIR=$DISK/state
STATE=$MAYFLY_STATE_DIR
id=''

# disk SIZE [OPTION]...: a file system of that size with the state on it, until
# the end of the case: no_disk.
disk()
{
	truncate -s "$1" "$T_ROOT/image" &&
	    mke2fs -q -F -t ext4 -m 0 "${@:2}" "$T_ROOT/image" >mke2fs 2>&1 &&
	    mkdir -p "$DISK" && mount -o loop "$T_ROOT/image" "$DISK" &&
	    mkdir "$STATE" && chown "$T_UID" "$STATE" && return
	fail "there is no disk: $(<mke2fs)"
	return 1
}

no_disk()
{
	umount "$DISK" || fail "the disk is in use"
	rm -f "$T_ROOT/image"
}

can_mount()
{
	disk 8M && no_disk
} >/dev/null 2>&1

mkdir "$T_ROOT/case"
cd "$T_ROOT/case" || exit 2
can_mount || t_give_up "no disk can be mounted here"
cd / && rm -r "$T_ROOT/case"
t_state=ok

session()
{
	mayfly session "$@" </dev/null >out 2>err
	status=$?
}

create()
{
	session create "${@:---ttl=none}"
	id=$(cat out)
	[[ $status == 0 && $id =~ ^[a-z0-9]{26}$ ]] ||
	    fail "no session was made: $status"
}

inside()
{
	session run "$id" "$@"
}

reap()
{
	mayfly reap </dev/null >out 2>err
	status=$?
}

delete()
{
	session delete "$id"
	expect_status 0
}

expect_clean()
{
	reap
	expect_status 0
	check "something is left" test -z \
	    "$(find "$STATE" -mindepth 2 2>/dev/null)"
}

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
	inside --json --session_disk 8192 -- perl -e '
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

# Takes what is left of the disk, its last block and its last inode.
fill_disk()
{
	dd if=/dev/zero of="$DISK/filler" bs=64k 2>/dev/null
	dd if=/dev/zero of="$DISK/filler.2" bs=512 2>/dev/null
	sync -f "$DISK"
	dd if=/dev/zero of="$DISK/filler.3" bs=512 2>/dev/null
}

fill_inodes()
{
	mkdir "$DISK/many"
	(cd "$DISK/many" && seq 100000 | xargs touch) 2>/dev/null
}

# Names in the trash until its directory has no room for one more.
fill_trash()
{
	local name i

	for ((i = 0; i < 10000; i++)); do
		printf -v name 'filler-%036d' "$i"
		(: >"$STATE/trash/$name") || break
	done 2>/dev/null
	((i < 10000)) || fail "there is room for all names"
}

# What cannot be done is refused with its reason; what is there stays.
expect_refused()
{
	expect_status 125
	expect_err_has "^mayfly: $1: .*$2"
}

if testcase "on a full disk nothing is begun, it is told, and all is deleted" &&
    disk 100M -b 1024 -O ^has_journal; then
	create
	first=$id
	inside -- sh -c 'mkdir /d; for i in 1 2 3 4 5; do echo x >/d/$i; done'
	create
	fill_disk
	session create
	expect_refused state 'only 0 KB are free.*No space left'
	inside -- true
	expect_refused state 'only 0 KB are free.*No space left'
	export MAYFLY_MIN_FREE=0
	session create
	expect_refused state 'No space left'
	inside -- sh -c 'echo x >/f'
	((status != 0)) || fail "a file was written"
	expect_err_has 'No space left'
	session env "$id" A=1
	expect_refused state 'No space left'
	unset MAYFLY_MIN_FREE
	fill_trash
	session delete "$first"
	expect_status 0
	session show "$first"
	expect_status 125
	session show "$id"
	expect_status 0
	rm -f "$STATE"/trash/filler*
	delete
	rm "$DISK"/filler*
	create
	inside -- true
	expect_status 0
	delete
	expect_clean
	no_disk
fi

if testcase "the reaper removes on a full disk as well" &&
    disk 100M -b 1024 -O ^has_journal; then
	for _ in 1 2 3 4 5; do
		create --ttl 1
		inside -- sh -c 'mkdir -p /d/d/d; echo x >/d/d/x'
	done
	fill_disk
	fill_trash
	sleep 2.1
	reap
	expect_status 0
	check "sessions stay" test -z "$(ls "$STATE/sessions")"
	reap
	check "trash stays" test -z "$(ls "$STATE/trash")"
	no_disk
fi

if testcase "a deletion that was broken off on a full disk goes on" &&
    disk 100M; then
	create
	inside -- sh -c 'echo x >/f'
	rm "$STATE/sessions/$id/meta"
	session show "$id"
	expect_status 125
	session list
	expect_no_out
	mayfly reap --dry-run >out 2>err
	expect_out_has "^would remove session $id$"
	reap
	expect_out_has "^removed session $id$"
	expect_clean
	no_disk
fi

if testcase "a session that is used on a full disk does not grow old there" &&
    disk 100M -b 1024; then
	create --ttl 4
	inside -- sh -c 'echo x >/f'
	fill_disk
	for _ in 1 2 3 4; do
		sleep 1.5
		MAYFLY_MIN_FREE=0 t_as "$MAYFLY" session run "$id" -- \
		    sh -c 'cat /f; rm -f /tmp/none' </dev/null >out 2>err ||
		    fail "it was not run: $(<err)"
	done
	reap
	session show "$id"
	expect_status 0
	delete
	expect_clean
	no_disk
fi

if testcase "without inodes nothing is begun, it is told, and all is deleted" &&
    disk 100M -N 4096; then
	create
	inside -- sh -c 'echo x >/f'
	expect_status 0
	fill_inodes
	session create
	expect_refused state 'only 0 inodes are free.*No space left'
	inside -- true
	expect_refused state 'only 0 inodes are free.*No space left'
	export MAYFLY_MIN_FREE=0
	session create
	expect_refused state 'No space left'
	session env "$id" A=1
	expect_refused state 'No space left'
	inside -- cat /f
	if [[ $status != 0 ]]; then
		expect_refused session 'nothing can be written.*No space left'
	fi
	unset MAYFLY_MIN_FREE
	delete
	reap
	expect_status 0
	rm -rf "$DISK/many"
	expect_clean
	no_disk
fi

if testcase "a disk that cannot be written is told, and refuses to delete" &&
    disk 100M; then
	create
	inside -- sh -c 'echo x >/f'
	session create --ttl 1
	sleep 2.1
	poll 100 eval 'mount -o remount,ro "$DISK" 2>/dev/null' ||
	    fail "it cannot be made read-only"
	session create
	expect_refused state 'Read-only file system'
	inside -- cat /f
	expect_refused state 'Read-only file system'
	session env "$id" A=1
	expect_refused state 'Read-only file system'
	session delete "$id"
	expect_refused state 'Read-only file system'
	session show "$id"
	expect_status 0
	session list
	expect_out_has "^$id "
	reap
	expect_status 125
	expect_err_has '^mayfly: reap: .* stays: Read-only file system$'
	mount -o remount,rw "$DISK"
	inside -- cat /f
	expect_out x
	delete
	expect_clean
	no_disk
fi

t_done
