"""Events on many open streams: the CPU of a proxy for each, and whether each arrives once and in order."""

import re
import selectors
import ssl
import time

from .calls import SESSIONFUL, client_context, connect, encode
from .processes import BenchError

TIMEOUT = 15  # seconds until every stream has carried an event
RATE = 10  # events a second on each stream
_EVENT = re.compile(rb'"progress":(\d+),"message":"(\d+)"')


def path(rate):
    """The path for which the stream replica sends `rate` events a second; 0: none."""
    return f"/mcp?events={rate}" if rate else "/mcp"


def event(number, nanoseconds):
    """One notification as an MCP server sends it, in a chunk of its own."""
    data = (b'event: message\r\ndata: {"jsonrpc":"2.0","method":"notifications/progress","params":'
            b'{"progressToken":"bench","progress":%d,"message":"%d"}}\r\n\r\n' % (number, nanoseconds))
    return b"%x\r\n%s\r\n" % (len(data), data)


class _Stream:
    """An open stream, and the number of the next event."""

    def __init__(self, port, context):
        self.connection = connect(port, context)
        self.connection.sendall(encode(port, "", {"Accept": "text/event-stream", "MCP-Protocol-Version": SESSIONFUL}, "GET",
                                       path(RATE)))
        self.connection.setblocking(False)
        self.rest, self.next = b"", 1

    def take(self, ages):
        """Reads events and adds the age of each in nanoseconds to `ages`."""
        while self._take_some(ages):
            pass

    def _take_some(self, ages):
        """The same for what one read gives; true if there may be more that no selector tells of: TLS has read it already."""
        try:
            data = self.connection.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        now = time.monotonic_ns()
        if not data:
            raise BenchError("an event stream was closed")
        self.rest += data
        end = 0
        for found in _EVENT.finditer(self.rest):
            if int(found[1]) != self.next:
                raise BenchError(f"event {found[1].decode()} came where {self.next} was due")
            self.next += 1
            ages.append(now - int(found[2]))
            end = found.end()
        self.rest = self.rest[end:]
        if len(self.rest) > 4096:
            raise BenchError(f"no event in {self.rest!r}")
        return isinstance(self.connection, ssl.SSLSocket) and self.connection.pending() > 0


def run(port, tls, count, seconds, meter):
    """Holds `count` streams for `seconds`, over TLS if `tls`; units are events, percentiles their age in microseconds on arrival."""
    streams, ages, selector = [], [], selectors.DefaultSelector()
    context = client_context() if tls else None

    def read_until(moment):
        while (left := moment - time.monotonic()) > 0:
            for key, _ in selector.select(left):
                key.data.take(ages)
    try:
        for _ in range(count):
            streams.append(_Stream(port, context))
            selector.register(streams[-1].connection, selectors.EVENT_READ, streams[-1])
            if len(streams) % 50 == 0:
                read_until(time.monotonic() + 0.001)
        deadline = time.monotonic() + TIMEOUT
        while silent := sum(stream.next == 1 for stream in streams):
            if time.monotonic() > deadline:
                raise BenchError(f"{silent} of {count} streams carry no events")
            read_until(time.monotonic() + 0.2)
        ages.clear()
        began = time.monotonic()
        with meter.running():
            read_until(began + seconds)
        elapsed = time.monotonic() - began
    finally:
        selector.close()
        for stream in streams:
            stream.connection.close()
    ages.sort()
    if len(ages) < 0.9 * count * RATE * seconds:
        raise BenchError(f"only {len(ages) / elapsed:.0f} events a second came of {count * RATE}")
    return {"units": len(ages), "microseconds": elapsed * 1e6, "errors": 0,
            "p50": ages[len(ages) // 2] / 1000, "p99": ages[len(ages) * 99 // 100] / 1000}
