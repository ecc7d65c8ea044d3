#!/usr/bin/python3
"""Makes a store of sessions large: sessions.py DIR COUNT

DIR is that of a store, with one session at the least; copies of that one's
record are made until there are COUNT, each as whole as one that was just made.
"""

import os
import sys

DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def numbered(id_, number):
    """An id as old as that one."""
    text = ""
    for _ in range(14):
        number, digit = divmod(number, 36)
        text = DIGITS[digit] + text
    return id_[:12] + text


def copy(to, record):
    os.mkdir(to, 0o700)
    os.mkdir(to + "/upper", 0o755)
    os.mkdir(to + "/work", 0o700)
    os.mkfifo(to + "/cancel", 0o600)
    for name, data in (("lock", b""), ("meta", record)):
        fd = os.open(f"{to}/{name}", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, data)
        os.close(fd)


def main():
    os.umask(0)
    os.chdir(sys.argv[1] + "/sessions")
    there = os.listdir(".")
    with open(there[0] + "/meta", "rb") as meta:
        record = meta.read()
    old = there[0].encode()
    for number in range(len(there), int(sys.argv[2])):
        id_ = numbered(there[0], number)
        copy(id_, record.replace(old, id_.encode(), 1))


if __name__ == "__main__":
    main()
