#!/usr/bin/python3
"""Sends many requests, many at once, and prints what was answered.

post.py ADDRESS AT-ONCE		stdin has one JSON object a line: method
				(POST), path (/run), body (null for none);
				stdout gets {"code", "body"} of each in the
				same order, code 0 where nothing came back
"""

import json
import os
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "http"))
import client  # noqa: E402


def request(wanted):
    path = wanted.get("path", "/run").encode("utf-8", "surrogatepass")
    head = wanted.get("method", "POST").encode() + b" " + path + \
        b" HTTP/1.1\r\nHost: localhost\r\n"
    if wanted.get("body") is None:
        return head + b"\r\n"
    body = json.dumps(wanted["body"]).encode()
    return head + b"Content-Type: application/json\r\n" \
        b"Content-Length: %d\r\n\r\n" % len(body) + body


def ask(address, wanted):
    try:
        exchange = client.Exchange(address, 60)
        exchange.step("send", request(wanted))
        exchange.finish()
        parts = client.split(exchange.answer)
    except OSError as error:
        return {"code": 0, "body": str(error)}
    if isinstance(parts, str):
        return {"code": 0, "body": parts}
    try:
        body = json.loads(parts[2])
    except ValueError:
        body = parts[2].decode("utf-8", "replace")
    return {"code": parts[0], "body": body}


def main(address, at_once):
    lines = [json.loads(line) for line in sys.stdin if line.strip()]
    answers = [None] * len(lines)
    todo = iter(range(len(lines)))
    lock = threading.Lock()

    def work():
        while True:
            with lock:
                i = next(todo, None)
            if i is None:
                return
            answers[i] = ask(address, lines[i])

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for answer in answers:
        print(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
