#!/usr/bin/python3
"""An HTTP client that sends exactly the bytes it is told to.

client.py send ADDRESS [SECONDS]	stdin out, what comes back to stdout;
					fails when the server does not close
client.py hold ADDRESS [N [TEXT]]	stdin out on N connections; once TEXT
					has come there is a file `up`. Reads
					no more, and resets them when there
					is a file `reset`
client.py table ADDRESS [-p] [-j JSON-PATH] [-d FILE]
					one request a line, judged; prints
					what is wrong. -p: all lines at once;
					-j: the bytes are bodies posted there;
					-d: what is answered goes to FILE

A line is `STATUS[,STATUS] CODE[,CODE] [/REGEX/] | name | bytes`. CODE is that
of an error or `-`; REGEX must match its message. In bytes, escapes are those
of Python, and @{N*TEXT} repeats, @{wait N} pauses, @{endless TEXT} repeats
until there is an answer, @{100} waits for `100 Continue`. A STATUS of `closed`
is the end without an answer. ADDRESS is HOST:PORT or the path of a socket.
"""

import json
import os
import re
import select
import socket
import struct
import sys
import threading
import time

PATIENCE = 25


def connect(address, number=0):
    """A socket; of many, fifty each are of one address on this machine."""
    if "/" in address:
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(address)
    else:
        host, port = address.rsplit(":", 1)
        source = ("127.0.1.%d" % (number // 50), 0) if number else None
        sock = socket.create_connection((host.strip("[]"), int(port)),
                                        source_address=source)
    sock.setblocking(False)
    return sock


def unescape(text):
    return text.encode("utf-8").decode("latin-1").encode(
        "latin-1", "backslashreplace").decode("unicode_escape").encode(
        "latin-1")


def steps(text):
    """The parts of a line's bytes: ("send", data), ("wait", seconds)..."""
    for part in re.split(r"(@\{(?:\d+\*|wait |endless |100)[^}]*\})", text):
        if not part.startswith("@{"):
            yield "send", unescape(part)
            continue
        word = part[2:-1]
        if word == "100":
            yield "continue", b""
        elif word.startswith("wait "):
            yield "wait", float(word[5:])
        elif word.startswith("endless "):
            yield "endless", unescape(word[8:])
        else:
            count, text = word.split("*", 1)
            yield "send", unescape(text) * int(count)


class Exchange:
    """One connection: sends, and reads all the time while it does."""

    def __init__(self, address, patience=PATIENCE):
        self.sock = connect(address)
        self.deadline = time.monotonic() + patience
        self.answer = b""
        self.closed = False

    def turn(self, data, until=None):
        """Writes some of data, reads what there is; the rest of data."""
        writers = [self.sock] if data else []
        limit = min(until or self.deadline, self.deadline)
        ready = select.select([self.sock], writers, [],
                              max(0, limit - time.monotonic()))
        if ready[0]:
            try:
                piece = self.sock.recv(65536)
            except ConnectionError:
                piece = b""
            self.closed = piece == b""
            self.answer += piece
        if ready[1] and not self.closed:
            try:
                return data[self.sock.send(data[:65536]):]
            except ConnectionError:
                self.drain()
                return b""
            except BlockingIOError:
                pass
        return data

    def drain(self):
        try:
            while piece := self.sock.recv(65536):
                self.answer += piece
        except OSError:
            pass
        self.closed = True

    def late(self):
        return time.monotonic() >= self.deadline

    def step(self, kind, value):
        if kind == "wait":
            until = min(time.monotonic() + value, self.deadline)
            while not self.closed and time.monotonic() < until:
                self.turn(b"", until)
        elif kind == "continue":
            while not self.closed and not self.late() and \
                    b"\r\n\r\n" not in self.answer:
                self.turn(b"")
            if self.answer == b"HTTP/1.1 100 Continue\r\n\r\n":
                self.answer = b""
            else:
                self.closed = True
        elif kind == "endless":
            chunk = value * (65536 // len(value))
            while not self.closed and not self.late() and not self.answer:
                self.turn(chunk)
        else:
            while value and not self.closed and not self.late():
                value = self.turn(value)

    def finish(self):
        while not self.closed and not self.late():
            self.turn(b"")
        self.sock.close()
        return self.closed


def split(answer):
    """Status, fields by lower-case name, body; or a complaint."""
    head, mark, body = answer.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    match = re.fullmatch(r"HTTP/1\.1 (\d\d\d) [A-Za-z' -]+", lines[0])
    if not mark or not match:
        return "no HTTP response: %r" % answer[:120]
    fields = {}
    for line in lines[1:]:
        name, colon, value = line.partition(": ")
        if not colon or not re.fullmatch(r"[A-Za-z0-9-]+", name) or \
                re.search(r"[^\t -~]", value) or name.lower() in fields:
            return "a wrong field: %r" % line
        fields[name.lower()] = value
    return int(match[1]), fields, body


def judge_error(fields, body, codes, regex):
    if fields.get("content-type") != "application/json":
        return "an error of type %r" % fields.get("content-type")
    try:
        error = json.loads(body)
    except ValueError:
        return "an error that is not JSON: %r" % body[:120]
    if not isinstance(error, dict) or \
            sorted(error) != ["code", "message", "request_id"]:
        return "not an error object: %r" % body[:160]
    if error["request_id"] != fields.get("x-request-id"):
        return "request_id is not X-Request-ID: %r" % body[:160]
    if codes != ["-"] and error["code"] not in codes:
        return "code is %(code)s: %(message)s" % error
    if not re.search(regex, error["message"], re.I):
        return "message lacks /%s/: %s" % (regex, error["message"])
    return ""


def judge(answer, is_head, statuses, codes, regex):
    """What is wrong with an answer, or nothing."""
    parts = split(answer)
    if isinstance(parts, str):
        return parts
    status, fields, body = parts
    if str(status) not in statuses:
        return "status is %d: %r" % (status, body[:160])
    if fields.get("connection") != "close":
        return "no Connection: close"
    if "x-request-id" not in fields:
        return "no X-Request-ID"
    length = fields.get("content-length")
    if status == 204:
        return "a body in a 204" if body else ""
    if is_head:
        return "a body for HEAD" if body or length is None else ""
    if length != str(len(body)):
        return "Content-Length is %s, the body has %d" % (length, len(body))
    if status >= 400:
        return judge_error(fields, body, codes, regex)
    return ""


def post(path, body):
    """A body as the request of a well-behaved client."""
    return b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: " \
        b"application/json\r\nContent-Length: %d\r\n\r\n%s" % (
            path.encode(), len(body), body)


def try_line(address, line, path, complaints, answers):
    want, name, text = (line.split(" | ", 2) + ["", ""])[:3]
    words = want.split(" ", 2)
    regex = words[2].strip()[1:-1] if len(words) > 2 else ""
    todo = list(steps(text))
    if path:
        body = b"".join(value for kind, value in todo if kind == "send")
        todo = [("send", post(path, body))]
    try:
        exchange = Exchange(address)
        for kind, value in todo:
            exchange.step(kind, value)
        if not exchange.finish():
            complaints.append("%s: the server does not close" % name)
            return
    except OSError as error:
        complaints.append("%s: %s" % (name, error))
        return
    answers.append(exchange.answer)
    if exchange.answer == b"" and "closed" in words[0]:
        return
    wrong = judge(exchange.answer, text.startswith("HEAD "),
                  words[0].split(","), words[1].split(","), regex)
    if wrong:
        complaints.append("%s: %s" % (name.strip(), wrong))


def table(address, options):
    path = options[options.index("-j") + 1] if "-j" in options else None
    complaints, answers, threads = [], [], []
    for line in sys.stdin.buffer.read().decode("utf-8").splitlines():
        arguments = (address, line.strip("\t"), path, complaints, answers)
        if "-p" in options:
            threads.append(threading.Thread(target=try_line, args=arguments))
            threads[-1].start()
        else:
            try_line(*arguments)
    for thread in threads:
        thread.join()
    if "-d" in options:
        with open(options[options.index("-d") + 1], "wb") as file:
            file.write(b"\n".join(answers))
    print("\n".join(complaints))
    return 1 if complaints else 0


def hold(address, options):
    data = sys.stdin.buffer.read()
    count = int(options[0]) if options else 1
    socks = []
    for number in range(count):
        sock = connect(address, number)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        sock.setblocking(True)
        sock.sendall(data)
        socks.append(sock)
    got = b""
    text = options[1].encode() if len(options) > 1 else b""
    while text not in got:
        piece = socks[0].recv(1000)
        if piece == b"":
            return 1
        got += piece
    open("up", "w").close()
    while not os.path.exists("reset"):
        time.sleep(0.05)
    for sock in socks:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
        sock.close()
    return 0


def send(address, options):
    exchange = Exchange(address, float(options[0]) if options else PATIENCE)
    exchange.step("send", sys.stdin.buffer.read())
    closed = exchange.finish()
    sys.stdout.buffer.write(exchange.answer)
    return 0 if closed else 3


if __name__ == "__main__":
    verbs = {"hold": hold, "send": send, "table": table}
    sys.exit(verbs[sys.argv[1]](sys.argv[2], sys.argv[3:]))
