#!/bin/bash
# X1: PID 1 of the sandbox: it had more rights than the command, and has the
# command's user id where there is one id for all.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=X1

FILES='mem environ maps smaps auxv cmdline stack syscall wchan personality
    pagemap io status limits fd/0 fdinfo/0 exe cwd/. root/. ns/mnt ns/user
    task/1/mem task/1/environ map_files'
WRITABLE='mem comm oom_score_adj coredump_filter clear_refs uid_map gid_map
    setgroups timens_offsets attr/current sched autogroup loginuid task/1/mem
    task/1/comm'

# What stands in /proc about the sandbox's PID 1 now.
limits_of_init()
{
	cat "/proc/$init/limits"
	cut -d ' ' -f 18,19,40,41 <"/proc/$init/stat"
}

for INSIDE in $ATTACK_UIDS; do
	caps=0000000000000000

	if attackcase "PID 1 cannot be seen, read or written in /proc"; then
		attack x01_pid1 files
		expect_contained <<-END
			$(for name in $FILES; do
				echo "read /proc/1/$name: ENOENT"
			done)
			$(for name in $WRITABLE; do
				echo "write /proc/1/$name: ENOENT"
			done)
		END
	fi

	if attackcase "PID 1 cannot be traced, nor its memory or files taken"
	then
		attack x01_pid1 memory
		expect_contained <<-END
			attach: EPERM
			seize: EPERM
			vm_readv: EPERM
			vm_writev: EPERM
			robust_list: EPERM
			kcmp: EPERM
			move_pages: EPERM
			$(for fd in {0..7}; do
				echo "pidfd_getfd $fd: EPERM"
			done)
			process_madvise: EPERM
			setns: EPERM
		END
	fi

	if attackcase "no signal ends, stops or confuses PID 1"; then
		attack_held x01_pid1 signals hold
		check "PID 1 waits" grep -q '^State:.[SR]' "/proc/$init/status"
		release
		expect_status 0
		expect_text <<-END
			PID 1 lives: ok
			holding
		END
	fi

	if attackcase "the limits of PID 1 cannot be changed"; then
		attack_held x01_pid1 none hold
		before=$(limits_of_init)
		release
		expect_status 0
		attack_held x01_pid1 limits hold
		[[ $(limits_of_init) == "$before" ]] ||
		    fail "they are now: $(limits_of_init)"
		release
		expect_contained <<-END
			$(for number in {0..15}; do
				echo "prlimit64 $number: EPERM"
			done)
			prlimit64 of 1 + 1<<32: EPERM
			holding
		END
	fi

	if attackcase "PID 1 cannot be made to end early, and the verdict a lie"
	then
		OPTIONS=(--json --time 60000)
		attack x01_pid1 starve
		expect_status 7
		expect_json '.reason == "exit" and .exit_code == 7'
	fi

	if attackcase "PID 1 cannot be slowed down"; then
		attack x01_pid1 slow
		expect_contained <<-END
			renice: EPERM
			renice of 1 + 1<<32: EPERM
			renice the user: EPERM
			renice user $INSIDE: EPERM
			SCHED_IDLE: EPERM
			SCHED_IDLE of 1 + 1<<32: EPERM
			sched_setattr: EPERM
			affinity: EPERM
			I/O priority: EPERM
			the user's: EPERM
		END
	fi

	if attackcase "slowing PID 1 down does not keep the run alive"; then
		OPTIONS=(--wall 700)
		attack x01_pid1 slow hold
		expect_status 124
	fi

	if attackcase "PID 1 has the filter, no capability and no way back"
	then
		((INSIDE != 0)) || caps=00000000000000fb
		attack_held x01_pid1 none hold
		for field in CapInh CapPrm CapEff CapAmb; do
			[[ $(status_of "$init" "$field") == 0000000000000000 ]] ||
			    fail "$field: $(status_of "$init" "$field")"
		done
		((0x$(status_of "$init" CapBnd) & ~0x$caps)) &&
		    fail "CapBnd: $(status_of "$init" CapBnd)"
		for field in NoNewPrivs Seccomp Seccomp_filters; do
			[[ $(status_of "$init" "$field") == \
			    "$(status_of "$inside" "$field")" ]] ||
			    fail "$field is not the command's"
		done
		[[ $(status_of "$init" Seccomp) == 2 ]] || fail "no filter"
		[[ $(status_of "$init" NoNewPrivs) == 1 ]] ||
		    fail "new privileges can be had"
		# What belongs to root although it runs as another is not dumpable.
		[[ $(stat -c %u "/proc/$init/mem") == 0 ]] ||
		    fail "PID 1 is dumpable"
		release
		expect_status 0
	fi
done
t_done
