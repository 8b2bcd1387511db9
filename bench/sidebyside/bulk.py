"""Large bodies: a file of 64 MiB, fetched repeatedly; its bytes are compared once and counted always."""

import hashlib
import os
import selectors
import ssl
import time

from .calls import client_context, connect, encode
from .processes import BenchError

SIZE = 64 << 20
PATH = "/bulk"
GIGABYTE = 1e9


def make_file(path):
    """Writes the body: random bytes, which cannot be compressed."""
    block = os.urandom(1 << 20)
    with open(path, "wb") as file:
        for number in range(SIZE >> 20):
            file.write(block[number:] + block[:number])
    return path


class _Download:
    """One body after another on a connection that is kept."""

    def __init__(self, port, tls):
        self.port, self.request = port, encode(port, "", {"Accept": "application/octet-stream"}, "GET", PATH)
        self.connection = connect(port, client_context() if tls else None)
        self.space = memoryview(bytearray(256 << 10))
        self.left = 0

    def begin(self):
        self.connection.sendall(self.request)
        self.head = b""
        self.left = None  # not known before the head is read

    def take(self):
        """Reads from the connection; returns the bytes of the body."""
        size = self.connection.recv_into(self.space)
        if not size:
            raise BenchError(f"port {self.port} closed the connection inside a body")
        part = self.space[:size]
        if self.left is None:
            self.head += part
            head, found, _ = self.head.partition(b"\r\n\r\n")
            if not found:
                return b""
            if b" 200 " not in head[:16] or f"content-length: {SIZE}".encode() not in head.lower():
                raise BenchError(f"port {self.port} did not answer with the body: {head!r}")
            part = self.head[len(head) + 4:]
            self.left = SIZE
        self.left -= len(part)
        if self.left < 0:
            raise BenchError(f"port {self.port} sent more than the body")
        return part

    def close(self):
        self.connection.close()


def check(port, tls, path):
    """Fetches the body once and compares every byte."""
    download, digest = _Download(port, tls), hashlib.blake2b()
    try:
        download.begin()
        while download.left != 0:
            digest.update(download.take())
    finally:
        download.close()
    with open(path, "rb") as file:
        if hashlib.file_digest(file, "blake2b").digest() != digest.digest():
            raise BenchError(f"port {port} changed the bytes of a body")


def run(port, tls, seconds, connections):
    """Fetches bodies over `connections` for `seconds`, then until the last ones are whole. Units are gigabytes."""
    downloads = [_Download(port, tls) for _ in range(connections)]
    bodies, times, selector = 0, [], selectors.DefaultSelector()
    began = time.monotonic()
    try:
        for download in downloads:
            download.begin()
            download.began = began
            download.connection.setblocking(False)
            selector.register(download.connection, selectors.EVENT_READ, download)
        waiting = len(downloads)
        while waiting:
            ready = selector.select(10)
            if not ready:
                raise BenchError(f"port {port} stopped inside a body")
            for key, _ in ready:
                try:
                    while key.data.left != 0:
                        key.data.take()
                except (BlockingIOError, ssl.SSLWantReadError):
                    continue
                now = time.monotonic()
                bodies += 1
                times.append((now - key.data.began) * 1e6)
                if now - began < seconds:
                    key.data.begin()
                    key.data.began = now
                else:
                    selector.unregister(key.fileobj)
                    waiting -= 1
    finally:
        selector.close()
        for download in downloads:
            download.close()
    times.sort()
    return {"units": bodies * SIZE / GIGABYTE, "microseconds": (time.monotonic() - began) * 1e6, "errors": 0,
            "p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100]}
