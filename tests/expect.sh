# shellcheck shell=bash
#
# The verbs of a case: run mayfly, and say what must have come of it. Part of
# the harness, sourced by t.sh.
#
# shellcheck disable=SC2154 # the topic sets id

# A command as the user of this flavour.
t_as()
{
	"${T_AS[@]}" "$@"
}

# mayfly itself, streams as the caller has set them. It is ended after
# T_PATIENCE seconds, which fails the case.
mayfly()
{
	local began=$SECONDS code

	t_as timeout -s KILL "$T_PATIENCE" "$MAYFLY" "$@"
	code=$?
	if ((SECONDS - began >= T_PATIENCE)); then
		fail "mayfly $1 did not end in $T_PATIENCE seconds"
	fi
	return "$code"
}

# `mayfly run` with nothing to read; leaves the files out and err, and status.
run()
{
	mayfly run "$@" </dev/null >out 2>err
	status=$?
}

# mayfly in the background, reading what the caller has put on stdin; sets
# pid. Bash starts such commands with SIGINT ignored. Descriptor 9 is where
# cases hold the other end of a pipe, which then is theirs alone.
spawn()
{
	# What the run before has left in it is not waited for.
	: >out
	: >err
	"${T_AS[@]}" env --default-signal=INT,QUIT "$MAYFLY" "$@" \
	    <&0 >out 2>err 9>&- &
	pid=$!
}

# Waits for what spawn started; sets status.
finish()
{
	if ! poll 600 ended; then
		fail "mayfly did not end in 30 seconds"
		kill -KILL "$pid" 2>/dev/null
	fi
	wait "$pid"
	status=$?
}

# A run that has the session `id` until release_session writes a file there.
hold_session()
{
	mkfifo in
	exec 9<>in
	spawn session run "$id" -- sh -c 'echo up; read x; echo end >/root/f' \
	    <in
	await "it runs" grep -q up out
}

release_session()
{
	echo >&9
	finish
	exec 9>&-
}

# Meanwhile this is waited for, and then refused: expect_busy VERB
expect_busy()
{
	MAYFLY_SESSION_WAIT=300 t_as "$MAYFLY" session "$1" "$id" </dev/null \
	    >out2 2>err2
	check "$1: not refused" test $? = 125
	check "$1: not as busy" grep -q "$id is busy$" err2
}

ended()
{
	! kill -0 "$pid" 2>/dev/null
}

# Tries a command up to COUNT times, 50 ms apart, until it succeeds.
poll()
{
	local tries=$1

	shift
	until "$@" >/dev/null 2>&1; do
		((tries-- > 0)) || return 1
		sleep 0.05
	done
}

# Waits until a command succeeds, at most a sixth of T_PATIENCE.
await()
{
	local what=$1

	shift
	poll $((200 * T_PATIENCE / 60)) "$@" && return
	fail "waited in vain: $what"
	return 1
}

expect_status()
{
	local want IFS='/'

	for want; do
		[[ $status == "$want" ]] && return
	done
	fail "status is $status, not $*"
}

# The file out is exactly this text and a newline.
expect_out()
{
	printf '%s\n' "$1" | cmp -s - out && return
	fail "out is not exactly '$1'"
}

expect_no_out()
{
	[[ ! -s out ]] || fail "out is not empty"
}

expect_out_has()
{
	grep -qaE -e "$1" out || fail "out does not have /$1/"
}

expect_out_lacks()
{
	! grep -qaE -e "$1" out || fail "out has /$1/"
}

expect_err_has()
{
	grep -qaE -e "$1" err || fail "err does not have /$1/"
}

expect_no_err()
{
	[[ ! -s err ]] || fail "err is not empty"
}

# A jq expression that must be true of out, or another file, which is exactly
# one JSON text.
expect_json()
{
	jq -es "length == 1 and (.[0] | ($1))" "${2:-out}" \
	    >/dev/null 2>&1 || fail "the JSON does not satisfy $1"
}

# A command that must succeed, whatever it prints.
check()
{
	local what=$1

	shift
	"$@" >/dev/null 2>&1 || fail "$what"
}

check_not()
{
	local what=$1

	shift
	! "$@" >/dev/null 2>&1 || fail "$what"
}

# Is masking parts of /proc to any effect? Not where another procfs is in the
# mount namespace, out of reach, below the root that systemd-nspawn has moved
# over the one it came from: then one can be mounted with no /proc in sight.
masks_count()
{
	local number=165

	[[ $(uname -m) == x86_64 ]] || number=40
	# shellcheck disable=SC2016 # it is perl
	! unshare --mount sh -c 'while umount -l /proc; do :; done
	    exec unshare --user --mount --pid --fork --keep-caps perl -e "$1" \
	    "$2"' sh '($n, $p, $at) = (shift() + 0, "proc", "/proc");
	    exit(syscall($n, $p, $at, $p, 0, 0) != 0)' "$number" 2>/dev/null
}

# Does the host have this program where the sandbox will find it?
have()
{
	local dir

	for dir in /usr/local/sbin /usr/local/bin /usr/sbin /usr/bin; do
		[[ -x $dir/$1 ]] && return
	done
	return 1
}
