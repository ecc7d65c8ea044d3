#!/bin/bash
# C5: descriptors, open and in flight.
# as: root user subuid

# shellcheck source=tests/attack/lib.sh
. "$(dirname "$0")/lib.sh"
ROW=C5

NOFILE=64

files_of_host()
{
	cut -f 1 /proc/sys/fs/file-nr
}

for INSIDE in $ATTACK_UIDS; do
	if attackcase "a process opens as many as its limit"; then
		OPTIONS=(--nofile "$NOFILE")
		attack c05_descriptors open
		expect_contained <<<"$((NOFILE - 3)) EMFILE"
	fi

	if attackcase "the limit cannot be raised"; then
		attack c05_descriptors raise
		expect_contained <<<"0 EPERM"
	fi

	if attackcase "descriptors in flight are bounded by the same limit"
	then
		OPTIONS=(--nofile "$NOFILE")
		before=$(files_of_host)
		attack c05_descriptors flight
		expect_status 0
		expect_out_has '^[0-9]+ (ETOOMANYREFS|EAGAIN|EMFILE)$'
		read -r number _ <out
		((number <= NOFILE + 1)) || fail "$number were in flight"
		check "the host has its files back" \
		    test "$(files_of_host)" -lt $((before + 2000))
	fi

	if attackcase "nor do sockets within sockets hold more"; then
		OPTIONS=(--nofile "$NOFILE")
		attack c05_descriptors nested
		expect_status 0
		read -r number _ <out
		((number <= NOFILE + 2)) || fail "$number were nested"
	fi
done
t_done
