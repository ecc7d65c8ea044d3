#!/bin/bash
# X4: the caller's environment: in the sandbox's own, in what can be seen of
# processes, and in the memory of PID 1, which began as a copy of the caller's.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=X4

HALF=mayfly-caller-
PATH_INSIDE=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Does the memory of a process have this text? The function is an argument.
# shellcheck disable=SC2317
memory_has()
{
	local from to modes rest

	while IFS='- ' read -r from to modes rest; do
		[[ $modes == r* && $rest != *'[v'* ]] || continue
		dd if="/proc/$1/mem" bs=4096 skip=$((0x$from / 4096)) \
		    count=$(((0x$to - 0x$from) / 4096)) 2>/dev/null |
		    grep -qaF "$2" && return
	done <"/proc/$1/maps"
	return 1
}

# With AddressSanitizer every process keeps a copy of the environment, which is
# not the program's to wipe, among terabytes of reserved memory.
is_sanitized()
{
	grep -qaF __asan_init "$MAYFLY"
}

for INSIDE in $ATTACK_UIDS; do
	home=/root

	((INSIDE == 0)) || home=/home
	if attackcase "nothing of it is in the command's environment or /proc"
	then
		wrapper "export SECRET=${HALF}secret LD_LIBRARY_PATH=/tmp"
		MAYFLY=$wrap attack x04_environment "$HALF"
		sort -o out out
		expect_contained <<-END
			HOME=$home
			PATH=$PATH_INSIDE
		END
	fi

	if ! is_sanitized &&
	    attackcase "nor in the memory or /proc of PID 1 or the command" &&
	    needs_root; then
		wrapper "export SECRET=${HALF}secret"
		MAYFLY=$wrap attack_held x01_pid1 none hold
		for who in "$init" "$inside"; do
			check "process $who can be looked at" \
			    memory_has "$who" ELF
			check_not "it is in /proc/$who/environ" \
			    grep -qa "${HALF}secret" "/proc/$who/environ"
			check_not "it is in the memory of $who" \
			    memory_has "$who" "${HALF}secret"
		done
		release
		expect_status 0
	fi
done
t_done
