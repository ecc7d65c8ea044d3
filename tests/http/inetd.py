#!/usr/bin/python3
"""Accepts, and starts a program with the connection on its descriptor 0.

inetd.py [-3] HOST:PORT SOCKET COMMAND [ARGUMENT]...

As inetd(8) does with nowait; with -3 descriptors 1 and 2 are the connection
as well, as classic inetd has it, and else those of this process.
"""

import os
import select
import signal
import socket
import sys


def listen(address):
    if "/" in address:
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(address)
        os.chmod(address, 0o666)
    else:
        host, port = address.rsplit(":", 1)
        host = host.strip("[]")
        sock = socket.socket(socket.AF_INET6 if ":" in host
                             else socket.AF_INET)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((host, int(port)))
    sock.listen(512)
    return sock


def serve(arguments):
    all_three = arguments[0] == "-3"
    if all_three:
        arguments = arguments[1:]
    sockets = [listen(address) for address in arguments[:2]]
    command = arguments[2:]
    # Nobody is waited for: the kernel reaps.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        for sock in select.select(sockets, [], [])[0]:
            connection = sock.accept()[0]
            if os.fork() == 0:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for fd in (0, 1, 2) if all_three else (0,):
                    os.dup2(connection.fileno(), fd)
                os.execv(command[0], command)
            connection.close()


serve(sys.argv[1:])
