#!/bin/bash
# A14: system calls with a history, and those that only an administrator needs.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A14

# ENOSYS: a program takes another way. EPERM: it says that it may not.
ABSENT='io_uring_setup io_uring_enter io_uring_register userfaultfd vmsplice
    memfd_secret remap_file_pages name_to_handle_at nfsservctl statmount
    listmount modify_ldt uselib _sysctl create_module get_kernel_syms
    query_module ustat sysfs'

expect_call()
{
	if grep -q "^$1: " out; then
		grep -qx "$1: $2" out ||
		    fail "not $2: $(grep "^$1: " out)"
	elif [[ $(uname -m) == x86_64 ]]; then
		fail "$1 was not tried"
	fi
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "each call is refused in its way"; then
		attack a14_calls
		expect_status 0
		for name in $ABSENT; do
			expect_call "$name" ENOSYS
		done
		for name in process_vm_readv process_vm_writev process_madvise \
		    ptrace kcmp pidfd_getfd bpf perf_event_open syslog \
		    init_module finit_module delete_module kexec_load \
		    kexec_file_load reboot swapon swapoff acct quotactl \
		    quotactl_fd sethostname setdomainname settimeofday \
		    clock_settime vhangup fanotify_init fanotify_mark mbind \
		    set_mempolicy migrate_pages move_pages lookup_dcookie \
		    open_by_handle_at iopl ioperm; do
			expect_call "$name" EPERM
		done
		for name in 0x400000 0x100000 0x440000 0x6; do
			expect_call "personality $name" EPERM
		done
		expect_call 'map page 0' EPERM
		for name in 'a call of the future' 'the largest number' \
		    'minus one'; do
			expect_call "$name" ENOSYS
		done
	fi
done
t_done
