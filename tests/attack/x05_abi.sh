#!/bin/bash
# X5: system calls by another door: the 32-bit interface and x32.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=X5

# A kernel can be built without the 32-bit interface.
without_int80()
{
	grep -qx 'int 0x80: no such door' out
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "32-bit and x32 calls do not exist" &&
	    { [[ $(uname -m) == x86_64 ]] || skip "x86-64 only"; }; then
		attack x05_abi
		if ! without_int80; then
			expect_contained <<-END
				$(for call in getpid socketcall unshare mount \
				    keyctl chmod setrlimit; do
					echo "int 0x80 $call: ENOSYS"
				done)
				$(for number in {0..6}; do
					echo "x32 $number: ENOSYS"
				done)
				x32 getpid: ENOSYS
				x32 socket: ENOSYS
				x32 rt_sigaction: ENOSYS
			END
		fi
	fi
done
t_done
