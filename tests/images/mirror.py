"""Serves a mirror of packages on a port of its own: mirror.py MIRROR NOTES

The number of the port goes to NOTES/port. An answer with slow.deb has no end:
NOTES/asked is there when somebody waits for one, NOTES/gone when they have gone.
"""

import http.server
import os
import sys

mirror, notes = sys.argv[1:]


def note(name, text=""):
    with open(os.path.join(notes, "new"), "w") as f:
        f.write(text)
    os.rename(os.path.join(notes, "new"), os.path.join(notes, name))


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if not self.path.endswith("/slow.deb"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Length", str(os.path.getsize(
            self.translate_path(self.path))))
        self.end_headers()
        note("asked")
        try:
            while self.rfile.read1(1024):
                pass
        except OSError:
            pass
        note("gone")
        self.close_connection = True


server = http.server.ThreadingHTTPServer(
    ("127.0.0.1", 0),
    lambda *args: Handler(*args, directory=mirror))
note("port", str(server.server_port))
server.serve_forever()
