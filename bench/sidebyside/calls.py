"""The call of all workloads: a request of 300 bytes of JSON-RPC, a response of 500, with the fields of MCP clients."""

import json
import socket
import ssl

from .processes import BenchError

REQUEST_BYTES, REPLY_BYTES = 300, 500
STATELESS = "2026-07-28"   # a revision without sessions: any replica may answer
SESSIONFUL = "2025-11-25"  # a revision with sessions: the id decides


def _padded(build, size):
    """`build(text)` as JSON of exactly `size` bytes."""
    missing = size - len(build(""))
    return build("x" * missing)


def to_json(value):
    return json.dumps(value, separators=(",", ":"))


def request_body():
    return _padded(lambda text: to_json({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": {"name": "echo", "arguments": {"text": text},
                   "_meta": {"io.modelcontextprotocol/protocolVersion": STATELESS}}}), REQUEST_BYTES)


def reply_body():
    return _padded(lambda text: to_json({
        "jsonrpc": "2.0", "id": 7, "result": {"resultType": "complete", "content": [{"type": "text", "text": text}]}}),
        REPLY_BYTES)


def initialize_body():
    return to_json({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": SESSIONFUL, "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}})


def headers(session=None, close=False):
    """A call's header fields, without Host and Content-Length."""
    fields = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json",
              "User-Agent": "python-httpx/0.28.1"}
    if session:
        fields |= {"MCP-Protocol-Version": SESSIONFUL, "Mcp-Session-Id": session}
    else:
        fields |= {"MCP-Protocol-Version": STATELESS, "Mcp-Method": "tools/call", "Mcp-Name": "echo"}
    if close:
        fields["Connection"] = "close"
    return fields


def encode(port, body, fields, method="POST", path="/mcp"):
    """The bytes of one HTTP/1.1 request to 127.0.0.1:`port`."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def client_context():
    """A TLS context without verification: the certificate is made for the run."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def connect(port, context=None, timeout=10):
    raw = socket.create_connection(("127.0.0.1", port), timeout)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname="localhost") if context else raw


class Response:
    """Parses one response from the bytes received."""

    def __init__(self):
        self.buffer, self.length = b"", None

    def feed(self, data):
        """Adds bytes; true once the response is complete."""
        self.buffer += data
        if self.length is None:
            head, found, _ = self.buffer.partition(b"\r\n\r\n")
            if not found:
                return False
            self.status = int(head.split(b" ", 2)[1])
            lines = head.decode("latin-1").split("\r\n")[1:]
            self.fields = {n.strip().lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
            if "content-length" not in self.fields:
                raise BenchError(f"a reply without Content-Length: {head!r}")
            self.length = len(head) + 4 + int(self.fields["content-length"])
        return len(self.buffer) >= self.length

    @property
    def body(self):
        return self.buffer[self.buffer.index(b"\r\n\r\n") + 4:]


def call_once(port, data, context=None):
    """Sends `data` on a connection of its own; returns the response and what TLS agreed on."""
    with connect(port, context) as connection:
        connection.sendall(data)
        response = Response()
        while not response.feed(received := connection.recv(65536)):
            if not received:
                raise BenchError(f"port {port} closed the connection before its reply was whole")
        return response, (connection.version(), connection.cipher()[0]) if context else None


def check_reply(port, context=None):
    """Makes one call and checks the replica's reply; returns what TLS agreed on."""
    response, agreed = call_once(port, encode(port, request_body(), headers()), context)
    if response.status != 200 or response.body != reply_body().encode():
        raise BenchError(f"port {port} answered {response.status}: {response.body[:200]!r}")
    return agreed


def open_session(port):
    """Initialises a session through `port`; returns the id the client got and the replica that made it."""
    fields = {k: v for k, v in headers().items() if not k.lower().startswith("mcp-")}
    response, _ = call_once(port, encode(port, initialize_body(), fields))
    if response.status != 200 or "mcp-session-id" not in response.fields:
        raise BenchError(f"port {port} gave no session: {response.status} {response.fields}")
    return response.fields["mcp-session-id"], response.fields["x-replica"]


def reaches(port, session, owner):
    """Whether a call of `session` is answered by the replica that made it."""
    response, _ = call_once(port, encode(port, request_body(), headers(session)))
    return response.status == 200 and response.fields["x-replica"] == owner
