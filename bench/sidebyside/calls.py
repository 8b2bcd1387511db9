"""The call every workload makes: 300 bytes of JSON-RPC there, 500 back, as MCP clients send it."""

import json
import re
import selectors
import socket
import ssl
import statistics
import subprocess
import threading
import time

from .processes import BenchError

REQUEST_BYTES, REPLY_BYTES = 300, 500
STATELESS = "2026-07-28"   # a revision without sessions: any replica may answer
SESSIONFUL = "2025-11-25"  # a revision with sessions: the id decides


def _padded(build, size):
    """`build(text)` as JSON of exactly `size` bytes."""
    missing = size - len(build(""))
    return build("x" * missing)


def _json(value):
    return json.dumps(value, separators=(",", ":"))


def request_body():
    return _padded(lambda text: _json({
        "jsonrpc": "2.0", "id": 7, "method": "tools/call",
        "params": {"name": "echo", "arguments": {"text": text},
                   "_meta": {"io.modelcontextprotocol/protocolVersion": STATELESS}}}), REQUEST_BYTES)


def reply_body():
    return _padded(lambda text: _json({
        "jsonrpc": "2.0", "id": 7, "result": {"resultType": "complete", "content": [{"type": "text", "text": text}]}}),
        REPLY_BYTES)


def initialize_body():
    return _json({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
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


def encode(port, body, fields, method="POST"):
    """The bytes of one HTTP/1.1 request to 127.0.0.1:`port`."""
    lines = [f"{method} /mcp HTTP/1.1", f"Host: 127.0.0.1:{port}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def client_context():
    """TLS that trusts anyone: the certificate is made for the run."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def connect(port, context=None, timeout=10):
    raw = socket.create_connection(("127.0.0.1", port), timeout)
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(raw, server_hostname="localhost") if context else raw


class Response:
    """Bytes of one response as they come."""

    def __init__(self):
        self.buffer, self.length = b"", None

    def feed(self, data):
        """Takes bytes in; true once the response is whole."""
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
    """Makes one call and insists on the replica's own reply; returns what TLS agreed on."""
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


def wrk_script(port, sessions=(), close=False):
    """A wrk script of constant requests: no Lua runs per call, but to choose among sessions."""
    requests = [encode(port, request_body(), headers(session, close)) for session in sessions or [None]]
    # JSON's escapes of these bytes are Lua's too.
    script = "local requests = {" + ",".join(_json(r.decode()) for r in requests) + "}\n"
    if len(requests) == 1:
        # A function would be called for every request; wrk asks only once when it finds wrk.request untouched.
        fields = ",".join(f"[{_json(n)}]={_json(v)}" for n, v in headers(*sessions, close=close).items())
        script = f'wrk.method = "POST"\nwrk.path = "/mcp"\nwrk.body = {_lua(request_body())}\nwrk.headers = {{{fields}}}\n'
    else:
        script += "local at = 0\nfunction request() at = at % #requests + 1; return requests[at] end\n"
    return script + (
        'function done(s, latency)\n'
        '  local e = s.errors\n'
        '  print(string.format(\'BENCH {"requests":%d,"microseconds":%d,"errors":%d,"p50":%d,"p99":%d}\', s.requests,\n'
        '    s.duration, e.connect + e.read + e.write + e.status + e.timeout,\n'
        '    latency:percentile(50), latency:percentile(99)))\n'
        'end\n')


def _lua(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def run_wrk(script, port, tls, seconds, connections=64):
    """Runs wrk and returns what its script's `done` printed."""
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}/mcp"
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", str(script), url]
    ran = subprocess.run(argv, capture_output=True, text=True, timeout=seconds + 60)
    for line in ran.stdout.splitlines():
        if line.startswith("BENCH "):
            return json.loads(line[6:])
    raise BenchError(f"wrk said nothing: {ran.stdout}{ran.stderr}")


def body_file(directory):
    """The call's body as the file that h2load wants."""
    path = directory / "call.json"
    path.write_text(request_body())
    return path


def run_h2load(port, body, connections, streams, seconds=None, requests=None):
    """Runs h2load for `seconds`, or for so many `requests`; returns the same figures, percentiles aside."""
    amount = [f"-D{seconds}"] if seconds else [f"-n{requests}"]
    argv = ["h2load", "-t1", f"-c{connections}", f"-m{streams}", *amount, "-d", str(body), "--npn-list=h2"]
    for name, value in headers().items():
        argv += ["-H", f"{name}: {value}"]
    ran = subprocess.run([*argv, f"https://127.0.0.1:{port}/mcp"], capture_output=True, text=True,
                         timeout=(seconds or 60) + 60)
    said = ran.stdout
    outcome = re.search(r"requests: .* (\d+) done, (\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", said)
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", said)
    size = re.search(r"traffic: .* \((\d+)\) data", said)
    if not (outcome and codes and size and "Application protocol: h2\n" in said):
        raise BenchError(f"h2load said: {said}{ran.stderr}")
    done, good, failed, errored, timeouts = map(int, outcome.groups())
    errors = failed + errored + timeouts + sum(map(int, codes.groups()[1:]))
    if good and int(size[1]) < good * REPLY_BYTES:
        raise BenchError(f"h2load got {size[1]} bytes with {good} replies")
    return {"requests": good, "microseconds": (seconds or 0) * 1e6, "errors": errors, "p50": None, "p99": None}


def run_resuming(port, seconds, callers=16):
    """TLS connections for one call each, every one but a caller's first resumed with the last one's ticket."""
    data, times, failures, deadline = encode(port, request_body(), headers(close=True)), [], [], time.monotonic() + seconds

    def call_again_and_again():
        context, session = client_context(), None
        try:
            while (began := time.monotonic()) < deadline:
                with socket.create_connection(("127.0.0.1", port), 10) as raw:
                    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    with context.wrap_socket(raw, server_hostname="localhost", session=session) as connection:
                        if session and not connection.session_reused:
                            raise BenchError(f"port {port} did not resume a session")
                        connection.sendall(data)
                        response = Response()
                        while not response.feed(received := connection.recv(65536)):
                            if not received:
                                raise BenchError(f"port {port} closed the connection before its reply was whole")
                        if response.status != 200:
                            raise BenchError(f"port {port} answered {response.status}")
                        session = connection.session  # its ticket came before the reply
                times.append((time.monotonic() - began) * 1e6)
        except (BenchError, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=call_again_and_again) for _ in range(callers)]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise BenchError(f"resuming: {failures[0]}")
    return {"requests": len(times), "microseconds": (time.monotonic() - began) * 1e6, "errors": 0,
            "p50": statistics.median(times), "p99": statistics.quantiles(times, n=100)[98]}


class SteadyCallers:
    """Connections that each make one call after another, for a number of calls known beforehand."""

    def __init__(self, port, count, context=None):
        self.data = encode(port, request_body(), headers())
        self.selector = selectors.DefaultSelector()
        self.connections = [connect(port, context) for _ in range(count)]
        for connection in self.connections:
            connection.setblocking(False)
            self.selector.register(connection, selectors.EVENT_READ)

    def run(self, each, seconds=60):
        """Makes `each` calls on every connection, all connections at once."""
        deadline = time.monotonic() + seconds
        left = dict.fromkeys(self.connections, each)
        waiting = {connection: Response() for connection in self.connections}
        for connection in self.connections:
            connection.send(self.data)
        while waiting:
            if time.monotonic() > deadline:
                raise BenchError(f"{len(waiting)} connections still wait for their replies after {seconds} s")
            for key, _ in self.selector.select(1):
                connection = key.fileobj
                if not self._received(connection, waiting):
                    continue
                left[connection] -= 1
                if left[connection]:
                    waiting[connection] = Response()
                    connection.send(self.data)
                else:
                    del waiting[connection]

    @staticmethod
    def _received(connection, waiting):
        while True:
            try:
                data = connection.recv(65536)
            except (BlockingIOError, ssl.SSLWantReadError):
                return False
            if not data or connection not in waiting:
                raise BenchError("a kept-alive connection was closed, or answered twice")
            if waiting[connection].feed(data):
                if waiting[connection].status != 200:
                    raise BenchError(f"a call was answered {waiting[connection].status}")
                return True

    def close(self):
        for connection in self.connections:
            self.selector.unregister(connection)
            connection.close()
        self.selector.close()
