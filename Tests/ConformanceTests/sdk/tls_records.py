"""Sends records of TLS 1.3 that no client should send, and some that few do, to two listeners of one Berth: one keeps connections in
OpenSSL, one has records of its own after the handshake. Both must say the same: the same alert, an answer, or a closed connection.

The client is tlslite-ng, which shares no code with either. Prints what differs.
"""

import argparse
import json
import re
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tlslite.api import HandshakeSettings, TLSConnection
from tlslite.errors import TLSAbruptCloseError, TLSClosedConnectionError, TLSRemoteAlert

REQUEST = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
CCS, ALERT, HANDSHAKE, DATA, HEARTBEAT = 20, 21, 22, 23, 24
CONFIGURATION = """\
[global]
workers = 1
secret = "file:{folder}/session.keys"
[[listen]]
https = "127.0.0.1:0"
cert = "{folder}/pair.pem"
key = "{folder}/key.pem"
tls = {{ records = "openssl" }}
[[listen]]
https = "127.0.0.1:0"
cert = "{folder}/pair.pem"
key = "{folder}/key.pem"
tls = {{ records = "berth" }}
[upstream.mcp]
servers = ["127.0.0.1:9"]
"""


class Client:
    """A connection after its handshake."""

    def __init__(self, port, cipher):
        self.socket = socket.create_connection(("127.0.0.1", port), 20)
        self.connection = TLSConnection(self.socket)
        settings = HandshakeSettings()
        settings.minVersion = settings.maxVersion = (3, 4)
        settings.cipherNames = [cipher]
        self.connection.handshakeClientCert(settings=settings)

    def encrypted(self, inner, length=None, change=None):
        """A record with this content, type and padding; `length` and `change` make its header or a byte of it false."""
        layer = self.connection._recordLayer
        name = next(name for name in dir(layer) if name.startswith("_encryptThenS"))  # not the one with a MAC
        body = bytearray(getattr(layer, name)(bytearray(inner), DATA))
        if change is not None:
            body[change] ^= 1
        count = len(body) if length is None else length
        return bytes([DATA, 3, 3, count >> 8, count & 255]) + bytes(body)

    def send(self, *parts):
        self.socket.sendall(b"".join(parts))

    def content(self, content, kind, padding=0):
        return self.encrypted(bytes(content) + bytes([kind]) + bytes(padding))

    def request(self):
        return self.content(REQUEST, DATA)

    def update_keys(self):
        """From here on records are encrypted with the next keys."""
        session = self.connection.session
        session.cl_app_secret, session.sr_app_secret = self.connection._recordLayer.calcTLS1_3KeyUpdate_reciever(
            session.cipherSuite, session.cl_app_secret, session.sr_app_secret)

    def verdict(self):
        """What the server says to all that."""
        received = b""
        try:
            while data := self.connection.recv(65536):
                received += bytes(data)
        except TLSRemoteAlert as alert:
            return f"{self.answer(received)}alert {alert.description}"
        except (TLSAbruptCloseError, TLSClosedConnectionError, ConnectionResetError, BrokenPipeError):
            return f"{self.answer(received)}closed"
        except TimeoutError:
            return f"{self.answer(received)}silence"
        return f"{self.answer(received)}close_notify"

    @staticmethod
    def answer(received):
        return f"{received[:9].decode('latin-1')}... " if received else ""


def key_update(value):
    return bytes([24, 0, 0, len(value)]) + bytes(value)


def updated(client, *records):
    """Records that make a KeyUpdate, then a request with the next keys."""
    client.send(*records)
    client.update_keys()
    client.send(client.request())


def pieces(client, content, kind, sizes):
    start, records = 0, []
    for size in sizes:
        records.append(client.content(content[start:start + size], kind))
        start += size
    return records


CASES = {
    "a request": lambda c: c.send(c.request()),
    "a request in records of one byte": lambda c: c.send(*pieces(c, REQUEST, DATA, [1] * len(REQUEST))),
    "padding of 1 byte": lambda c: c.send(c.content(REQUEST, DATA, 1)),
    "padding of 1,000 bytes": lambda c: c.send(c.content(REQUEST, DATA, 1_000)),
    "padding up to the limit": lambda c: c.send(c.content(REQUEST, DATA, (1 << 14) - len(REQUEST))),
    "padding beyond the limit": lambda c: c.send(c.content(REQUEST, DATA, (1 << 14) - len(REQUEST) + 1)),
    "an empty record before": lambda c: c.send(c.content(b"", DATA), c.request()),
    "an empty record with padding before": lambda c: c.send(c.content(b"", DATA, 99), c.request()),
    "20 empty records before": lambda c: c.send(*[c.content(b"", DATA) for _ in range(20)], c.request()),
    "40 empty records before": lambda c: c.send(*[c.content(b"", DATA) for _ in range(40)], c.request()),
    "zeros only": lambda c: c.send(c.encrypted(bytes(20)), c.request()),
    "one zero": lambda c: c.send(c.encrypted(bytes(1)), c.request()),
    "nothing, encrypted": lambda c: c.send(c.encrypted(b""), c.request()),
    "16,384 bytes": lambda c: c.send(c.content(REQUEST + bytes((1 << 14) - len(REQUEST)), DATA)),
    "16,385 bytes": lambda c: c.send(c.content(REQUEST + bytes((1 << 14) - len(REQUEST) + 1), DATA)),
    "a length beyond the limit": lambda c: c.send(c.encrypted(REQUEST + b"\x17", length=(1 << 14) + 257)),
    "a length of 65,535": lambda c: c.send(c.encrypted(REQUEST + b"\x17", length=65_535)),
    "a length of 0": lambda c: c.send(bytes([DATA, 3, 3, 0, 0]), c.request()),
    "a length of 15": lambda c: c.send(bytes([DATA, 3, 3, 0, 15]), bytes(15), c.request()),
    "a length of 16": lambda c: c.send(bytes([DATA, 3, 3, 0, 16]), bytes(16), c.request()),
    "the first byte changed": lambda c: c.send(c.encrypted(REQUEST + b"\x17", change=0)),
    "the tag changed": lambda c: c.send(c.encrypted(REQUEST + b"\x17", change=-1)),
    "a record twice": lambda c: (lambda record: c.send(record, record))(c.content(b"GET ", DATA)),
    "a record left out": lambda c: (c.content(b"", DATA), c.send(c.request())),
    "records exchanged": lambda c: (lambda first, second: c.send(second, first))(c.content(b"GET", DATA), c.request()),
    "version 3.1 in the header": lambda c: c.send(b"\x17\x03\x01" + c.request()[3:]),
    "version 3.4 in the header": lambda c: c.send(b"\x17\x03\x04" + c.request()[3:]),
    "version 2.0 in the header": lambda c: c.send(b"\x17\x02\x00" + c.request()[3:]),
    "data in clear": lambda c: c.send(bytes([DATA, 3, 3, 0, len(REQUEST)]) + REQUEST),
    "an alert in clear": lambda c: c.send(bytes([ALERT, 3, 3, 0, 2, 2, 40])),
    "close_notify in clear": lambda c: c.send(bytes([ALERT, 3, 3, 0, 2, 1, 0])),
    "a handshake message in clear": lambda c: c.send(bytes([HANDSHAKE, 3, 3, 0, 5]) + key_update([0])),
    "change_cipher_spec in clear": lambda c: c.send(bytes([CCS, 3, 3, 0, 1, 1]), c.request()),
    "change_cipher_spec, encrypted": lambda c: c.send(c.content([1], CCS), c.request()),
    "a heartbeat in clear": lambda c: c.send(bytes([HEARTBEAT, 3, 3, 0, 3, 1, 0, 0])),
    "a heartbeat, encrypted": lambda c: c.send(c.content([1, 0, 0], HEARTBEAT), c.request()),
    "an unknown type, encrypted": lambda c: c.send(c.content([1], 99), c.request()),
    "an unknown type in clear": lambda c: c.send(bytes([99, 3, 3, 0, 1, 1])),
    "plain HTTP": lambda c: c.send(REQUEST),
    "close_notify": lambda c: c.send(c.content([1, 0], ALERT)),
    "close_notify after a request": lambda c: c.send(c.request(), c.content([1, 0], ALERT)),
    "close_notify as fatal": lambda c: c.send(c.content([2, 0], ALERT)),
    "user_canceled before a request": lambda c: c.send(c.content([1, 90], ALERT), c.request()),
    "a fatal alert": lambda c: c.send(c.content([2, 40], ALERT)),
    "a warning that TLS 1.3 has not": lambda c: c.send(c.content([1, 40], ALERT), c.request()),
    "an alert of one byte": lambda c: c.send(c.content([1], ALERT), c.request()),
    "an alert of three bytes": lambda c: c.send(c.content([1, 0, 0], ALERT), c.request()),
    "two alerts in a record": lambda c: c.send(c.content([1, 90, 1, 90], ALERT), c.request()),
    "an empty alert": lambda c: c.send(c.content([], ALERT), c.request()),
    "an alert of a level that is none": lambda c: c.send(c.content([3, 0], ALERT), c.request()),
    "KeyUpdate": lambda c: updated(c, c.content(key_update([0]), HANDSHAKE)),
    "KeyUpdate, asked for ours": lambda c: updated(c, c.content(key_update([1]), HANDSHAKE)),
    "KeyUpdate with padding": lambda c: updated(c, c.content(key_update([0]), HANDSHAKE, 50)),
    "KeyUpdate in pieces": lambda c: updated(c, *pieces(c, key_update([1]), HANDSHAKE, [1, 3, 1])),
    "KeyUpdate with the old keys after it": lambda c: c.send(c.content(key_update([0]), HANDSHAKE), c.request()),
    "KeyUpdate of value 2": lambda c: c.send(c.content(key_update([2]), HANDSHAKE), c.request()),
    "KeyUpdate without a value": lambda c: c.send(c.content(key_update([]), HANDSHAKE), c.request()),
    "KeyUpdate of two bytes": lambda c: c.send(c.content(key_update([0, 0]), HANDSHAKE), c.request()),
    "two KeyUpdates in a record": lambda c: c.send(c.content(key_update([0]) + key_update([0]), HANDSHAKE), c.request()),
    "KeyUpdate with half a message after it": lambda c: c.send(c.content(key_update([0]) + b"\x18", HANDSHAKE), c.request()),
    "half a KeyUpdate, then data": lambda c: c.send(c.content(key_update([0])[:3], HANDSHAKE), c.request()),
    "an empty handshake record": lambda c: c.send(c.content([], HANDSHAKE), c.request()),
    "a message of 16 MiB announced": lambda c: c.send(c.content([24, 255, 255, 255], HANDSHAKE), c.request()),
    "ClientHello again": lambda c: c.send(c.content([1, 0, 0, 40] + [0] * 40, HANDSHAKE), c.request()),
    "Finished again": lambda c: c.send(c.content([20, 0, 0, 32] + [0] * 32, HANDSHAKE), c.request()),
    "Certificate unasked": lambda c: c.send(c.content([11, 0, 0, 4, 0, 0, 0, 0], HANDSHAKE), c.request()),
    "NewSessionTicket from a client": lambda c: c.send(c.content([4, 0, 0, 20] + [0] * 20, HANDSHAKE), c.request()),
    "HelloRequest": lambda c: c.send(c.content([0, 0, 0, 0], HANDSHAKE), c.request()),
    "EndOfEarlyData": lambda c: c.send(c.content([5, 0, 0, 0], HANDSHAKE), c.request()),
    "an unknown message": lambda c: c.send(c.content([99, 0, 0, 0], HANDSHAKE), c.request()),
    "half a record, then the end": lambda c: (c.send(c.request()[:20]), c.socket.shutdown(socket.SHUT_WR)),
    "half a header, then the end": lambda c: (c.send(c.request()[:3]), c.socket.shutdown(socket.SHUT_WR)),
    "the end": lambda c: c.socket.shutdown(socket.SHUT_WR),
}


def judged(port, cipher, act):
    client = Client(port, cipher)
    try:
        act(client)
        return client.verdict()
    except (ConnectionResetError, BrokenPipeError):
        return "closed"
    finally:
        client.socket.close()


def ports(berth):
    """The ports of the two listeners, which are said as they are bound."""
    found = []
    for line in berth.stdout:
        if match := re.search(r"https://127\.0\.0\.1:(\d+)", line):
            found.append(int(match[1]))
        if len(found) == 2:
            return found
    raise SystemExit("berth did not start")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("berth", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--show", action="store_true", help="print every verdict")
    options = parser.parse_args()
    folder = options.folder
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", folder / "key.pem",
                    "-out", folder / "pair.pem", "-subj", "/CN=localhost", "-days", "2"], check=True, capture_output=True)
    file = folder / "records.toml"
    file.write_text(CONFIGURATION.format(folder=folder))
    berth = subprocess.Popen([options.berth, "run", file], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    right, wrong, verdicts = 0, [], {}
    try:
        openssl, own = ports(berth)
        threading.Thread(target=berth.stdout.read, daemon=True).start()
        for cipher in ("aes128gcm", "aes256gcm", "chacha20-poly1305"):
            for name, act in CASES.items():
                expected, found = judged(openssl, cipher, act), judged(own, cipher, act)
                verdicts.setdefault(name, set()).add(f"{expected} | {found}")
                if expected == found:
                    right += 1
                else:
                    wrong.append(f"{name}, {cipher}: OpenSSL says {expected!r}, Berth {found!r}")
        alive = berth.poll() is None
        if not alive:
            wrong.append(f"berth ended with {berth.returncode}")
    finally:
        berth.terminate()
        berth.wait(20)
    if options.show:
        for name, said in verdicts.items():
            print(f"{name}: {' / '.join(sorted(said))}", file=sys.stderr)
    print(json.dumps({"right": right, "wrongCount": len(wrong), "wrong": wrong[:20]}))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
