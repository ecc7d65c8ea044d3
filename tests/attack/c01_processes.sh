#!/bin/bash
# C1: fork bombs, thread bombs, vfork and zombies.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C1

WALL=1000
SLACK=${ATTACK_SLACK:-5000}
NPROC=20

# As many as the limit allows, the command among them, and then EAGAIN.
expect_count()
{
	expect_contained <<-END
		$((NPROC - 1)) EAGAIN
	END
}

# Nobody may be left, whatever they ignored and wherever they hid.
expect_nobody()
{
	check_not "processes are left" grep -lqs "^Name:.c01_processes$" \
	    /proc/[0-9]*/status
}

for INSIDE in $ATTACK_UIDS; do
	for how in fork thread vfork zombie; do
		if attackcase "'$how' gets as far as the limit, no further"
		then
			OPTIONS=(--nproc "$NPROC")
			attack c01_processes "$how"
			expect_count
			expect_nobody
		fi
	done

	if ((INSIDE == 0)) &&
	    attackcase "changing the user id gets no further either"; then
		OPTIONS=(--nproc "$NPROC")
		attack c01_processes uids
		expect_status 0
		read -r number _ <out
		((number <= NPROC - 1)) || fail "it had $number processes"
	fi

	for how in bomb threadbomb zombiebomb; do
		if attackcase "a $how ends with its time, and leaves nobody"
		then
			OPTIONS=(--nproc 50 --wall "$WALL" --json)
			began=$(now)
			attack c01_processes "$how"
			expect_took $((WALL + SLACK))
			expect_status 124
			expect_json '.reason | IN("wall", "time")'
			expect_nobody
		fi
	done
done
t_done
