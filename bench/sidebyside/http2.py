"""An HTTP/2 client for event streams: requests without HPACK compression; responses are recognised by their first byte."""

import ssl
import struct
import time

from . import calls
from .processes import BenchError

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
ACK = END_STREAM = 1
END_HEADERS = 4
STATUS_200 = 0x88  # RFC 7541 appendix A: a field of the static table, index 8


def context():
    """A TLS context without verification that offers only HTTP/2."""
    chosen = calls.client_context()
    chosen.set_alpn_protocols(["h2"])
    return chosen


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def fields(pairs):
    """A header block of literals without indexing, no Huffman code (RFC 7541 section 6.2.2); texts below 127 bytes."""
    return b"".join(b"\0" + bytes([len(text)]) + text if position == 0 else bytes([len(text)]) + text
                    for pair in pairs for position, text in enumerate(part.encode() for part in pair))


class Connection:
    """One connection whose streams are GETs of event streams."""

    def __init__(self, port, tls, timeout=5):
        self.port = port
        self.socket = calls.connect(port, tls, timeout)
        if self.socket.selected_alpn_protocol() != "h2":
            raise BenchError(f"port {port} does not speak HTTP/2")
        self.received, self.next, self.answered = b"", 1, set()
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))
        while not self._took(SETTINGS):  # its limits hold before the first stream
            pass

    def open(self, waits=True):
        """Opens a stream and waits for its head; returns the milliseconds, None if the head was not received."""
        stream, self.next = self.next, self.next + 2
        block = fields([(":method", "GET"), (":scheme", "https"), (":authority", f"127.0.0.1:{self.port}"),
                        (":path", "/mcp"), ("accept", "text/event-stream"),
                        ("mcp-protocol-version", calls.SESSIONFUL)])
        sent = time.perf_counter()
        self.socket.sendall(frame(HEADERS, END_HEADERS | END_STREAM, stream, block))
        if not waits:
            return None
        try:
            while stream not in self.answered:
                self._took(HEADERS)
        except TimeoutError:
            return None
        return (time.perf_counter() - sent) * 1000

    def check(self, is_answered):
        """Reads what has come meanwhile; an error if a stream ended, or has no answer that should have one."""
        self.socket.settimeout(0)
        try:
            while True:
                self._took(PING)
        except (BlockingIOError, ssl.SSLWantReadError):
            pass
        if is_answered and len(self.answered) != self.next // 2:
            raise BenchError(f"port {self.port} left event streams without an answer")

    def _took(self, wanted):
        """Reads one frame; true if it is of the kind `wanted`."""
        while len(self.received) < 9 or len(self.received) < 9 + int.from_bytes(self.received[:3], "big"):
            data = self.socket.recv(65536)
            if not data:
                raise BenchError(f"port {self.port} closed a connection of event streams")
            self.received += data
        size = 9 + int.from_bytes(self.received[:3], "big")
        kind, flags, stream = struct.unpack(">BBI", self.received[3:9])
        payload, self.received = self.received[9:size], self.received[size:]
        if kind in (RST_STREAM, GOAWAY) or kind in (DATA, HEADERS) and flags & END_STREAM:
            raise BenchError(f"port {self.port} ended an event stream: frame {kind} {payload[:100]!r}")
        if kind == HEADERS:
            first = payload.lstrip(b"\x20\x3f")[:1]  # an encoder may first say how large its table is
            if first != bytes([STATUS_200]):
                raise BenchError(f"port {self.port} did not answer with an event stream: {payload!r}")
            self.answered.add(stream)
        elif kind in (SETTINGS, PING) and not flags & ACK:
            self.socket.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
        return kind == wanted

    def close(self):
        self.socket.close()
