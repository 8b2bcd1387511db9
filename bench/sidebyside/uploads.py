"""Bodies that clients send: 8 MiB, the most that every peer takes unless told otherwise, one after another on kept connections.

`serve` is the replica: it reads a body to its end and answers with the number of its bytes, or, if it is asked, with their digest.
"""

import hashlib
import os
import select
import selectors
import socket
import ssl
import time

from .calls import client_context, connect, encode
from .processes import BenchError

SIZE = 8 << 20
CHUNK = 64 << 10
PATH = "/upload"
GIGABYTE = 1e9


def make_body():
    """Random bytes, which cannot be compressed."""
    block = os.urandom(1 << 20)
    return b"".join(block[number:] + block[:number] for number in range(SIZE >> 20))


def _request(port, body, chunked, digest=False):
    """A whole POST: with Content-Length, or in chunks of 64 KiB."""
    fields = {"Content-Type": "application/octet-stream"} | ({"X-Digest": "1"} if digest else {})
    if not chunked:
        return encode(port, "", fields | {"Content-Length": len(body)}, path=PATH) + body
    chunks = [b"%x\r\n%s\r\n" % (len(body[at:at + CHUNK]), body[at:at + CHUNK]) for at in range(0, len(body), CHUNK)]
    return encode(port, "", fields | {"Transfer-Encoding": "chunked"}, path=PATH) + b"".join(chunks) + b"0\r\n\r\n"


class _Upload:
    """One body after another on a connection that is kept."""

    def __init__(self, port, tls, request):
        self.port, self.request = port, memoryview(request)
        self.connection = connect(port, client_context() if tls else None)

    def begin(self, now):
        self.sent, self.answer, self.began = 0, b"", now

    def go_on(self):
        """Sends what the connection takes, then reads the answer; returns the answer's body, None if it is not there yet."""
        while self.sent < len(self.request):
            self.sent += self.connection.send(self.request[self.sent:self.sent + (256 << 10)])
        data = self.connection.recv(4096)
        if not data:
            raise BenchError(f"port {self.port} closed the connection at a body")
        self.answer += data
        head, found, body = self.answer.partition(b"\r\n\r\n")
        if not found:
            return None
        if b" 200 " not in head[:16]:
            raise BenchError(f"port {self.port} answered a body with {head[:200]!r}")
        return body if body.endswith(b"\n") else None

    def wants_to_send(self):
        return self.sent < len(self.request)

    def close(self):
        self.connection.close()


def check(port, tls, chunked):
    """Sends a body once; the replica's digest must be that of what was sent."""
    body = make_body()
    upload = _Upload(port, tls, _request(port, body, chunked, digest=True))
    try:
        upload.begin(0)
        answer = None
        while answer is None:
            answer = upload.go_on()
    finally:
        upload.close()
    if answer.strip() != hashlib.blake2b(body).hexdigest().encode():
        raise BenchError(f"port {port} changed the bytes of a body, or lost some: {answer[:150]!r}")


def run(port, tls, chunked, seconds, connections):
    """Sends bodies over `connections` for `seconds`, then until the last ones are answered. Units are gigabytes."""
    request = _request(port, make_body(), chunked)
    uploads = [_Upload(port, tls, request) for _ in range(connections)]
    bodies, times, selector = 0, [], selectors.DefaultSelector()
    began = time.monotonic()
    both = selectors.EVENT_READ | selectors.EVENT_WRITE
    try:
        for upload in uploads:
            upload.begin(began)
            upload.connection.setblocking(False)
            selector.register(upload.connection, both, upload)
        waiting = len(uploads)
        while waiting:
            ready = selector.select(10)
            if not ready:
                raise BenchError(f"port {port} stopped inside a body")
            for key, _ in ready:
                upload = key.data
                try:
                    answer = upload.go_on()
                except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                    answer = None
                if answer is None:
                    # Until the body is sent; from then on the connection can always take more.
                    selector.modify(upload.connection, both if upload.wants_to_send() else selectors.EVENT_READ, upload)
                    continue
                if answer.strip() != b"%d" % SIZE:
                    raise BenchError(f"port {port} lost bytes of a body: {answer!r} of {SIZE} arrived")
                now = time.monotonic()
                bodies += 1
                times.append((now - upload.began) * 1e6)
                if now - began < seconds:
                    upload.begin(now)
                    selector.modify(upload.connection, both, upload)
                else:
                    selector.unregister(upload.connection)
                    waiting -= 1
    finally:
        selector.close()
        for upload in uploads:
            upload.close()
    times.sort()
    return {"units": bodies * SIZE / GIGABYTE, "microseconds": (time.monotonic() - began) * 1e6, "errors": 0,
            "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}


class _Body:
    """A request that arrives: its head, then a body that is counted and, if it is asked for, digested."""

    def __init__(self):
        self.begin()

    def begin(self):
        self.head, self.left, self.chunked, self.count, self.digest, self.line = b"", None, False, 0, None, b""

    def take(self, data):
        """Takes bytes; returns the answer when the request is whole. Clients wait for it, so nothing follows."""
        if self.left is None:
            self.head += data
            head, found, rest = self.head.partition(b"\r\n\r\n")
            if not found:
                return None
            fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
            self.chunked = b"transfer-encoding" in fields
            self.digest = hashlib.blake2b() if b"x-digest" in fields else None
            self.left = 0 if self.chunked else int(fields.get(b"content-length", 0))
            data = memoryview(rest)
        if not (self._chunks(data) if self.chunked else self._length(data)):
            return None
        told = self.digest.hexdigest() if self.digest else str(self.count)
        self.begin()
        return f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(told) + 1}\r\n\r\n{told}\n".encode()

    def _note(self, data):
        self.count += len(data)
        if self.digest:
            self.digest.update(data)

    def _length(self, data):
        self._note(data)
        self.left -= len(data)
        return self.left <= 0

    def _chunks(self, data):
        """`left` are bytes of the chunk's data and its line's end; `line` is what has arrived of a size."""
        at = 0
        while at < len(data):
            if self.left:
                part = data[at:at + self.left]
                at += len(part)
                self._note(part[:max(0, self.left - 2)])
                self.left -= len(part)
                continue
            end = bytes(data[at:at + 32]).find(b"\n")
            if end < 0:
                self.line += bytes(data[at:])
                break
            line, self.line, at = (self.line + bytes(data[at:at + end])).strip(), b"", at + end + 1
            if line == b"0":
                self.line = b"last"   # the empty line of the trailer follows
            elif line == b"last":
                return True
            else:
                self.left = int(line.partition(b";")[0], 16) + 2
        return False


def serve():
    """Listens on a port of the kernel's choice, prints it, and serves until it is ended."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    poller, connections, space = select.epoll(), {}, memoryview(bytearray(1 << 20))
    poller.register(listener, select.EPOLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == listener.fileno():
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connections[connection.fileno()] = (connection, _Body())
                poller.register(connection, select.EPOLLIN)
                continue
            connection, body = connections[descriptor]
            try:
                size = connection.recv_into(space)
            except OSError:
                size = 0
            if not size:
                del connections[descriptor]
                connection.close()
                continue
            answer = body.take(space[:size])
            if answer:
                connection.send(answer)
