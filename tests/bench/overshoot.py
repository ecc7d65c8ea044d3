#!/usr/bin/python3
"""By how much a limit can be exceeded, measured: each RUNS times, in turn.

overshoot.py [RUNS [LIMIT]...]

Prints a table, and fails where one that is exact was exceeded at all: what is
counted, and memory that a cgroup holds. What is timed is never judged. The
environment: MAYFLY, the program; WORDS, more of its options.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

MAYFLY = os.environ.get("MAYFLY", "build/mayfly")

SPIN = "1 while 1"
FORK_SPIN = "fork for 1 .. 3; 1 while 1"
# A constant would be made before the program begins.
FILL = '$size = 256 << 20; $x = "a" x $size; sleep 60'
FORK_FILL = 'fork for 1 .. 2; push @x, "a" x (1 << 20) while 1'
COUNT_FORKS = "$n = 1; while (defined($p = fork)) { " \
    "$p or (sleep(60), exit); $n++ } print $n"
COUNT_FILES = "$n = 3; while (open my $f, '<', '/dev/null') { " \
    "push @f, $f; $n++ } print $n"
BIGGEST = "$SIG{XFSZ} = 'IGNORE'; open F, '>', '/tmp/f'; " \
    "1 while syswrite F, 'x' x 1000; print -s '/tmp/f'"
# Each in files of its own, since one more may be no longer than fsize.
ALL_FILES = "for $n (1 .. 9999) { open F, '>', \"/tmp/$n\" or last; " \
    "$sum += $w while $w = syswrite F, 'x' x 4096, 4096 } print $sum"
FILL_SESSION = "open F, '>', '/f'; 1 while syswrite F, 'x' x 65536"
PRINT = "$| = 1; print 'x' x 997 while 1"

Case = collections.namedtuple(
    "Case", "limit value unit command more used exact")


def usage(name):
    return lambda result: result["usage"][name]


def printed(result):
    return int(result["stdout"])


def in_kb(result):
    return -(-int(result["stdout"]) // 1024)


def share(result):
    """Of a CPU, in percent."""
    return 100 * result["usage"]["cpu_ms"] / result["usage"]["wall_ms"]


CASES = [
    Case("time", "200", "ms", SPIN, [], usage("cpu_ms"), False),
    Case("time", "200", "ms, eight processes", FORK_SPIN, [],
         usage("cpu_ms"), False),
    Case("wall", "200", "ms", "sleep 60", [], usage("wall_ms"), False),
    Case("wall", "200", "ms, eight processes", FORK_SPIN, [],
         usage("wall_ms"), False),
    Case("mem", "32768", "KB", FILL, [], usage("memory_kb"), True),
    Case("mem", "65536", "KB, four processes", FORK_FILL, [],
         usage("memory_kb"), True),
    Case("cpus", "0.5", "% of a CPU", SPIN, ["--wall", "600"], share, False),
    Case("nproc", "16", "processes", COUNT_FORKS, [], printed, True),
    Case("nofile", "32", "descriptors", COUNT_FILES, [], printed, True),
    Case("fsize", "100", "KB", BIGGEST, [], in_kb, True),
    Case("disk", "1024", "KB", ALL_FILES, [], in_kb, True),
    Case("session_disk", "8192", "KB", FILL_SESSION, ["--fsize", "1000000"],
         lambda result: result["on_disk"], True),
    Case("output", "10000", "bytes", PRINT, [],
         lambda result: len(result["stdout"]), True),
]

# What ends a run; the other limits let a call fail.
REASONS = {"time": "time", "wall": "wall", "output": "output", "mem": "memory"}


def mayfly(*words):
    return subprocess.run([MAYFLY, *words], stdin=subprocess.DEVNULL,
                          capture_output=True)


def run_in_session(words):
    """What is on disk afterwards is measured there, in KB."""
    name = mayfly("session", "create").stdout.decode().strip()
    done = mayfly("session", "run", name, *words)
    path = os.path.join(os.environ["MAYFLY_STATE_DIR"], "sessions", name,
                        "upper/f")
    on_disk = os.stat(path).st_blocks // 2
    mayfly("session", "delete", name)
    mayfly("reap")
    return done, on_disk


def run(case):
    words = ["--json", "--%s" % case.limit, case.value]
    words += case.more + os.environ.get("WORDS", "").split()
    # Only the limit that is measured is to be met.
    for name, value in (("time", "60000"), ("wall", "60000")):
        if "--" + name not in words:
            words += ["--" + name, value]
    words += ["--", "perl", "-e", case.command]
    on_disk = 0
    if case.limit == "session_disk":
        done, on_disk = run_in_session(words)
    else:
        done = mayfly("run", *words)
    try:
        return dict(json.loads(done.stdout), on_disk=on_disk)
    except ValueError:
        sys.exit("overshoot.py: %s: %s" % (case.limit, done.stderr.decode()))


def number(value):
    return "%.1f" % value if isinstance(value, float) else "%d" % value


def measure(case, runs):
    """A row of the table; whether the limit held."""
    asked = 100 * float(case.value) if case.limit == "cpus" \
        else int(case.value)
    over, held_by, reasons = [], set(), collections.Counter()
    for _ in range(runs):
        result = run(case)
        over.append(case.used(result) - asked)
        held_by.add(result["enforced"][case.limit])
        reasons[result["reason"]] += 1
    over.sort()
    held_by = ", ".join(sorted(held_by))
    print("| `%s` | %s %s | %s | %s | %s | %s | %s |" % (
        case.limit, number(asked), case.unit, held_by,
        ", ".join(sorted(reasons)), number(over[runs // 2]),
        number(over[(runs * 99 + 99) // 100 - 1]), number(over[-1])),
        flush=True)
    sampled = held_by == "sampled"
    reached = REASONS.get(case.limit)
    if case.limit == "session_disk" and sampled:
        reached = "disk"
    return (not case.exact or sampled or over[-1] <= 0) and \
        (reached is None or set(reasons) == {reached})


def main(runs, *limits):
    passed = failed = 0
    print("What a limit was exceeded by in %s runs each, on %d CPUs:\n\n"
          "| limit | asked for | held by | reason | median | p99 | most |\n"
          "| --- | --- | --- | --- | --: | --: | --: |" % (
              runs, os.cpu_count()))
    wrong = []
    for case in CASES:
        if limits and case.limit not in limits:
            continue
        if measure(case, int(runs)):
            passed += 1
        else:
            failed += 1
            wrong.append(case)
    print()
    for case in wrong:
        print("not ok - %s is held, and the reason is right" % case.limit)
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return failed > 0


with tempfile.TemporaryDirectory() as state:
    os.environ.setdefault("MAYFLY_STATE_DIR", state)
    code = main(*(sys.argv[1:] or ["100"]))
sys.exit(code)
