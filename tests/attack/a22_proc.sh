#!/bin/bash
# A22: everything in /proc and /sys that can be written or read.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A22

# The lines of out that no line of a table of patterns matches.
beyond()
{
	grep "^$1 " out | sort -u |
	    grep -vxE -f <(sed '/^#/d; /^$/d' "$ATTACK_DIR/proc.$2") ||
	    true
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "nothing outside the tables opens for writing or reading"
	then
		OPTIONS=(--wall 60000 --time 60000)
		attack a22_proc /proc /proc/self /sys
		expect_status 0
		expect_out_has '^files many$'
		beyond w writable >extra
		[[ ! -s extra ]] || fail "can be written: $(head -n 20 extra)"
		beyond r readable >extra
		[[ ! -s extra ]] || fail "can be read: $(head -n 20 extra)"
	fi
done
t_done
