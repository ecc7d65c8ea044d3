#!/usr/bin/python3
"""Runs that end in every way, while their process ids are given to others.
To be the first process of a PID namespace.

c15_process_ids.py MAYFLY UID [SESSION]		prints what went wrong
"""

import os
import subprocess
import sys
import time

LAST = "/proc/sys/kernel/ns_last_pid"
standing = []


def rewind(number):
    """The next process gets the number after this one that is free."""
    with open(LAST, "w") as file:
        file.write(str(number))


def start(*command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def stand_by(number):
    """Bystanders, in the numbers that a sandbox had just now.

    Numbers do not come round within a tick, in which births are counted.
    """
    time.sleep(0.03)
    rewind(number)
    standing.extend(start("sleep", "60") for _ in range(6))


def leave():
    """How many of them were ended by somebody else."""
    time.sleep(0.2)
    killed = sum(one.poll() is not None for one in standing)
    for one in standing:
        one.kill()
        one.wait()
    standing.clear()
    # What a killed run has left is the first process's to reap.
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass
    return killed


def main(mayfly, uid, session):
    verb = ["session", "run", session] if session else ["run"]
    run = [mayfly, *verb, "--user", uid]
    # Ends by itself, by a limit, by its caller, with its supervisor.
    ways = {
        "exit": (["--", "sh", "-c", "exit 3"], None),
        "wall": (["--wall", "50", "--", "sleep", "60"], None),
        "term": (["--", "sleep", "60"], "terminate"),
        "kill": (["--", "sleep", "60"], "kill"),
    }
    for turn in range(4):
        for name, (words, how) in ways.items():
            number = 5000 + 1000 * (turn % 2)
            rewind(number)
            one = start(*run, *words)
            if how:
                time.sleep(0.02 * (turn + 1))
                getattr(one, how)()
                # Whoever still waits for it has an id of the past.
                if how == "kill":
                    one.wait()
                stand_by(number)
            one.wait()
            stand_by(number)
            if session:
                again = start(mayfly, "session", "run", session, "--", "true")
                if again.wait() != 0:
                    print("%s, turn %d: the session is not free: %d" %
                          (name, turn, again.returncode))
            killed = leave()
            if killed:
                print("%s, turn %d: %d bystanders were killed" %
                      (name, turn, killed))


main(sys.argv[1], sys.argv[2], (sys.argv + [None])[3])
