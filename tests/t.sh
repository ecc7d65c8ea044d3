# shellcheck shell=bash
#
# The test harness. A topic sources it, states each promise as a sentence and
# judges it from outside the sandbox:
#
#	if testcase "the exit code is the command's"; then
#		run -- sh -c 'exit 7'
#		expect_status 7
#	fi
#	t_done
#
# Each case starts in an empty directory, which is wiped afterwards, and is
# followed by a leak check (leaks.sh). As root the topic runs in PID, mount, IPC
# and UTS namespaces of its own, so that it sees nothing but its own doing.
#
# Environment:
#	MAYFLY		the program under test (build/mayfly of the tree)
#	AS		root, user: an ordinary uid, or subuid: one with a
#			passwd entry and a range in /etc/subuid
#	CASE		only cases whose sentence matches this pattern
#	MUST_WORK	1: what would be skipped fails
#	T_TIMES		1: with the milliseconds each case took
#	T_UID		the uid of AS=user and AS=subuid
#	T_LEASE		a number below 90 that no topic beside this one has

# The verbs of other files may have brought it along.
[[ -z ${T_TREE:-} ]] || return 0

set -u

# shellcheck source=tests/leaks.sh
. "$(dirname "${BASH_SOURCE[0]}")/leaks.sh"

T_TREE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
MAYFLY=${MAYFLY:-$T_TREE/build/mayfly}
T_UID=${T_UID:-54321}
# Longer than any case takes on a slow machine: only a hang gets there.
T_PATIENCE=${T_PATIENCE:-60}
# Where the sandbox finds it too; what is first in PATH may not be there.
export PYTHON=/usr/bin/python3
# For strace: what is traced cannot look for its leaks itself.
export UNCHECKED=ASAN_OPTIONS=detect_leaks=0
status=0
pid=0
t_passed=0 t_failed=0 t_skipped=0
t_sentence='' t_state='' t_done=''
t_details=()

# Processes the topic leaves running die with its PID namespace.
t_enter_namespaces()
{
	[[ -z ${T_ENTERED:-} ]] || return 0
	export T_ENTERED=1
	((EUID == 0)) || return 0
	if unshare --pid --mount --ipc --uts --fork --mount-proc true \
	    2>/dev/null; then
		exec unshare --pid --mount --ipc --uts --fork --mount-proc \
		    --kill-child bash "$0" "$@"
	fi
}

# Gives the test user a name and a range, as an administrator would.
t_arrange_subuid()
{
	local file

	((EUID == 0)) || return 0
	for file in passwd group subuid subgid; do
		[[ -e /etc/$file ]] || : >"/etc/$file"
		cp "/etc/$file" "$T_ROOT/$file"
	done
	echo "tester:x:$T_UID:$T_UID::$T_ROOT/home:/bin/sh" >>"$T_ROOT/passwd"
	echo "tester:x:$T_UID:" >>"$T_ROOT/group"
	echo "tester:2000027648:65536" | tee -a "$T_ROOT/subuid" \
	    >>"$T_ROOT/subgid"
	for file in passwd group subuid subgid; do
		mount --bind "$T_ROOT/$file" "/etc/$file" || return 1
	done
}

# Sets T_AS, the words before a command that make it the test user's.
t_become()
{
	T_AS=()
	T_RUN_DIRS=(/run/mayfly)
	((EUID == 0)) || AS=${AS:-user}
	AS=${AS:-root}
	export XDG_STATE_HOME=$T_ROOT/state
	unset MAYFLY_STATE_DIR
	case $AS in
	root)
		T_UID=0
		((EUID == 0)) || t_give_up "AS=root needs root"
		export MAYFLY_STATE_DIR=$T_ROOT/state
		T_RUN_DIRS+=("$T_ROOT/state")
		return
		;;
	subuid)
		[[ -n $(type -P newuidmap) ]] ||
		    t_give_up "there is no newuidmap"
		if ((EUID == 0)); then
			t_arrange_subuid ||
			    t_give_up "/etc/subuid cannot be arranged"
		fi
		;;
	user) ;;
	*)
		echo "t.sh: AS=$AS is not root, user or subuid"
		t_done=1
		exit 2
		;;
	esac
	T_RUN_DIRS+=("$T_ROOT/state")
	if ((EUID == 0)); then
		T_AS=(setpriv --reuid "$T_UID" --regid "$T_UID" --clear-groups
		    --inh-caps=-all -- env "HOME=$T_ROOT/home")
		chown "$T_UID:$T_UID" "$T_ROOT/home" "$T_ROOT/state"
	else
		T_UID=$EUID
	fi
}

# Nothing of this topic can be tried here.
t_give_up()
{
	t_done=1
	echo "skip - $(basename "$0" .sh) # $1"
	if [[ ${MUST_WORK:-} == 1 ]]; then
		echo "0 passed, 1 failed, 0 skipped"
		exit 1
	fi
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
}

# A copy of the program that every user can reach, under a name only this
# topic uses: leaks.sh knows our processes by it.
t_install()
{
	if [[ ! -x $MAYFLY ]]; then
		echo "t.sh: $MAYFLY is missing: run make"
		t_done=1
		exit 2
	fi
	mkdir "$T_ROOT/bin"
	install -m 0755 "$MAYFLY" "$T_ROOT/bin/mayfly"
	[[ ! -x $MAYFLY-rootfs ]] ||
	    install -m 0755 "$MAYFLY-rootfs" "$T_ROOT/bin/mayfly-rootfs"
	MAYFLY=$T_ROOT/bin/mayfly
}

t_start()
{
	T_ROOT=$(mktemp -d "${TMPDIR:-/tmp}/mayfly-t.XXXXXX") || exit 2
	chmod 0755 "$T_ROOT"
	mkdir -m 0755 "$T_ROOT/home" "$T_ROOT/state"
	trap t_exit EXIT
	exec 2>>"$T_ROOT/stderr"
	t_install
	t_become
	umask 022
	# sudo lowers it to 0, and then a user cannot have it higher.
	((EUID != 0)) || ulimit -Hc unlimited 2>/dev/null
	if [[ -n ${T_ENTERED:-} ]] && ((EUID == 0 && $$ == 1)); then
		mount -t tmpfs tmpfs /dev/shm
		t_unmount_procs
		echo host-of-the-tests >/proc/sys/kernel/hostname
	fi
}

# Another procfs, such as that of a chroot, would stay unmasked where a case
# masks parts of /proc, and to the kernel one that is whole is enough.
t_unmount_procs()
{
	local path type

	while read -r _ path type _; do
		[[ $type != proc || $path/ == /proc/* ]] ||
		    umount -l "$(printf '%b' "$path")"
	done </proc/mounts
}

# Wipes a directory of ours, and nothing that is mounted below it.
t_wipe()
{
	if grep -qF " $1/" /proc/self/mountinfo &&
	    cut -d ' ' -f 5 /proc/self/mountinfo | grep -qF "$1/"; then
		echo "t.sh: something is mounted below $1: it stays" >&2
		return 1
	fi
	rm -rf --one-file-system "$1"
}

t_exit()
{
	cd /
	if [[ -z $t_done ]]; then
		t_end
		t_complaints
		echo "not ok - $(basename "$0" .sh) ended before its last line"
		echo "$t_passed passed, $((t_failed + 1)) failed," \
		    "$t_skipped skipped"
		t_wipe "$T_ROOT"
		exit 1
	fi
	t_wipe "$T_ROOT"
}

# Begins a case: 0 when it is to be run.
testcase()
{
	t_end
	if [[ -n ${CASE:-} && ! $1 =~ $CASE ]]; then
		return 1
	fi
	if [[ ! -e $T_ROOT/leaks.before ]]; then
		# What the first run creates for all later ones is no leak.
		"${T_AS[@]}" "$MAYFLY" run -- true </dev/null >/dev/null 2>&1
		"${T_AS[@]}" "$MAYFLY" session list >/dev/null 2>&1
		leaks_baseline
	fi
	t_sentence=$1
	t_began=${EPOCHREALTIME/./}
	t_state=ok
	t_details=()
	pid=0
	mkdir "$T_ROOT/case"
	chown "$T_UID" "$T_ROOT/case" 2>/dev/null
	cd "$T_ROOT/case" || exit 2
}

# Ends the case before, if there is one, and prints its line.
t_end()
{
	local new

	[[ -n $t_sentence ]] || return 0
	cd /
	new=$(leaks_new)
	if [[ -n ${T_TIMES:-} ]]; then
		t_sentence+=" ($(((${EPOCHREALTIME/./} - t_began) / 1000)) ms)"
	fi
	if [[ -n $new ]]; then
		fail "it left something behind:"
		detail "$new"
		leaks_baseline
	fi
	! grep -q ': command not found$' "$T_ROOT/stderr" 2>/dev/null ||
	    fail "the topic calls what is not there"
	if [[ $t_state == failed ]]; then
		detail_tail out
		detail_tail err
	fi
	if ! t_wipe "$T_ROOT/case"; then
		fail "its directory cannot be removed"
		mv "$T_ROOT/case" "$T_ROOT/case.$RANDOM"
	fi
	case $t_state in
	ok)
		t_passed=$((t_passed + 1))
		echo "ok - $t_sentence"
		;;
	skipped)
		t_skipped=$((t_skipped + 1))
		echo "skip - $t_sentence # ${t_details[0]}"
		;;
	failed)
		t_failed=$((t_failed + 1))
		echo "not ok - $t_sentence"
		printf '%s\n' "${t_details[@]}" | sed 's/^/\t/
		    40q'
		;;
	esac
	t_complaints
	t_sentence=''
}

# What the shell of the topic itself had to say, which is mostly a mistake in
# the topic; that a process was killed is not worth a line.
t_complaints()
{
	[[ -s $T_ROOT/stderr ]] || return 0
	grep -avE ': line [0-9]+: +[0-9]+ [A-Z]' "$T_ROOT/stderr" |
	    head -n 10 | cat -v | sed 's/^/\tstderr: /'
	: >"$T_ROOT/stderr"
}

t_done()
{
	t_end
	t_done=1
	echo "$t_passed passed, $t_failed failed, $t_skipped skipped"
	((t_failed == 0))
	exit
}

skip()
{
	if [[ ${MUST_WORK:-} == 1 ]]; then
		fail "cannot be tried here: $1"
	elif [[ $t_state == ok ]]; then
		t_state=skipped
		t_details=("$1")
	fi
}

# The rest of a case's condition: skips it unless the command succeeds.
#	if testcase "..." && require "there is no go" have go; then
require()
{
	local reason=$1

	shift
	"$@" && return
	skip "$reason"
	return 1
}

# Is the program what is installed? Sanitizers have memory and calls of their
# own.
is_plain()
{
	! grep -q __asan_init "$MAYFLY"
}

# slowly CALL SECONDS WORD...: mayfly, whose first such call takes so long
slowly()
{
	strace -E "$UNCHECKED" -f -qq -o /dev/null -e "trace=$1" \
	    -e "inject=$1:delay_enter=${2}000000:when=1" "$MAYFLY" "${@:3}"
}

can_delay()
{
	strace -f -qq -o /dev/null -e trace=fsync \
	    -e inject=fsync:delay_enter=1:when=1 true
} >/dev/null 2>&1

# Since Linux 6.6. There files can have more of them than on ext4.
has_tmpfs_attributes()
{
	local there=1

	mkdir tmpfs
	mount -t tmpfs tmpfs tmpfs || return
	"$PYTHON" -c 'import os; os.setxattr("tmpfs", "user.a", b"")' \
	    2>/dev/null && there=0
	umount tmpfs
	rmdir tmpfs
	return "$there"
}

fail()
{
	[[ $t_state == failed ]] || t_details=()
	t_state=failed
	t_details+=("$1")
}

detail()
{
	t_details+=("$1")
}

# The end of a file of the case, so that a failure can be understood.
detail_tail()
{
	local path=$T_ROOT/case/$1

	[[ -s $path ]] || return 0
	detail "$1 ($(stat -c %s "$path") bytes) ends:"
	detail "$(tail -c 1000 "$path" | tail -n 12 | cat -v | sed 's/^/| /')"
}

# shellcheck source=tests/expect.sh
. "$(dirname "${BASH_SOURCE[0]}")/expect.sh"

t_enter_namespaces "$@"
t_start
