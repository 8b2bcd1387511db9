"""The replica of event streams: a head at once, then no events or events at a fixed rate. One thread, one epoll."""

import re
import select
import socket
import time

from . import fanout

HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n")
SLOTS = 100  # of a period: streams take turns, so that events come evenly and not in bursts
_RATE = re.compile(rb"^GET \S*[?&]events=(\d+)")


class _Wheel:
    """Streams of one rate, spread over the slots of a period."""

    def __init__(self, rate):
        self.slots, self.streams = [{} for _ in range(SLOTS)], 0
        self.pause = 1 / rate / SLOTS
        self.slot, self.due = 0, time.monotonic()

    def add(self, connection):
        slot = self.slots[self.streams % SLOTS]
        self.streams += 1
        slot[connection] = 1
        return slot

    def is_empty(self):
        return not any(self.slots)

    def turn(self, now):
        """Sends what is due; returns the moment of the next slot."""
        while self.due <= now:
            for connection, number in list(self.slots[self.slot].items()):
                try:
                    connection.send(fanout.event(number, time.monotonic_ns()))
                    self.slots[self.slot][connection] = number + 1
                except OSError:
                    # The client has closed, or its buffer is full: it will find the end of the stream or the gap.
                    del self.slots[self.slot][connection]
            self.slot, self.due = (self.slot + 1) % SLOTS, self.due + self.pause
            if now - self.due > 1:
                self.due = now  # after a pause, missed events are not sent in a burst
        return self.due


def serve():
    """Listens on a port of the kernel's choice, prints it, and serves until it is ended."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listener.setblocking(False)
    print(listener.getsockname()[1], flush=True)
    poller = select.epoll()
    poller.register(listener, select.EPOLLIN)
    connections, wheels, slots = {}, {}, {}
    while True:
        due = [wheel.turn(time.monotonic()) for wheel in wheels.values() if not wheel.is_empty()]
        for descriptor, _ in poller.poll(max(0, min(due) - time.monotonic()) if due else None):
            if descriptor == listener.fileno():
                _accept(listener, poller, connections)
                continue
            connection = connections[descriptor]
            try:
                data = connection.recv(65536)
            except OSError:
                data = b""
            if not data:
                del connections[descriptor]
                slots.pop(connection, {}).pop(connection, None)
                connection.close()
            elif data.endswith(b"\r\n\r\n"):  # a GET is small and arrives in one piece
                connection.send(HEAD)
                rate = _RATE.match(data)
                if rate:
                    slots[connection] = wheels.setdefault(rate[1], _Wheel(int(rate[1]))).add(connection)


def _accept(listener, poller, connections):
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections[connection.fileno()] = connection
        poller.register(connection, select.EPOLLIN)
