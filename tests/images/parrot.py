#!/usr/bin/python3
"""A registry that refuses everybody, and tells what it was told: with the path
/v2/plain user and password, else the header. Prints its port."""

import base64
import http.server
import json


class Parrot(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        heard = self.headers.get("Authorization", "")
        if not heard:
            self.answer(401, "UNAUTHORIZED", "who are you")
            return
        if self.path.startswith("/v2/plain"):
            heard = base64.b64decode(heard.split()[1]).decode()
        self.answer(403, "DENIED", "you say " + heard)

    def answer(self, status, code, message):
        body = json.dumps({"errors": [{"code": code, "message": message}]})
        self.send_response(status)
        self.send_header("WWW-Authenticate", 'Basic realm="parrot"')
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *args):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Parrot)
print(server.server_port, flush=True)
server.serve_forever()
