"""The processes on the load's core: victims and replicas at normal priority, attackers only when no other process runs."""

import array
import asyncio
import os
import select
import socket
import ssl
import time

from . import frames as f, hordes

SPIN, ATTACK, LEAVE = 0, 1, 2
PIECE = 16384
BODY = (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"'
        + b"x" * 200 + b'"}}}')
REPLY = b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"' + b"y" * 420 + b'"}]}}'


class Priorities:
    """How the processes of a run are scheduled."""
    # Other work of the machine must not count: what is measured cannot be preempted by it. It is fair to attackers. The kernel
    # takes a twentieth of a second from who uses all of one: a figure of an attack that has Berth do so is worth nothing.
    is_busy = False


def settle(cpu, idle=False):
    os.sched_setaffinity(0, {cpu})
    if Priorities.is_busy:
        if not idle:
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    elif idle:
        os.nice(19)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def trusting(protocol):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    return context


# --- attackers


class Attacker:
    """Performs one attack after another on its own connections. Spins in between, so that the core is as busy without attacks."""

    def __init__(self, number, of, cpu, ports, attacks, state, made, tally):
        self.source, self.cpu, self.ports = f"127.0.0.{66 + number}", cpu, ports
        self.attacks, self.state, self.made, self.number, self.of = attacks, state, made, number, of
        self.tally = hordes.Tally(tally, number)
        self.context = trusting("h2")

    def port(self, name):
        return self.ports[name]

    def run(self):
        settle(self.cpu, idle=True)
        while self.state[0] != LEAVE:
            if self.state[0] == SPIN:
                for _ in range(2000):
                    pass
                continue
            attack = self.attacks[self.state[1]]
            try:
                if attack.horde:
                    share = (attack.horde.together + self.number) // self.of
                    hordes.Rank(attack.horde, self, share, lambda: self.state[0] == ATTACK).run()
                else:
                    self.serve(attack)
            except OSError:
                pass

    def connect(self, attack):
        connected = socket.socket()
        # A close is a reset: nothing of an attack lingers in this machine's tables.
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        connected.bind((self.source, 0))
        connected.settimeout(1)
        connected.connect(("127.0.0.1", self.ports[attack.port or ("https" if attack.tls else "http")]))
        self.made[self.number] += 1
        self.tally["connections"] += 1
        return connected

    def serve(self, attack):
        held = []
        try:
            for _ in range(attack.together):
                if self.state[0] != ATTACK:
                    break
                connected = self.connect(attack)
                held.append(connected)
                if attack.handshakes:
                    connected = self.context.wrap_socket(connected, server_hostname="localhost")
                    held[-1] = connected
                else:
                    send(connected, attack.bytes)
            end = time.monotonic() + attack.timeout
            while held and self.state[0] == ATTACK and (left := end - time.monotonic()) > 0:
                for connected in select.select(held, [], [], min(left, 0.1))[0]:
                    # The attack is a half handshake; it is complete with the server's answer.
                    if not drained(connected) or attack.tls:
                        held.remove(connected)
                        connected.close()
        finally:
            for connected in held:
                connected.close()


def send(connected, data):
    """Sends in pieces: a process is not preempted within a system call, and victims must wait for Berth only."""
    for start in range(0, len(data), PIECE):
        connected.sendall(data[start:start + PIECE])


def drained(connected):
    """Reads without blocking; false once the connection has ended."""
    connected.setblocking(False)
    try:
        return bool(connected.recv(65536))
    except (BlockingIOError, ssl.SSLWantReadError):
        return True
    except OSError:
        return False


# --- victims


class Victim:
    """Calls at a steady rate on one connection; writes (when it was sent, how long it took) to a file, in seconds."""

    def __init__(self, protocol, cpu, port, rate, path, state):
        self.protocol, self.cpu, self.port, self.rate, self.path, self.state = protocol, cpu, port, rate, path, state
        self.reader, self.stream, self.failures = f.Reader(), 1, 0

    def run(self):
        settle(self.cpu)
        self.connect()
        figures = array.array("d")
        due = time.monotonic()
        while self.state[0] != LEAVE:
            # Calls that were missed are not repeated here: `Slice.look` accounts for them.
            due = max(due + 1 / self.rate, time.monotonic())
            time.sleep(max(0, due - time.monotonic()))
            sent = time.monotonic()
            try:
                self.call()
                figures.extend((sent, time.monotonic() - sent))
            except OSError:
                figures.extend((sent, -1.0))
                self.connect()
        with open(self.path, "wb") as out:
            figures.tofile(out)

    def connect(self):
        for _ in range(100):
            try:
                plain = socket.create_connection(("127.0.0.1", self.port), 10)
                plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socket = trusting(self.protocol).wrap_socket(plain, server_hostname="localhost")
                break
            except OSError:
                time.sleep(0.02)
        self.reader, self.stream = f.Reader(), 1
        if self.protocol == "h2":
            self.socket.sendall(f.PREFACE + f.settings() + f.window(0, 1 << 30))

    def call(self):
        if self.protocol == "h2":
            self.call_http2()
        else:
            self.socket.sendall(b"POST /mcp HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\naccept: "
                                b"application/json, text/event-stream\r\nmcp-protocol-version: 2026-07-28\r\n"
                                b"content-length: %d\r\n\r\n%s" % (len(BODY), BODY))
            received = b""
            while not received.endswith(REPLY):
                received += self.more()

    def call_http2(self):
        stream, self.stream = self.stream, self.stream + 2
        block = f.head("POST", "/mcp", ("content-type", "application/json"), ("mcp-protocol-version", "2026-07-28"),
                       ("accept", "application/json, text/event-stream"), ("content-length", str(len(BODY))))
        self.socket.sendall(f.request(stream, block, ends=False) + f.frame(f.DATA, f.END_STREAM, stream, BODY))
        received = b""
        while True:
            for kind, flags, on, payload in self.reader.take(self.more()):
                if kind in (f.SETTINGS, f.PING) and not flags & f.ACK:
                    self.socket.sendall(f.frame(kind, f.ACK, 0, payload if kind == f.PING else b""))
                elif kind == f.GOAWAY or kind == f.RST_STREAM and on == stream:
                    raise OSError("the call was cut off")
                elif kind == f.DATA and on == stream:
                    received += payload
                    if flags & f.END_STREAM:
                        if received != REPLY:
                            raise OSError("a wrong answer")
                        return

    def more(self):
        data = self.socket.recv(65536)
        if not data:
            raise OSError("the connection ended")
        return data


# --- replicas


class Replica(asyncio.Protocol):
    """Answers every request: with a small reply, a large body, or events that say when they were sent."""

    opened = 0  # event streams; they begin at different times, so that their events are not due at once

    def connection_made(self, transport):
        self.transport, self.received, self.events = transport, b"", None
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PIECE)

    def connection_lost(self, error):
        if self.events:
            self.events.cancel()

    def data_received(self, data):
        self.received += data
        while (end := self.received.find(b"\r\n\r\n")) >= 0:
            head = self.received[:end].lower()
            length = int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or 0)
            if len(self.received) < end + 4 + length:
                return
            self.received = self.received[end + 4 + length:]
            path = head.split(b" ", 2)[1]
            if path == b"/attack/big":
                self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n" + bytes(1000000))
            elif path.endswith(b"/events"):
                self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                                     b"transfer-encoding: chunked\r\n\r\n")
                Replica.opened += 1
                self.events = asyncio.get_running_loop().call_later(1 + Replica.opened * 37 % 200 / 2000, self.send_event)
            else:
                self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                                     % (len(REPLY), REPLY))

    def send_event(self):
        event = b"data: %020d\n\n" % time.monotonic_ns()
        self.transport.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.events = asyncio.get_running_loop().call_later(0.1, self.send_event)


def serve(cpu, idle, port):
    """A replica's process; it writes its port to `port`."""
    settle(cpu, idle)

    async def main():
        server = await asyncio.get_running_loop().create_server(Replica, "127.0.0.1", 0, backlog=4096)
        port.value = server.sockets[0].getsockname()[1]
        await server.serve_forever()

    asyncio.run(main())
