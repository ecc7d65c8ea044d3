#!/bin/bash
# A12: core_pattern, modprobe, sysrq and other knobs, and the core limit.
# as: root user subuid
#
# ATTACK_CORE_PATTERN=1 lets it install a core handler on the host for a
# moment: only for a machine of its own.

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A12

KNOBS='/proc/sys/kernel/core_pattern /proc/sys/kernel/core_uses_pid
    /proc/sys/kernel/modprobe /proc/sys/kernel/sysrq /proc/sys/kernel/panic
    /proc/sys/kernel/printk /proc/sys/kernel/ns_last_pid
    /proc/sys/kernel/hostname /proc/sys/kernel/domainname
    /proc/sys/kernel/shmmax /proc/sys/kernel/keys/maxkeys
    /proc/sys/vm/overcommit_memory /proc/sys/vm/drop_caches
    /proc/sys/fs/suid_dumpable /proc/sys/fs/protected_symlinks
    /proc/sys/fs/binfmt_misc/register /proc/sys/net/ipv4/ip_forward
    /proc/sys/user/max_user_namespaces /proc/sysrq-trigger
    /proc/irq/default_smp_affinity /proc/mtrr /proc/timer_stats
    /proc/acpi/wakeup /sys/kernel/uevent_helper /sys/power/state
    /sys/kernel/mm/ksm/run'

for INSIDE in $ATTACK_UIDS; do
	if attackcase "no knob of the kernel can be turned, nor the core limit"
	then
		before=$(sysctl kernel.core_pattern kernel.sysrq 2>&1)
		attack a12_kernel
		expect_contained <<-END
			$(for name in $KNOBS; do
				echo "$name: out of reach"
			done)
			oom_score_adj -1000: EACCES
			core limit $CORE
			prlimit64 to 0: EPERM
			prlimit64 to 0 softly: EPERM
			prlimit64 to infinity: EPERM
			prlimit64 by pid: EPERM
			prlimit64 + 1<<32: EPERM
			setrlimit to 0: EPERM
			setrlimit + 1<<32: EPERM
			core limit $CORE
		END
		[[ $before == \
		    "$(sysctl kernel.core_pattern kernel.sysrq 2>&1)" ]] ||
		    fail "a knob of the host has turned"
	fi

	if [[ -n ${ATTACK_CORE_PATTERN:-} ]] &&
	    attackcase "a crash does not start the host's core handler" &&
	    needs_root; then
		before=$(</proc/sys/kernel/core_pattern)
		printf '#!/bin/sh\ncat >%q\n' "$PWD/dump" >"$T_ROOT/handler"
		chmod 0755 "$T_ROOT/handler"
		echo "|$T_ROOT/handler" >/proc/sys/kernel/core_pattern
		attack a12_kernel crash
		sleep 1
		echo "$before" >/proc/sys/kernel/core_pattern
		expect_status 139
		check "the handler was not started" test ! -e dump
	fi
done
t_done
