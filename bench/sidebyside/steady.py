"""Connections that make a number of calls known beforehand, for what is counted and not timed."""

import selectors
import ssl
import time

from .calls import Response, connect, encode, headers, request_body
from .processes import BenchError


class SteadyCallers:
    """Connections that each make one call after another, for a number of calls known beforehand."""

    def __init__(self, port, count, context=None):
        self.data = encode(port, request_body(), headers())
        self.selector = selectors.DefaultSelector()
        self.connections = [connect(port, context) for _ in range(count)]
        for connection in self.connections:
            connection.setblocking(False)
            self.selector.register(connection, selectors.EVENT_READ)

    def run(self, each, seconds=60):
        """Makes `each` calls on every connection, all connections at once."""
        deadline = time.monotonic() + seconds
        left = dict.fromkeys(self.connections, each)
        waiting = {connection: Response() for connection in self.connections}
        for connection in self.connections:
            connection.send(self.data)
        while waiting:
            if time.monotonic() > deadline:
                raise BenchError(f"{len(waiting)} connections still wait for their replies after {seconds} s")
            for key, _ in self.selector.select(1):
                connection = key.fileobj
                if not self._received(connection, waiting):
                    continue
                left[connection] -= 1
                if left[connection]:
                    waiting[connection] = Response()
                    connection.send(self.data)
                else:
                    del waiting[connection]

    @staticmethod
    def _received(connection, waiting):
        while True:
            try:
                data = connection.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            if not data or connection not in waiting:
                raise BenchError("a kept-alive connection was closed, or answered twice")
            if waiting[connection].feed(data):
                if waiting[connection].status != 200:
                    raise BenchError(f"a call was answered {waiting[connection].status}")
                return True

    def close(self):
        for connection in self.connections:
            self.selector.unregister(connection)
            connection.close()
        self.selector.close()
