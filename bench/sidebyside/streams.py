"""Idle event streams: the latency of the head, and the proxy's memory for each."""

import select
import statistics
import time

from . import calls, http2
from .processes import BenchError, memory_kib

STREAMS_A_CONNECTION = 100  # over HTTP/2: what HAProxy allows by default, the least of the three
WARM_UP = 100  # streams opened before the first reading: pools and tables have grown their first steps by then


def _get(port):
    return calls.encode(port, "", {"Accept": "text/event-stream", "MCP-Protocol-Version": calls.SESSIONFUL}, "GET")


def _open(port, context, timeout):
    """Opens a stream; returns the connection and the milliseconds from GET to head, None if the head was not received."""
    connection = calls.connect(port, context)
    connection.settimeout(timeout)
    request, head = _get(port), b""
    sent = time.perf_counter()
    connection.sendall(request)
    try:
        while b"\r\n\r\n" not in head:
            data = connection.recv(65536)
            if not data:
                raise BenchError(f"port {port} closed an event stream: {head!r}")
            head += data
    except TimeoutError:
        return connection, None
    milliseconds = (time.perf_counter() - sent) * 1000
    if b" 200 " not in head[:16] or b"text/event-stream" not in head:
        raise BenchError(f"port {port} did not answer with an event stream: {head!r}")
    return connection, milliseconds


def head_latency(peer, tls, count=50, timeout=2):
    """Milliseconds to the head of `count` streams, one after another: "p50", "max" (None: not received), "all"."""
    context = calls.client_context() if tls else None
    times = []
    for _ in range(count):
        connection, milliseconds = _open(peer.port(tls), context, timeout)
        connection.close()
        if milliseconds is None:
            return {"p50": None, "max": None, "all": times}  # the other streams would not receive it either
        times.append(milliseconds)
    return {"p50": statistics.median(times), "max": max(times), "all": times}


def http2_head_latency(peer, count=50, timeout=2):
    """The same over HTTP/2: `count` streams of one connection, one after another."""
    connection = http2.Connection(peer.https, http2.context(), timeout)
    try:
        times = [connection.open() for _ in range(count)]
    finally:
        connection.close()
    if None in times:
        return {"p50": None, "max": None, "all": times}
    return {"p50": statistics.median(times), "max": max(times), "all": times}


def http2_memory_per_stream(peer, count):
    """User memory in KiB that each of `count` idle streams adds, their share of the connections included."""
    tls, held, waits = http2.context(), [], True

    def hold(streams):
        nonlocal waits
        for number in range(streams):
            if number % STREAMS_A_CONNECTION == 0:
                held.append(http2.Connection(peer.https, tls))
            waits = held[-1].open(waits) is not None  # nginx keeps heads back until an event comes: once is enough
    try:
        hold(WARM_UP)
        before = _settled(peer)
        hold(count)
        after = _settled(peer)
        for connection in held:
            connection.check(waits)
        return {name: (after[name] - before[name]) / count for name in after}
    finally:
        for connection in held:
            connection.close()


def memory_per_stream(peer, tls, count):
    """User memory in KiB that each of `count` idle streams adds to a fresh `peer`."""
    return _memory_each(peer, tls, count, lambda port, context: _open(port, context, 5)[0])


def memory_per_connection(peer, tls, count):
    """User memory in KiB that each of `count` connections adds to a fresh `peer`: each has had one call and is idle."""
    def opened(port, context):
        connection = calls.connect(port, context)
        connection.sendall(calls.encode(port, calls.request_body(), calls.headers()))
        response = calls.Response()
        while not response.feed(data := connection.recv(65536)):
            if not data:
                raise BenchError(f"port {port} closed a connection before its reply was whole")
        return connection
    return _memory_each(peer, tls, count, opened)


def _memory_each(peer, tls, count, opened):
    context = calls.client_context() if tls else None
    held = []
    try:
        held += [opened(peer.port(tls), context) for _ in range(WARM_UP)]
        before = _settled(peer)
        held += [opened(peer.port(tls), context) for _ in range(count)]
        after = _settled(peer)
        _require_open(held)
        return {name: (after[name] - before[name]) / count for name in after}
    finally:
        for connection in held:
            connection.close()


def _settled(peer):
    """Memory once two readings a quarter of a second apart agree."""
    pids = peer.child.tree()
    deadline, last = time.monotonic() + 15, None
    while (now := memory_kib(pids)) != last:
        if time.monotonic() > deadline:
            raise BenchError(f"the memory of {peer.name} does not settle: {now}")
        last = now
        time.sleep(0.25)
    return now


def _require_open(connections):
    poller = select.poll()
    for connection in connections:
        poller.register(connection, select.POLLRDHUP)
    closed = len(poller.poll(0))
    if closed:
        raise BenchError(f"{closed} of {len(connections)} idle connections were closed while they were counted")
