#!/bin/bash
# A23: the kernel's log, symbols and memory.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A23

for INSIDE in $ATTACK_UIDS; do
	if attackcase "the kernel tells nothing about itself"; then
		attack a23_kernel_log
		expect_contained <<-END
			$(for type in {0..10}; do
				echo "syslog $type: EPERM"
			done)
			$(for name in /dev/kmsg /dev/mem /dev/port /proc/kmsg \
			    /proc/kcore /proc/kallsyms /proc/keys \
			    /proc/key-users /proc/timer_list \
			    /proc/sched_debug /proc/latency_stats \
			    /proc/slabinfo /proc/vmallocinfo \
			    /proc/pagetypeinfo /proc/kpagecount \
			    /proc/kpageflags /proc/kpagecgroup \
			    /proc/config.gz /proc/interrupts /proc/mtrr \
			    /proc/1/stack /proc/self/stack /sys/kernel/notes \
			    /proc/schedstat /proc/dynamic_debug/control \
			    /proc/acpi /proc/asound /proc/scsi /proc/driver \
			    /sys/kernel/debug /sys/firmware /sys/module \
			    /boot; do
				echo "$name: nothing"
			done)
		END
	fi
done
t_done
