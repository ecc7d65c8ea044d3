#!/usr/bin/python3
"""Many clients do as they like with the same sessions.

storm.py ADDRESS OPERATIONS	prints what must not have happened

Each run adds one to a number in the session's files, so that two runs at a
time, or a run that lost what another one wrote, give the same number twice.
"""

import http.client
import json
import random
import sys
import threading

CLIENTS = 8
ADD = "n=$(cat /root/n || echo 0); echo $((n + 1)) >/root/n; cat /root/n"


class Storm:
    def __init__(self, address, operations):
        self.address = address
        self.left = operations
        self.lock = threading.Lock()
        self.sessions = {}  # id: the numbers that runs in it have given
        self.removed = set()
        self.complaints = []

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=50)
        connection.request(method, path,
                           None if body is None else json.dumps(body),
                           {"Content-Type": "application/json"})
        response = connection.getresponse()
        text = response.read()
        connection.close()
        return response.status, json.loads(text) if text else None

    def complain(self, *words):
        with self.lock:
            self.complaints.append(" ".join(str(word) for word in words))

    def create(self, _):
        status, answer = self.ask("POST", "/sessions", {})
        if status != 201:
            self.complain("create:", status, answer)
            return
        with self.lock:
            if answer["id"] in self.sessions:
                self.complaints.append("the same id twice")
            self.sessions[answer["id"]] = []

    def run(self, which):
        gone = which in self.removed
        status, answer = self.ask("POST", "/sessions/%s/run" % which,
                                  {"command": ADD})
        if gone and status != 404:
            self.complain("run in what was removed:", status, answer)
        elif status == 200 and answer["reason"] == "exit":
            with self.lock:
                self.sessions[which].append(int(answer["stdout"]))
        elif not (status == 200 and answer["reason"] == "killed" or
                  status in (404, 409)):
            self.complain("run:", status, answer)

    def delete(self, which):
        status, answer = self.ask("DELETE", "/sessions/" + which)
        with self.lock:
            again = which in self.removed
            if status == 204:
                self.removed.add(which)
        if status not in (204, 404) or (status == 204 and again):
            self.complain("delete:", status, answer, again)

    def show(self, which):
        gone = which in self.removed
        status, answer = self.ask("GET", "/sessions/" + which)
        if status not in (200, 404) or (gone and status == 200):
            self.complain("show:", status, answer, gone)

    def client(self, seed):
        chance = random.Random(seed)
        while True:
            with self.lock:
                if self.left == 0:
                    return
                self.left -= 1
                # Mostly those of late, which others are at as well.
                known = list(self.sessions)[-6:]
            verb = chance.choices([self.create, self.run, self.delete,
                                   self.show], [2, 6, 2, 1])[0]
            if not known:
                verb = self.create
            try:
                verb(chance.choice(known) if known else None)
            except (OSError, ValueError, http.client.HTTPException) as error:
                self.complain(verb.__name__, repr(error))

    def rage(self):
        threads = [threading.Thread(target=self.client, args=(seed,))
                   for seed in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for which, numbers in self.sessions.items():
            if len(set(numbers)) != len(numbers):
                self.complain("a number twice:", sorted(numbers))
            if which not in self.removed:
                self.delete(which)
        if self.ask("GET", "/sessions") != (200, []):
            self.complain("sessions are left")


storm = Storm(sys.argv[1], int(sys.argv[2]))
storm.rage()
print("\n".join(storm.complaints[:10]))
sys.exit(1 if storm.complaints else 0)
