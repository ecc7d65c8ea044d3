#!/bin/bash
# The pseudo-terminal of a command: when there is one, and how it behaves.
# as: root user
# shellcheck disable=SC2016 # programs in single quotes are for inside

# shellcheck source=tests/t.sh
. "$(dirname "$0")/t.sh"

[[ -x $PYTHON ]] || t_give_up "there is no python3 to make a terminal with"
DRIVER=$T_ROOT/driver.py
cat >"$DRIVER" <<'EOF'
"""Runs a program on a pseudo-terminal of its own and follows a script.

usage: driver.py [STEP]... -- COMMAND [ARGUMENT]...

  wait:REGEX    until the output since the last match has it (10 s at most)
  send:TEXT     as if typed; \\n, \\x03 and the like are understood
  size:RxC      the terminal gets another size
  hangup        the terminal is closed
  kill:N        the program gets signal N

What the terminal shows goes to stdout. The exit code is the program's, 128+n
for a signal, 99 when a wait was in vain, 98 when the program does not end.
With PTY_STDIN or PTY_STDOUT in the environment, a path, that stream is the
file instead of the terminal.
"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

PATIENCE = 10


def set_size(fd, rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ,
                struct.pack("HHHH", rows, columns, 0, 0))


def start(argv):
    pid, fd = pty.fork()
    if pid == 0:
        set_size(0, 24, 80)
        for name, number, flags in (
                ("PTY_STDIN", 0, os.O_RDONLY),
                ("PTY_STDOUT", 1, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)):
            if name in os.environ:
                os.dup2(os.open(os.environ[name], flags, 0o644), number)
        os.execvp(argv[0], argv)
    return pid, fd


class Session:
    def __init__(self, argv):
        self.pid, self.fd = start(argv)
        self.seen = b""

    def read(self, deadline):
        """More output; False at its end or when time is up."""
        left = deadline - time.monotonic()
        if self.fd < 0 or left <= 0:
            return False
        if not select.select([self.fd], [], [], left)[0]:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        self.seen += data
        return bool(data)

    def wait(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while True:
            found = re.search(pattern.encode(), self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return
            if not self.read(deadline):
                print(f"\n[waited in vain for {pattern}]")
                self.end(99)

    def step(self, text):
        verb, _, rest = text.partition(":")
        if verb == "wait":
            self.wait(rest)
        elif verb == "send":
            os.write(self.fd, rest.encode().decode("unicode_escape").encode())
        elif verb == "size":
            set_size(self.fd, *map(int, rest.split("x")))
        elif verb == "hangup":
            os.close(self.fd)
            self.fd = -1
        elif verb == "kill":
            os.kill(self.pid, int(rest))
        else:
            sys.exit(f"driver.py: unknown step {text}")

    def end(self, code=None):
        deadline = time.monotonic() + PATIENCE
        if code is None:
            while self.read(deadline):
                pass
        while time.monotonic() < deadline and code is None:
            done, how = os.waitpid(self.pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(how)
                os._exit(code if code >= 0 else 128 - code)
            time.sleep(0.01)
        os.kill(self.pid, signal.SIGKILL)
        os._exit(98 if code is None else code)


def main():
    split = sys.argv.index("--")
    session = Session(sys.argv[split + 1:])
    for text in sys.argv[1:split]:
        session.step(text)
    session.end()


main()
EOF

# on_tty [STEP]... -- [run OPTION]...: mayfly run on a terminal of its own.
on_tty()
{
	local steps=()

	while [[ $1 != -- ]]; do
		steps+=("$1")
		shift
	done
	shift
	timeout -s KILL "$T_PATIENCE" \
	    "$PYTHON" "$DRIVER" "${steps[@]}" -- \
	    "${T_AS[@]}" "$MAYFLY" run "$@" </dev/null >screen 2>err
	status=$?
	tr -d '\r' <screen >out
	cat err >>out
}

KINDS='for i in 0 1 2; do [ -t $i ] && echo "$i tty" || echo "$i no"; done'

if testcase "on a terminal the command has a terminal on 0, 1 and 2"; then
	on_tty -- -- sh -c "$KINDS"
	expect_status 0
	expect_out $'0 tty\n1 tty\n2 tty'
fi

if testcase "it is a terminal of its own, not the caller's"; then
	on_tty -- -- sh -c 'tty; ls -1A /dev/pts; [ -c /dev/tty ] &&
	    echo seen >/dev/tty'
	expect_status 0
	expect_out $'/dev/pts/0\n0\nptmx\nseen'
fi

if testcase "without a terminal there are pipes"; then
	run -- sh -c "$KINDS"
	expect_out $'0 no\n1 no\n2 no'
	PTY_STDIN=/dev/null on_tty -- -- sh -c "$KINDS"
	expect_out_has '^0 no$'
	expect_out_has '^1 no$'
	PTY_STDOUT=$PWD/file on_tty -- -- sh -c "$KINDS"
	check "stdin or stdout is a terminal" \
	    test "$(grep -cxE '[01] no' file)" = 2
fi

if testcase "--no-tty and --tty say otherwise"; then
	on_tty -- --no-tty -- sh -c "$KINDS"
	expect_out_has '^0 no$'
	expect_out_has '^1 no$'
	run --tty -- sh -c "$KINDS"
	expect_status 0
	check "it is not a terminal" \
	    cmp <(tr -d '\r' <out) <(printf '0 tty\n1 tty\n2 tty\n')
fi

if testcase "output to a file is binary-safe though stdin is a terminal"
then
	PTY_STDOUT=$PWD/file on_tty -- -- perl -e 'print map chr, 0 .. 255'
	expect_status 0
	check "the bytes have changed" \
	    cmp file <(perl -e 'print map chr, 0 .. 255')
fi

if testcase "the exit code passes, also of a signal"; then
	on_tty -- -- sh -c 'exit 7'
	expect_status 7
	on_tty -- -- sh -c 'kill -9 $$'
	expect_status 137
	on_tty -- -- no-such-command
	expect_status 127
fi

if testcase "the window has the caller's size, and follows it"; then
	# The first size may come after the command has begun.
	on_tty size:33x101 wait:ready size:12x34 wait:changed -- -- \
	    perl -e '$| = 1; $SIG{WINCH} = sub {
		print $size = `stty size`;
		$size !~ /^12 34/ or print("changed\n"), exit };
		print `stty size`, "ready\n"; sleep 1 for 1 .. 30'
	expect_status 0
	expect_out_has '^(24 80|33 101)$'
	expect_out_has '^12 34$'
fi

if testcase "typed text arrives, and Ctrl-D ends it"; then
	on_tty wait:ready 'send:some text\n' 'wait:got some' 'send:\x04' -- \
	    -- sh -c 'echo ready; while read x; do echo "got $x"; done
	    echo end'
	expect_status 0
	expect_out_has '^end$'
fi

if testcase "input that is no terminal ends, also within a line"; then
	# After the last there is no room for more on the terminal until all of
	# it is read.
	for text in '' 'abc' 'abc\n' 'abc\ndef' "$(yes 0123456 |
	    head -n 1472)\n"; do
		# shellcheck disable=SC2059
		printf "$text" >in
		mayfly run --tty --wall 5000 -- sh -c 'sleep 0.3; wc -c' \
		    <in >out 2>err
		status=$?
		expect_status 0
		# Before it stands what was echoed.
		check "not all of it was there" \
		    grep -q "$(wc -c <in).\$" <(tail -n 1 out)
	done
fi

if testcase "Ctrl-C interrupts the command and not mayfly"; then
	on_tty wait:ready 'send:\x03' wait:caught -- -- sh -c '
	    trap "echo caught; exit 9" INT; echo ready
	    while :; do sleep 0.1; done'
	expect_status 9
	on_tty wait:ready 'send:\x03' -- -- sh -c 'echo ready; exec sleep 30'
	expect_status 130
fi

if testcase "Ctrl-backslash goes to the command"; then
	on_tty wait:ready 'send:\x1c' -- -- sh -c 'echo ready; exec sleep 30'
	expect_status 131
fi

if testcase "bash has job control"; then
	# What is typed is shown as well, and must not look like the answer.
	on_tty 'wait:[$#] ' 'send:sh -c "echo ru\"\"nning; exec sleep 99"\n' \
	    wait:running 'send:\x1a' wait:Stopped 'send:jobs\n' wait:Stopped \
	    'send:kill -9 %1; fg; echo d\"\"one\n' wait:done 'send:exit 6\n' \
	    -- -- bash --norc --noprofile -i
	expect_status 6
	expect_out_lacks 'no job control|cannot set terminal'
fi

if testcase "a full-screen program finds its terminal" &&
    require "there is no tput" have tput; then
	on_tty -- --env TERM=xterm -- tput cols
	expect_status 0
	expect_out 80
fi

if testcase "the caller's terminal is as it was, however the run ends"; then
	for how in 'exit 0' 'kill -9 $$' 'sleep 30'; do
		timeout -s KILL "$T_PATIENCE" "$PYTHON" "$DRIVER" -- \
		    bash -c 'before=$(stty -g); "$@"
		    [ "$before" = "$(stty -g)" ] && echo same' bash \
		    "${T_AS[@]}" "$MAYFLY" run --wall 500 -- \
		    sh -c "stty raw -echo; $how" </dev/null >out 2>err
		expect_out_has '^same.?$'
	done
	timeout -s KILL "$T_PATIENCE" "$PYTHON" "$DRIVER" -- \
	    bash -c 'before=$(stty -g); "$@" & p=$!; sleep 0.3; kill $p
	    wait $p; [ "$before" = "$(stty -g)" ] && echo same' bash \
	    "${T_AS[@]}" "$MAYFLY" run --tty -- sleep 30 \
	    </dev/null >out 2>err
	expect_out_has '^same.?$'
fi

if testcase "what is typed is echoed once"; then
	on_tty wait:ready 'send:word\n' -- -- sh -c 'echo ready; read x'
	expect_status 0
	check "word is there $(grep -c word out) times" \
	    test "$(grep -c word out)" = 1
fi

if testcase "a terminal that hangs up ends the run"; then
	on_tty wait:ready hangup -- -- sh -c 'echo ready; exec sleep 60'
	expect_status 129
fi

if testcase "a limit ends a run on a terminal"; then
	on_tty -- --wall 300 -- sh -c 'trap "" INT HUP TERM; sleep 30'
	expect_status 124
	expect_out_has wall
fi

if testcase "a lot of output on a terminal is all there"; then
	on_tty -- -- seq 20000
	expect_status 0
	check "out differs" cmp out <(seq 20000)
fi

if testcase "killing mayfly on a terminal leaves nothing"; then
	on_tty wait:ready kill:9 -- -- sh -c 'echo ready; exec sleep 60'
	expect_status 137
fi

t_done
