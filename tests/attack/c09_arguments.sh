#!/bin/bash
# C9: large arguments and environments, at the kernel's limits and beyond.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C9

# A string of that many bytes.
long()
{
	head -c "$1" /dev/zero | tr '\0' x
}

# PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
PATH_LENGTH=65

for INSIDE in $ATTACK_UIDS; do
	if attackcase "131,071 bytes of argument pass"; then
		attack c09_arguments "$(long 131071)"
		expect_contained <<-END
			arguments 1 131071
			variables 2 $PATH_LENGTH
		END
	fi

	if attackcase "5,000 arguments pass"; then
		# shellcheck disable=SC2046
		attack c09_arguments $(count 1 5000)
		expect_contained <<-END
			arguments 5000 4
			variables 2 $PATH_LENGTH
		END
	fi

	if attackcase "a variable of 131,071 bytes passes"; then
		OPTIONS=(--env "A=$(long 131000)")
		attack c09_arguments
		expect_contained <<-END
			arguments 0 0
			variables 3 131002
		END
	fi

	if attackcase "more than the kernel takes is 126 and no crash"; then
		# The stack limit bounds the sum: a quarter of it.
		OPTIONS=(--stack 512)
		many=()
		for i in {1..20}; do
			many+=("$(long 20000)$i")
		done
		attack c09_arguments "${many[@]}"
		expect_status 126
		expect_no_out
		OPTIONS=(--stack 512)
		for i in {1..20}; do
			OPTIONS+=(--env "V$i=${many[i - 1]}")
		done
		attack c09_arguments
		expect_status 126
		expect_no_out
	fi
done
t_done
