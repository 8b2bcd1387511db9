"""Many event streams and a stalled one on one connection: how long an event takes from the replica to the client."""

import socket
import time

from . import actors, frames as f


def measure(stage, cpu, count, seconds):
    """The sorted milliseconds of every event, and how many streams had any."""
    actors.settle(cpu)
    plain = socket.create_connection(("127.0.0.1", stage.https), 10)
    plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = actors.trusting("h2").wrap_socket(plain, server_hostname="localhost")
    connection.sendall(f.PREFACE + f.settings() + f.window(0, 1 << 30))
    # The first stream's window is never opened again: 65,535 of its 1,000,000 bytes are received.
    connection.sendall(f.request(1, f.head("GET", "/attack/big")))
    block = f.head("GET", "/events", ("accept", "text/event-stream"))
    for stream in range(3, 3 + 2 * count, 2):
        connection.sendall(f.request(stream, block))
    reader, times, received, stalled = f.Reader(), [], set(), 0
    begins = time.monotonic() + 2
    ends = begins + seconds
    connection.settimeout(5)
    while time.monotonic() < ends:
        data = connection.recv(65536)
        now = time.monotonic_ns()
        if not data:
            raise OSError("the connection ended")
        for kind, flags, stream, payload in reader.take(data):
            if kind in (f.SETTINGS, f.PING) and not flags & f.ACK:
                connection.sendall(f.frame(kind, f.ACK, 0, payload if kind == f.PING else b""))
            elif kind in (f.GOAWAY, f.RST_STREAM) and stream != 1:
                raise OSError(f"frame {kind} on stream {stream}")
            elif kind == f.DATA and stream == 1:
                stalled += len(payload)
            elif kind == f.DATA:
                for event in payload.split(b"\n\n"):
                    if event.startswith(b"data: ") and now / 1e9 >= begins:
                        times.append((now - int(event[6:])) / 1e6)
                        received.add(stream)
    connection.close()
    return sorted(times), len(received), stalled
