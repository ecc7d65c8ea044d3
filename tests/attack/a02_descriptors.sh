#!/bin/bash
# A2: leaked descriptors and working directories (CVE-2024-21626), an old root
# that is still mounted, and the links of /proc that lead out.
# as: root user subuid
# shellcheck disable=SC2016 # what is in single quotes is for other shells

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A2

# Twenty descriptors of directories, files and sockets, as a careless caller
# would leave them.
LEAKS='
for i in {3..22}; do
	case $((i % 3)) in
	0) eval "exec $i</" ;;
	1) eval "exec $i</etc" ;;
	2) eval "exec $i<>/dev/null" ;;
	esac
done'

expect_nothing_leaked()
{
	expect_contained <<-END
		fd 0: pipe
		openat 0: ENOTDIR
		fd 1: pipe
		openat 1: ENOTDIR
		fd 2: pipe
		openat 2: ENOTDIR
		cwd: /
		/..: the root
		/proc/self/root: the root
		/proc/self/root/..: the root
		/proc/self/cwd/../../..: the root
		/proc/1/root: ENOENT
		chroot: EPERM
		fchdir to the root held: ok
		chdir upwards: ok
		cwd: /
	END
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "nothing of the host is open or within reach"; then
		echo secret >canary
		attack a02_descriptors "$PWD/canary" "$MAYFLY"
		expect_nothing_leaked
	fi

	if attackcase "nothing of 20 descriptors of the caller's is left"; then
		echo secret >canary
		wrapper "$LEAKS"
		MAYFLY=$wrap attack a02_descriptors "$PWD/canary"
		expect_nothing_leaked
	fi

	if attackcase "PID 1 holds no file or directory of the host"; then
		wrapper "$LEAKS"
		MAYFLY=$wrap attack_held x01_pid1 none hold
		for fd in "/proc/$init/fd"/*; do
			[[ -e $fd || -L $fd ]] || continue
			target=$(readlink "$fd")
			case $target in
			pipe:* | socket:* | anon_inode:*) ;;
			# The lock on its range of ids must last as long as it.
			*/ids) [[ $AS == root ]] || fail "fd $fd: $target" ;;
			*) fail "PID 1 has ${fd##*/} open: $target" ;;
			esac
		done
		release
		expect_status 0
	fi

	if attackcase "a directory of PID 1's is no working directory"; then
		wrapper "$LEAKS"
		for fd in {3..30}; do
			OPTIONS=(--cwd "/proc/self/fd/$fd")
			MAYFLY=$wrap attack a02_descriptors
			expect_status 125
			expect_err_has cwd
			expect_no_out
		done
	fi

	if attackcase "nor a way to a program of the host's"; then
		wrapper "$LEAKS"
		printf '#!/bin/sh\necho executed\n' >canary
		chmod 0755 canary
		for fd in {3..30}; do
			MAYFLY=$wrap run --user "$INSIDE:$INSIDE" -- \
			    "/proc/self/fd/$fd$PWD/canary"
			expect_status 126 127
			expect_no_out
			MAYFLY=$wrap run --user "$INSIDE:$INSIDE" \
			    --env "PATH=/proc/self/fd/$fd$PWD" -- canary
			expect_status 126 127
			expect_no_out
		done
	fi

	if attackcase "links of /proc lead to the sandbox's own root"; then
		for dir in /proc/self/root /proc/self/cwd /proc/self/root/.. \
		    /proc/thread-self/root; do
			OPTIONS=(--cwd "$dir")
			attack a02_descriptors "$MAYFLY"
			expect_nothing_leaked
		done
		OPTIONS=(--cwd /proc/1/root)
		attack a02_descriptors
		expect_status 125
	fi

	if attackcase "streams that the caller has closed let nothing in"; then
		wrapper 'exec "$MAYFLY" "$@" 0<&- 1>&- 2>&-'
		MAYFLY=$wrap attack a02_descriptors "$PWD/canary"
		expect_status 0
	fi

	if attackcase "a caller whose directory is gone is no way out"; then
		wrapper 'd=$(mktemp -d) && cd "$d" && rmdir "$d"'
		program=$MAYFLY
		MAYFLY=$wrap attack a02_descriptors "$program"
		expect_nothing_leaked
	fi
done
t_done
