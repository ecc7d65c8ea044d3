#!/usr/bin/python3
"""What project quotas of a directory's file system hold and allow.

quota.py DIRECTORY get NUMBER	KB allowed and held, inodes allowed and held
quota.py DIRECTORY used		each number of mayfly's that holds something or
				has limits, with the same
quota.py DIRECTORY limit KB	limits the first 64 numbers
"""

import ctypes
import errno
import os
import struct
import sys

FIRST, NUMBERS = 1879048192, 64
QUOTACTL_FD = 443
# Of projects.
GET, SET, GET_NEXT = [n << 8 | 2 for n in (0x800007, 0x800008, 0x800009)]
BLOCK_AND_INODE_LIMITS = 5

libc = ctypes.CDLL(None, use_errno=True)


def call(fd, command, number, data):
    """Whether there is such a number: XFS has none that was never used."""
    if libc.syscall(QUOTACTL_FD, fd, command, number, data) == 0:
        return True
    if ctypes.get_errno() not in (errno.ENOENT, errno.ESRCH):
        sys.exit(os.strerror(ctypes.get_errno()))
    return False


def get(fd, command, number):
    """The number that it is, and what it has."""
    data = ctypes.create_string_buffer(72)
    found = call(fd, command, number, data)
    quota = struct.unpack("8Q2I", data.raw)
    return quota[9] if found else None, "%d %d %d %d" % (
        quota[0], quota[2] // 1024, quota[3], quota[5])


def main(directory, verb, *words):
    fd = os.open(directory, os.O_RDONLY)
    if verb == "get":
        print(get(fd, GET, int(words[0]))[1])
    elif verb == "limit":
        for number in range(FIRST, FIRST + NUMBERS):
            call(fd, SET, number, struct.pack(
                "8QI4x", int(words[0]), 0, 0, 0, 0, 0, 0, 0,
                BLOCK_AND_INODE_LIMITS))
    else:
        number, has = get(fd, GET_NEXT, FIRST)
        while number is not None:
            if has != "0 0 0 0":
                print(number, has)
            number, has = get(fd, GET_NEXT, number + 1)


main(*sys.argv[1:])
