"""HTTP/2 frames and header blocks as bytes: valid ones, invalid ones and floods."""

import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
ACK = END_STREAM = 1
END_HEADERS = 4


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + struct.pack(">BBI", kind, flags, stream) + payload


def number(value, bits, first=0):
    """An integer with a prefix of `bits` bits (RFC 7541 section 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes([first | value])
    coded, value = [first | most], value - most
    while value >= 128:
        coded.append(value & 127 | 128)
        value >>= 7
    return bytes(coded + [value])


def text(value):
    value = value if isinstance(value, bytes) else value.encode()
    return number(len(value), 7) + value


def field(name, value, indexed=False):
    """A literal with a new name, no Huffman code; `indexed`: it goes into the dynamic table."""
    return (b"\x40" if indexed else b"\x00") + text(name) + text(value)


def head(method, path, *fields, scheme="https", authority="bench"):
    block = field(":method", method) + field(":scheme", scheme) + field(":path", path) + field(":authority", authority)
    return block + b"".join(field(name, value) for name, value in fields)


def request(stream, block, ends=True):
    return frame(HEADERS, END_HEADERS | (END_STREAM if ends else 0), stream, block)


def reset(stream, code=8):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def window(stream, more):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", more))


def settings(*pairs):
    return frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


class Reader:
    """Parses frames from a stream of bytes."""

    def __init__(self):
        self.pending = b""

    def take(self, data):
        """The frames that `data` completes, as (kind, flags, stream, payload)."""
        self.pending += data
        start, found = 0, []
        while len(self.pending) - start >= 9:
            end = start + 9 + int.from_bytes(self.pending[start:start + 3], "big")
            if len(self.pending) < end:
                break
            kind, flags, stream = struct.unpack_from(">BBI", self.pending, start + 3)
            found.append((kind, flags, stream, self.pending[start + 9:end]))
            start = end
        self.pending = self.pending[start:]
        return found
