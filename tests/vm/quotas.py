#!/usr/bin/python3
"""How much of what the kernel counts for a user can be had.

quotas.py		prints for each thing how much, and why there is no more;
			all is kept until standard input ends
"""

import ctypes
import errno
import fcntl
import os
import signal
import socket
import sys

libc = ctypes.CDLL(None, use_errno=True)
kept = []
IPC_PRIVATE, IPC_CREAT, SHM_LOCK = 0, 0o1000, 11
F_SETPIPE_SZ = 1031
PAGE = 4096


def call(name, *arguments):
    """A function of libc, which says -1 where it fails."""
    result = getattr(libc, name)(*arguments)
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def pipes():
    """Pages of pipes as long as each of them is as long as it should be."""
    reader, writer = os.pipe()
    kept.append((reader, writer))
    return fcntl.fcntl(writer, F_SETPIPE_SZ, 64 * PAGE) // PAGE


def inotify_instances():
    kept.append(call("inotify_init"))
    return 1


def inotify_watches():
    if not kept:
        kept.append(call("inotify_init"))
    path = "/tmp/%d" % len(kept)
    open(path, "w").close()
    kept.append(call("inotify_add_watch", kept[0], path.encode(), 2))
    return 1


def epoll_watches():
    if not kept:
        kept.append(call("epoll_create1", 0))
    reader, writer = os.pipe()
    kept.append((reader, writer))
    event = ctypes.create_string_buffer(16)
    event[0] = 1
    call("epoll_ctl", kept[0], 1, reader, event)
    return 1


def processes():
    child = os.fork()
    if child == 0:
        signal.pause()
    kept.append(child)
    return 1


def signals():
    """What a process has sent itself and does not take; timers count too."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGRTMIN])
    call("sigqueue", os.getpid(), int(signal.SIGRTMIN), None)
    return 1


def locked():
    """Segments that are locked into memory: pages."""
    segment = call("shmget", IPC_PRIVATE, PAGE, IPC_CREAT | 0o600)
    call("shmctl", segment, SHM_LOCK, None)
    return 1


def queues():
    name = b"/q%d" % len(kept)
    kept.append(call("mq_open", name, os.O_CREAT | os.O_RDWR, 0o600, None))
    return 1


def in_flight():
    """Descriptors that have been sent, and nobody has received."""
    if not kept:
        kept.append(socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM))
        kept[0][0].setblocking(False)
    socket.send_fds(kept[0][0], [b"x"], [0])
    return 1


def keys():
    """add_key(2)"""
    call("syscall", 248, b"user", b"k%d" % len(kept), b"x", 1, -3)
    kept.append(None)
    return 1


def terminals():
    kept.append(os.open("/dev/ptmx", os.O_RDWR | os.O_NOCTTY))
    return 1


# In this order: instances takes what watches needs, processes what others do.
THINGS = [pipes, inotify_watches, inotify_instances, epoll_watches, signals,
          locked, queues, in_flight, keys, terminals, processes]


def take_all(thing):
    n, why = 0, "no end"
    try:
        while n < 100000:
            n += thing()
    except OSError as error:
        why = errno.errorcode[error.errno]
    print(thing.__name__, n, why, flush=True)


for thing in THINGS:
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        take_all(thing)
        os.write(writer, b"x")
        sys.stdin.buffer.read()
        os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
sys.stdin.buffer.read()
