#!/usr/bin/python3
"""Sends requests in which something is wrong, chosen by chance.

mutate.py ADDRESS COUNT SEED	prints the answers that are none of HTTP, or
				that blame the server
"""

import random
import sys
import time

import client

REQUESTS = [
    client.post("/run", b'{"command":["true"],"env":{"A":"1"},"time":500}'),
    client.post("/run", b'{"command":"true","cwd":"/tmp","files":[{"path":'
                b'"a","base64":"QQ==","mode":"0600"}],"collect":["a"]}'),
    client.post("/sessions/aaaaaaaaaaaaaaaaaaaaaaaaaa/env",
                b'{"env":{"A":null}}'),
    b"POST /run HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
    b"\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n"
    b'{"command":["true"]}\r\n0\r\n\r\n',
    b"GET /sessions?limit=5&after=aaaaaaaaaaaaaaaaaaaaaaaaaa HTTP/1.1\r\n"
    b"Host: [::1]:80\r\nOrigin: http://localhost\r\nAuthorization: Bearer "
    b"abcdef\r\nAccept: application/x-ndjson\r\nX-Request-ID: a\r\n\r\n",
    b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: 100-continue\r\n\r\n",
]

PIECES = [b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b"%00", b"%2f",
          b"..", b"/", b"\xff", b"\xc3", b"{", b"}", b"[", b"]", b'"', b",",
          b"\\u0000", b"\\ud800", b"-", b"9" * 30, b"Host: a\r\n",
          b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n",
          b"Expect: 100-continue\r\n", b"a" * 9000, b"\x1b[2J", b"null"]


def mutate(chance, data):
    data = bytearray(data)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        end = min(len(data), at + chance.randint(1, 12))
        kind = chance.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif kind == 1:
            del data[at:end]
        elif kind == 2:
            data[at:at] = data[at:end]
        elif kind == 3:
            data[at:at] = chance.choice(PIECES)
        else:
            data[at:end] = chance.choice(PIECES)
    return bytes(data)


def main(address, count, seed):
    chance = random.Random(seed)
    wrong = []
    for _ in range(count):
        data = mutate(chance, chance.choice(REQUESTS))
        exchange = client.Exchange(address, 5)
        exchange.step("send", data)
        # What is not whole would be waited for.
        exchange.deadline = time.monotonic() + 0.1
        exchange.finish()
        answer = exchange.answer
        go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
        if answer.startswith(go_on):
            answer = answer[len(go_on):]
        if answer == b"":
            continue
        parts = client.split(answer)
        if isinstance(parts, str):
            wrong.append("%r: %s" % (data[:300], parts))
        elif parts[0] >= 500 and parts[0] != 505:
            wrong.append("%r: %r" % (data[:300], answer[-300:]))
    print("\n".join(wrong[:5]))
    return 1 if wrong else 0


sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
