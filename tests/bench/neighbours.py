#!/usr/bin/python3
"""What a noisy neighbour costs: while a stressor of stress-ng runs in one
sandbox, others ask for health and for runs of their own.

neighbours.py ADDRESS SECONDS [STRESSOR]...	all of the list by default

Prints a table, and fails where a neighbour's request is not answered as it
should be, or something is left when the stressor's client has gone. Latencies
are told, not judged: they depend on the machine.
"""

import glob
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import time

# As `stress-ng --NAME 4`. Those with a / work on a disk: in a session.
STRESSORS = """
    fork vfork vforkmany clone zombie daemon exec forkheavy spawn pthread
    exit-group resources
    vm memfd shm shm-sysv dev-shm mmap mmapmany mlockmany brk malloc stack
    fault tmpfs mremap madvise oom-pipe memthrash
    pipe ring-pipe sock sockmany sockpair sockfd sockabuse udp udp-flood mq msg
    sem-sysv epoll eventfd
    /dentry /dir /dirmany /dirdeep /filename /hdd /sync-file /iomix /fallocate
    /link /flock /lockf /inotify /utime /chmod /getdent /readahead /seek /xattr
    /full /flushcache
    cpu switch cache timerfd signal sigq kill get getrandom sysinfo procfs
    enosys resched schedpolicy nice pty loadavg
""".split()

LIMITS = {"time": 3600000, "mem": 262144, "nproc": 64, "nofile": 1024,
          "disk": 131072, "fsize": 262144}
PATIENCE = 120


class Server:
    def __init__(self, address):
        self.address = address

    def ask(self, method, path, body=None):
        """The answer's text, and the seconds that it took."""
        began = time.monotonic()
        connection = http.client.HTTPConnection(self.address,
                                                timeout=PATIENCE)
        connection.request(method, path,
                           None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read().decode()
        connection.close()
        took = time.monotonic() - began
        if response.status not in (200, 201, 204):
            raise ValueError("%s %s: %d %s" % (method, path, response.status,
                                               text))
        return text, took

    def health(self):
        return self.ask("GET", "/health")[1]

    def run(self):
        text, took = self.ask("POST", "/run", {"command": ["echo", "hi"]})
        if json.loads(text)["stdout"] != "hi\n":
            raise ValueError("a neighbour's run: %s" % text)
        return took

    def measure(self, seconds):
        """Milliseconds of health checks and of runs, for so long."""
        took = ([], [])
        end = time.monotonic() + seconds
        while time.monotonic() < end or len(took[0]) < 5:
            took[0].append(1000 * self.health())
            took[1].append(1000 * self.run())
        return took


def processes():
    """How many there are of host ids that only sandboxes have."""
    n = 0
    for status in glob.glob("/proc/[0-9]*/status"):
        try:
            with open(status) as file:
                uid = [line for line in file if line.startswith("Uid:")]
            n += int(uid[0].split()[1]) >= 1879048192
        except (OSError, IndexError):
            pass
    return n


def namespaces():
    found = set()
    for link in glob.glob("/proc/[0-9]*/ns/*"):
        try:
            found.add(os.readlink(link))
        except OSError:
            pass
    return len(found)


def lines(path):
    try:
        with open(path) as file:
            return len(file.readlines())
    except OSError:
        return 0


def first(path):
    try:
        with open(path) as file:
            return int(file.readline().split()[0])
    except OSError:
        return 0


def counters():
    """What is to be as before. Of the kernel, and of mayfly."""
    return {
        "processes": processes(),
        "namespaces": namespaces(),
        "mounts": lines("/proc/self/mounts"),
        "cgroups": len(glob.glob("/sys/fs/cgroup/**/mayfly-run-*",
                                 recursive=True)),
        "connections": len(glob.glob(
            "/sys/fs/cgroup/mayfly.slice/*/mayfly@*")),
        "segments": lines("/proc/sysvipc/shm"),
        "semaphores": lines("/proc/sysvipc/sem"),
        "terminals": first("/proc/sys/kernel/pty/nr"),
        "contexts": first("/proc/sys/fs/aio-nr"),
        "locks": lines("/proc/locks"),
        "sessions": len(glob.glob("/var/lib/mayfly/sessions/*")),
        "trash": len(glob.glob("/var/lib/mayfly/trash/*")),
    }


def left(before):
    """What is not as before, also after a while, and how long that took. Of a
    session with many files most are left for the reaper, which comes every few
    minutes."""
    began = time.monotonic()
    subprocess.run(["systemctl", "start", "mayfly-reaper.service"], check=True)
    while True:
        now = counters()
        more = ["%s: %d, were %d" % (name, now[name], before[name])
                for name in before if now[name] > before[name]]
        took = time.monotonic() - began
        if not more or took > 30:
            return more, took
        time.sleep(0.02)


class Stressor:
    """A sandbox in which one runs, as its client sees it."""

    def __init__(self, server, name, seconds):
        self.server, self.session = server, None
        path, directory = "/run", "/tmp"
        if name.startswith("/"):
            self.session = json.loads(
                server.ask("POST", "/sessions", {"ttl": 3600})[0])["id"]
            path, directory = "/sessions/%s/run" % self.session, "/root"
        body = dict(LIMITS, wall=1000 * (seconds + 60), cwd=directory,
                    command=["stress-ng", "--" + name.strip("/"), "4",
                             "--temp-path", directory, "--quiet",
                             "--timeout", "%ds" % (seconds + 30)])
        host, port = server.address.rsplit(":", 1)
        self.sock = socket.create_connection((host, int(port)), PATIENCE)
        body = json.dumps(body).encode()
        self.sock.sendall(
            b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n"
            b"Content-Type: application/json\r\n"
            b"Accept: application/x-ndjson\r\n\r\n%s" % (
                path.encode(), len(body), body))
        self.said = b""
        while b'"type":"start"' not in self.said:
            piece = self.sock.recv(65536)
            self.said += piece
            if not piece:
                raise ValueError("the stressor: %r" % self.said)

    def stop(self):
        """Goes away as a client does; says how it had ended by itself."""
        self.sock.setblocking(False)
        try:
            while piece := self.sock.recv(65536):
                self.said += piece
        except BlockingIOError:
            pass
        self.sock.close()
        if self.session:
            self.server.ask("DELETE", "/sessions/" + self.session)
        if os.environ.get("VERBOSE"):
            print(self.said.decode("utf-8", "replace"), file=sys.stderr)
        match = re.search(rb'"type":"exit",.*"exit_code":([^,]*),.*'
                          rb'"reason":"([a-z]*)"', self.said)
        if not match:
            return "runs"
        return " ".join(["ended:", match[2].decode(), match[1].decode()])


def describe(took, idle):
    median = statistics.median(took)
    return "%.1f | %.1f | %.1f" % (median, max(took), median / idle)


def main(address, seconds, *names):
    server, seconds = Server(address), int(seconds)
    server.measure(1)
    before = counters()
    idle = [statistics.median(took) for took in server.measure(seconds)]
    print("While a stressor runs in one sandbox, what others wait for, in ms;"
          " idle %.1f for health and %.1f for a run, on %d CPUs:\n" % (
              idle[0], idle[1], os.cpu_count()))
    print("| stressor | health | worst | factor | run | worst | factor | "
          "it still | all is gone after, s |\n"
          "| --- | --: | --: | --: | --: | --: | --: | --- | --: |")
    failures, factors = [], ([], [])
    for name in names or STRESSORS:
        try:
            stressor = Stressor(server, name, seconds)
            time.sleep(0.3)
            took = server.measure(seconds)
            ended = stressor.stop()
        except (OSError, ValueError, http.client.HTTPException) as error:
            failures.append("%s: %r" % (name, error))
            continue
        more, gone = left(before)
        if more:
            failures.append("%s: left behind: %s" % (name, "; ".join(more)))
        for i in (0, 1):
            factors[i].append(statistics.median(took[i]) / idle[i])
        print("| %s | %s | %s | %s | %.1f |" % (
            name.strip("/"), describe(took[0], idle[0]),
            describe(took[1], idle[1]), ended, gone), flush=True)
    after = [statistics.median(took) for took in server.measure(seconds)]
    if factors[0]:
        print("\nThe highest factors are %.1f for health and %.1f for a run; "
              "afterwards they take %.1f and %.1f ms." % (
                  max(factors[0]), max(factors[1]), after[0], after[1]))
    for failure in failures:
        print("not ok - " + failure)
    return len(failures) > 0


sys.exit(main(*sys.argv[1:]))
