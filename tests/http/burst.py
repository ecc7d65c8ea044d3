#!/usr/bin/python3
"""Many clients that ask at the same moment.

burst.py ADDRESS COUNT PATH BODY REFUSED
			COUNT at once; those that are answered in the form of
			events are held until REFUSED others have been refused,
			or nobody was for long. Prints how many had each
			status and code, a line each
burst.py ADDRESS COUNT PATH BODY again TIMES
			COUNT clients, each of which asks TIMES times in turn
"""

import asyncio
import collections
import json
import sys

PATIENCE = 45


class Burst:
    def __init__(self, address, path, body):
        self.host, self.port = address.rsplit(":", 1)
        body = body.encode()
        self.request = b"POST %s HTTP/1.1\r\nHost: localhost\r\n" \
            b"Content-Type: application/json\r\nAccept: " \
            b"application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s" % (
                path.encode(), len(body), body)
        self.said = collections.Counter()
        self.refused = 0
        self.enough = asyncio.Event()

    async def hold(self):
        """Until enough were refused, or nobody has been for so long."""
        refused = -1
        while refused != self.refused and not self.enough.is_set():
            refused = self.refused
            try:
                await asyncio.wait_for(self.enough.wait(), PATIENCE)
            except asyncio.TimeoutError:
                pass

    async def ask(self, wanted=None):
        """One request; held where it began something and wanted says so."""
        writer = None
        try:
            reader, writer = await asyncio.open_connection(
                self.host, int(self.port))
            writer.write(self.request)
            status = (await reader.readline()).split()
            status = int(status[1]) if status else 0
            if status == 200 and wanted is not None:
                self.said["200 -"] += 1
                await self.hold()
                return
            answer = await reader.read()
            body = json.loads(
                answer.partition(b"\r\n\r\n")[2].splitlines()[-1] or "{}")
            self.said["%d %s" % (status, body.get("code", "-"))] += 1
        # Whatever becomes of one, all are counted.
        except Exception as error:
            self.said["none %r" % error] += 1
        finally:
            if writer:
                writer.close()
        self.refused += 1
        if self.refused == wanted:
            self.enough.set()

    async def again(self, times):
        for _ in range(times):
            await self.ask()


async def main(address, count, path, body, *rest):
    burst = Burst(address, path, body)
    if rest[0] == "again":
        todo = [burst.again(int(rest[1])) for _ in range(int(count))]
    else:
        todo = [burst.ask(int(rest[0])) for _ in range(int(count))]
    await asyncio.gather(*todo)
    for said, number in sorted(burst.said.items()):
        print(number, said)


asyncio.run(main(*sys.argv[1:]))
