#!/bin/bash
# A7: setuid and setgid programs and file capabilities.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A7

# The capabilities that root inside has in its own namespace: CHOWN,
# DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID.
caps_inside()
{
	if ((INSIDE == 0)); then
		echo 00000000000000fb
	else
		echo 0000000000000000
	fi
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "set-id programs and file capabilities give nothing" &&
	    needs_root; then
		mkdir -m 0755 tree
		program a07_setuid
		for mode in 4755 2755 6755; do
			install -m "$mode" "$ATTACK/a07_setuid" "tree/$mode"
		done
		install -m 0755 "$ATTACK/a07_setuid" tree/caps
		setcap cap_setuid,cap_sys_admin,cap_dac_override+ep tree/caps ||
		    skip "no file capabilities here"
		OPTIONS=(--ro-bind "$PWD/tree:/attack-it")
		attack a07_setuid /attack-it/{4755,2755,6755,caps}
		expect_contained <<-END
			$(for _ in {1..4}; do
				echo "euid $INSIDE egid $INSIDE"
				printf 'CapPrm:\t%s\n' "$(caps_inside)"
				printf 'CapEff:\t%s\n' "$(caps_inside)"
			done)
			clear no_new_privs: EINVAL
			no_new_privs 1
		END
	fi

	if attackcase "nor does one in a directory bound for writing" &&
	    needs_root; then
		shared_dir tree
		program a07_setuid
		install -m 0755 "$ATTACK/a07_setuid" tree/setuid
		chown "$(owner_outside)" tree/setuid
		chmod 4755 tree/setuid
		OPTIONS=(--bind "$PWD/tree:/attack-it")
		attack a07_setuid /attack-it/setuid
		expect_contained <<-END
			euid $INSIDE egid $INSIDE
			CapPrm:	$(caps_inside)
			CapEff:	$(caps_inside)
			clear no_new_privs: EINVAL
			no_new_privs 1
		END
	fi
done
t_done
