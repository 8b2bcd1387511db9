"""Attacks by many connections at a time that do little on each: they drip, stall, read slowly, come back at once, or send noise.

One process holds its part of a horde with epoll. All of its bytes are prepared, so that a horde of 2,000 connections costs a few
per cent of a core.
"""

import collections
import os
import random
import select
import socket
import time
from dataclasses import dataclass, field

from . import frames as f

# What a horde counts, for all attackers together.
TALLY = ("connections", "ended", "held", "bytes", "requests", "200", "400", "403", "404", "408", "413", "429", "431", "502", "503", "504",
         "bytes read")
ANSWERS = tuple(name for name in TALLY if name.isdigit())


class Tally:
    """The counts of one attacker, in memory that the bench reads."""

    def __init__(self, memory, number):
        self.memory, self.start = memory, number * len(TALLY)

    def __getitem__(self, name):
        return self.memory[self.start + TALLY.index(name)]

    def __setitem__(self, name, value):
        self.memory[self.start + TALLY.index(name)] = value


@dataclass
class Horde:
    """Connections of all attackers together; each of them is opened again when the server ends it.

    Each sends `opening`, then `drip`, a piece every `every` seconds, the first one after a random part of that.
    """
    opening: bytes
    together: int
    drip: list = field(default_factory=list)    # pieces in their order; the last one is repeated
    every: float = 0.5
    port: str = "http"                          # of the stage: http, https, limited
    reads: int = 65536                          # bytes at a time; of a slow reader, taken at each drip only
    slowly: bool = False
    window: int = 0                             # bytes of the socket's receive buffer; 0: as the system has it
    leaves: bool = False                        # ends a connection itself at the first bytes of an answer, and comes back
    noise: bool = False                         # sends random bytes for as long as the server takes them
    requests: int = 0                           # in one drip, for the count of those sent


class Member:
    """One connection of a horde."""
    __slots__ = ("socket", "piece", "unsent", "tail")

    def __init__(self, connected):
        self.socket, self.piece, self.unsent, self.tail = connected, 0, b"", b""


class Rank:
    """An attacker's part of a horde."""

    def __init__(self, horde, attacker, share, is_on):
        self.horde, self.attacker, self.share, self.is_on = horde, attacker, share, is_on
        self.tally, self.members, self.due = attacker.tally, {}, collections.deque()
        self.poller = select.epoll()
        self.noise = os.urandom(1 << 20) if horde.noise else b""

    def run(self):
        try:
            while self.is_on():
                self.open()
                for descriptor, events in self.poller.poll(0.005, 512):
                    member = self.members.get(descriptor)
                    if member is not None:
                        self.ready(member, events)
                self.drip()
                self.tally["held"] = max(self.tally["held"], len(self.members))
        finally:
            for member in self.members.values():
                member.socket.close()
            self.poller.close()

    def open(self):
        for _ in range(min(64, self.share - len(self.members))):
            connected = socket.socket()
            # A close is a reset: nothing of an attack lingers in this machine's tables.
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            if self.horde.window:
                connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.horde.window)
                # On loopback the kernel would take a megabyte for the peer; by segments as on a network it takes some 50 KiB.
                connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
            connected.bind((self.attacker.source, 0))
            connected.setblocking(False)
            connected.connect_ex(("127.0.0.1", self.attacker.port(self.horde.port)))
            member = Member(connected)
            self.members[connected.fileno()] = member
            self.tally["connections"] += 1
            self.attacker.made[self.attacker.number] += 1
            read = 0 if self.horde.slowly else select.EPOLLIN
            self.poller.register(connected, read | select.EPOLLRDHUP)
            self.send(member, self.horde.opening)
            if self.horde.noise:
                self.send(member, self.more_noise())
            elif self.horde.drip or self.horde.slowly:
                self.due.append((time.monotonic() + self.horde.every * random.random(), member))

    def ready(self, member, events):
        if events & select.EPOLLIN:
            self.read(member)
        if member.socket.fileno() < 0:
            return
        if events & select.EPOLLOUT:
            self.watch(member, writes=False)
            unsent, member.unsent = member.unsent, b""
            self.send(member, unsent or self.more_noise())
        elif events & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP) and not events & select.EPOLLIN:
            self.end(member)

    def more_noise(self):
        start = random.randrange(1 << 19)
        return self.noise[start:start + (1 << 19)]

    def read(self, member):
        if not self.horde.reads:
            return
        try:
            data = member.socket.recv(self.horde.reads)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.end(member)
            return
        self.tally["bytes read"] += len(data)
        # An answer's first line may be split between two reads.
        text = member.tail + data
        for code in ANSWERS:
            self.tally[code] += text.count(b"HTTP/1.1 " + code.encode())
        member.tail = text[-11:] if not text[-12:].startswith(b"HTTP/1.1 ") else b""
        if self.horde.leaves:
            self.end(member)

    def send(self, member, data):
        """Sends in pieces: a process is not preempted within a system call, and victims must wait for Berth only."""
        view = memoryview(data)
        try:
            while view:
                sent = member.socket.send(view[:16384])
                self.tally["bytes"] += sent
                view = view[sent:]
        except (BlockingIOError, BrokenPipeError) as error:
            if isinstance(error, BrokenPipeError):
                self.end(member)
                return
        except OSError as error:
            # Not connected yet (ENOTCONN) is as good as full.
            if error.errno not in (11, 107, 115):
                self.end(member)
                return
        member.unsent = bytes(view)
        if member.unsent or self.horde.noise:
            self.watch(member, writes=True)

    def watch(self, member, writes):
        read = 0 if self.horde.slowly else select.EPOLLIN
        self.poller.modify(member.socket, read | select.EPOLLRDHUP | (select.EPOLLOUT if writes else 0))

    def drip(self):
        now = time.monotonic()
        while self.due and self.due[0][0] <= now:
            due, member = self.due.popleft()
            if member.socket.fileno() < 0:
                continue
            # A pace that was missed is not made up for.
            self.due.append((max(due, now - self.horde.every) + self.horde.every, member))
            if self.horde.slowly:
                self.read(member)
            if self.horde.drip and not member.unsent:
                pieces = self.horde.drip
                self.tally["requests"] += self.horde.requests
                self.send(member, pieces[min(member.piece, len(pieces) - 1)])
                member.piece += 1

    def end(self, member):
        descriptor = member.socket.fileno()
        if descriptor < 0:
            return
        self.members.pop(descriptor, None)
        self.poller.unregister(descriptor)
        member.socket.close()
        self.tally["ended"] += 1


def request(method, path, body=b"", *fields, length=None):
    """An HTTP/1.1 request as MCP clients send it."""
    lines = [f"{method} {path} HTTP/1.1", "host: bench", "accept: application/json, text/event-stream", *fields]
    if body or length:
        lines += ["content-type: application/json", f"content-length: {length or len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def initialize(path):
    return request("POST", path, b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25",'
                                 b'"capabilities":{},"clientInfo":{"name":"flood","version":"1"}}}')


def opening_http2():
    return f.PREFACE + f.settings()


def dripping_head():
    """A head of HTTP/2 that is announced whole and comes byte by byte."""
    block = f.head("POST", "/attack", ("content-type", "application/json")) + f.field("x-a", b"a" * 4000)
    sent = f.request(1, block)
    return opening_http2() + sent[:40], [sent[index:index + 1] for index in range(40, 200)]


def continued_head():
    """A head of HTTP/2 in CONTINUATION frames of one byte, which come one by one."""
    block = f.head("POST", "/attack") + f.field("x-a", b"a" * 300)
    pieces = [f.frame(f.CONTINUATION, 0, 1, block[index:index + 1]) for index in range(30, 80)]
    return opening_http2() + f.frame(f.HEADERS, 0, 1, block[:30]), pieces


def dripping_body():
    block = f.head("POST", "/attack", ("content-type", "application/json"), ("content-length", "1000"))
    return opening_http2() + f.request(1, block, ends=False), [f.frame(f.DATA, 0, 1, b" ")]


def shut_stream():
    """A large response through a window that is opened by a byte at a time."""
    return (f.PREFACE + f.settings((4, 1)) + f.request(1, f.head("GET", "/attack/big")),
            [f.window(1, 1)])


def slow_http1(count):
    """By name, hordes that hold what they can for as long as they can."""
    head = request("POST", "/attack", b"", "x-slow: ")[:-4]
    body = request("POST", "/attack", length=1000)
    big = request("GET", "/attack/big")
    return {
        "Slowloris: heads, HTTP/1.1": Horde(head, count, drip=[b"a"]),
        "Slowloris: bodies, HTTP/1.1": Horde(body, count, drip=[b" "]),
        "Slowloris: no byte at all": Horde(b"", count),
        "slow readers, HTTP/1.1": Horde(big, count // 4, slowly=True, reads=512, window=4096),
        "readers of nothing, HTTP/1.1": Horde(big, count // 4, slowly=True, reads=0, window=4096),
    }


def slow_http2(count):
    head, drops = dripping_head()
    continued, frames = continued_head()
    body, data = dripping_body()
    shut, updates = shut_stream()
    return {
        "Slowloris: heads, HTTP/2": Horde(head, count, drip=drops),
        "Slowloris: CONTINUATION, HTTP/2": Horde(continued, count, drip=frames),
        "Slowloris: bodies, HTTP/2": Horde(body, count, drip=data),
        "slow readers, HTTP/2": Horde(shut, count // 4, drip=updates),
    }


def storms(count):
    """Clients that come back at once."""
    stream = request("GET", "/attack/events", b"", "mcp-protocol-version: 2025-11-25")
    limited = request("GET", "/limited/events", b"", "mcp-protocol-version: 2025-11-25")
    return {
        "reconnect storm": Horde(stream, count, leaves=True),
        "reconnect storm, stream_opens": Horde(limited, count, leaves=True),
        "reconnect storm, max_connections_per_address": Horde(stream, count, leaves=True, port="limited"),
        "reconnect storm, connection_opens": Horde(stream, count, leaves=True, port="guarded"),
    }


def floods(rate):
    """`initialize`, so many a second of all attackers together, in batches on connections that are kept."""
    batch, connections = 25, 64
    every = batch * connections / rate

    def flood(path):
        return Horde(b"", connections, drip=[initialize(path) * batch], every=every, requests=batch)

    return {"initialize flood": flood("/attack"), "initialize flood, rate_limit": flood("/limited/mcp")}


def noise():
    return {"noise, plain port": Horde(b"", 16, noise=True), "noise, TLS port": Horde(b"", 16, noise=True, port="https")}


def stalled_handshakes(hello, count):
    return {
        "handshakes that stall": Horde(hello, count, port="https"),
        "handshakes that drip": Horde(hello[:20], count, drip=[hello[i:i + 1] for i in range(20, 200)], port="https"),
    }
