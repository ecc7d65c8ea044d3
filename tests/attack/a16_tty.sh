#!/bin/bash
# A16: the terminal: pushing input (CVE-2017-5226), the console's selection
# (CVE-2023-28100), line disciplines (CVE-2017-2636).
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=A16

refusals()
{
	local call

	for call in TIOCSTI TIOCLINUX TIOCSETD; do
		echo "$1 $call: EPERM"
		echo "$1 $call + 1<<32: EPERM"
	done
	echo "$1 TIOCCONS: $2"
	echo "$1 TIOCCONS + 1<<32: $2"
	echo "open /dev/console: ENOENT"
	echo "open /dev/tty0: ENOENT"
}

# The program on a terminal of its caller's: ptyrun says what was pushed there.
on_terminal()
{
	program ptyrun
	wrapper "exec $ATTACK/ptyrun \"\$MAYFLY\" \"\$@\""
	MAYFLY=$wrap attack a16_tty "$@"
	tr -d '\r' <out >plain && mv plain out
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "on a terminal of its own nothing can be pushed"; then
		OPTIONS=(--tty)
		on_terminal own
		expect_contained <<-END
			open /dev/tty: ok
			isatty 111
			$(refusals /dev/tty EPERM)
			unread input of the caller's terminal: 0
		END
	fi

	if attackcase "the caller's terminal is out of reach without --tty"; then
		OPTIONS=(--no-tty)
		on_terminal none
		expect_contained <<-END
			open /dev/tty: ENXIO
			stdin is a terminal: ENOTTY
			session of stdin: ENOTTY
			$(refusals stdin ENOTTY)
			unread input of the caller's terminal: 0
		END
	fi

	if attackcase "nothing is pushed where there is no terminal"; then
		attack a16_tty none
		expect_contained <<-END
			open /dev/tty: ENXIO
			stdin is a terminal: ENOTTY
			session of stdin: ENOTTY
			$(refusals stdin ENOTTY)
		END
	fi
done
t_done
