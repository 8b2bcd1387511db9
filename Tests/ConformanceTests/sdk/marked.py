"""Looks for what logs must never have: marked arguments, results, tokens, cookies, queries and the ids of sessions, in all
logs, the process's own messages, the traces, and the pages and answers of the admin address, after many calls that had them.

    python3 marked.py --url UNUSED --berth PATH --berth-load PATH [--calls N] [--own N] [--directory DIR]

--calls are made by berth-load, all with the same marks; --own by this client, each with marks and in sessions of its own. What
may be found must be: names of tools that are marked too show that the search finds what is there.
"""

import asyncio
import http.server
import itertools
import json
import os
import pathlib
import re
import secrets
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

import outcomes
import report
from http_calls import Connection

#: Begins every mark; nothing else has it.
MARK = "Zq7xK"
#: Begins the names of tools that clients make up, which logs may have.
NAME = "Tool9vWm"
TOKEN = "0123456789abcdef0123456789abcdef"
CONFIGURATION = """\
[global]
workers = 2
admin = "127.0.0.1:{admin}"
admin_token = "file:{directory}/admin.token"
secret = "file:{directory}/session.keys"
access_log = {{ path = "{directory}/access.jsonl", slow = "5ms" }}
slow_log = {{ path = "{directory}/slow.log", format = "text", over = "1ms" }}
audit_log = {{ path = "{directory}/audit.jsonl" }}
trace = {{ otlp = "http://127.0.0.1:{collector}", ratio = 1.0 }}
drain_timeout = "1s"
[listen]
http = "127.0.0.1:{http}"
[upstream.mcp]
servers = [{servers}]
"""


def mark() -> str:
    return MARK + secrets.token_hex(8)


class Collector(http.server.BaseHTTPRequestHandler):
    """Keeps the bytes of traces as they come."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.server.file.write(self.rfile.read(int(self.headers["content-length"])))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Stage:
    """Berth in front of three sample servers, with everything on that writes anything."""

    def __init__(self, options, directory: pathlib.Path):
        self.options, self.directory, self.children = options, directory, []
        self.collector = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
        self.collector.file = open(directory / "traces.bin", "wb")
        threading.Thread(target=self.collector.serve_forever, daemon=True).start()
        serve = self.start("serve", [options.berth_load, "serve", "--replicas", "3"])
        addresses = [json.loads(serve.stdout.readline())["address"] for _ in range(3)]
        token = directory / "admin.token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)
        file = directory / "berth.toml"
        text = CONFIGURATION.format(
            directory=directory, admin=0, http=0, collector=self.collector.server_address[1],
            servers=", ".join(f'"{address}"' for address in addresses))
        file.write_text(text)
        self.berth = self.start("berth", [options.berth, "run", str(file)])
        self.http, self.admin = self.address("listening on "), self.address("admin on ")

    def start(self, name: str, words: list[str]) -> subprocess.Popen:
        errors = open(self.directory / f"{name}.err", "wb")
        self.children.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors))
        return self.children[-1]

    def address(self, start: str) -> str:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for line in (self.directory / "berth.err").read_text().splitlines():
                if line.startswith(start):
                    return line.removeprefix(start).strip()
            time.sleep(0.05)
        raise RuntimeError(f"berth does not say {start!r}")

    def get(self, path: str, data: bytes | None = None, **fields: str) -> bytes:
        fields = {"Authorization": f"Bearer {TOKEN}"} | {key.replace("_", "-"): value for key, value in fields.items()}
        request = urllib.request.Request(self.admin + path, data=data, headers=fields)
        try:
            with urllib.request.urlopen(request, timeout=20) as response:
                return response.read()
        except urllib.error.HTTPError as error:
            return error.read()

    def events(self, name: str, seconds: float) -> None:
        """Writes what the dashboard's stream says in some seconds into a file."""
        def read():
            with urllib.request.urlopen(self.admin + "/events", timeout=seconds) as response, open(
                    self.directory / name, "wb") as file:
                end = time.monotonic() + seconds
                try:
                    while time.monotonic() < end and (line := response.readline()):
                        file.write(line)
                except OSError:
                    pass
        threading.Thread(target=read, daemon=True).start()

    def end(self) -> None:
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
        self.collector.shutdown()
        self.collector.file.close()


class Client:
    """Sessions whose every message has marks wherever one can be, and the ids that they had."""

    def __init__(self, url: str):
        self.url, self.ids, self.numbers, self.requests = url, set(), itertools.count(1), 0

    async def send(self, connection: Connection, method: str, params: dict, session: str | None, **more: str):
        fields = {
            "Accept": "application/json, text/event-stream", "Content-Type": "application/json",
            "Authorization": f"Bearer {mark()}", "Cookie": f"sid={mark()}", "X-Api-Key": mark(), "User-Agent": mark(),
            "Referer": f"http://x/?{mark()}", "Last-Event-ID": mark(),
        }
        if session is not None:
            fields |= {"Mcp-Session-Id": session, "MCP-Protocol-Version": "2025-11-25"}
        message = {"jsonrpc": "2.0", "id": mark(), "method": method, "params": params}
        connection.path = f"/mcp?key={mark()}"
        await connection.open()
        await connection.send(json.dumps(message).encode(), fields | more)
        self.requests += 1
        return await connection.receive()

    async def session(self, calls: int) -> None:
        connection = Connection(self.url)
        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": mark(), "version": mark()}}
        opened = await self.send(connection, "initialize", hello, None)
        session = opened.fields["mcp-session-id"]
        # Berth signs the id that the server gave, which are its last characters.
        self.ids |= {session, session[-32:]}
        kinds = [
            ("tools/call", {"name": "echo", "arguments": {"text": mark()}}),
            ("tools/call", {"name": "whoami", "arguments": {mark(): mark()}}),
            ("tools/call", {"name": "echo", "arguments": {"wrong": mark()}}),
            ("tools/call", {"name": NAME + secrets.token_hex(4), "arguments": {"text": mark()}}),
            ("resources/read", {"uri": f"file:///notes?token={mark()}#{mark()}"}),
            ("prompts/get", {"name": "poem", "arguments": {"text": mark()}}),
            ("completion/complete", {"argument": {"name": "text", "value": mark()}}),
            (mark(), {"text": mark()}),
        ]
        for number in range(calls):
            method, params = kinds[number % len(kinds)]
            await self.send(connection, method, params, session)
            # An id that is none, and one that is another's with something behind it: both in the field and the message.
            if number % 20 == 7:
                await self.send(connection, "tools/call", {"name": "echo", "arguments": {"text": mark()}}, mark() * 2)
            if number % 20 == 17:
                await self.send(connection, "tools/call", {"name": "echo"}, session + "x", Forwarded=f"for={mark()}")
        await self.broken(session)
        connection.close()

    async def broken(self, session: str) -> None:
        """What is no message or no HTTP at all, and the end of the session."""
        secret = f"Authorization: Bearer {mark()}\r\nMcp-Session-Id: {session}\r\n"
        for text in (
            f"POST /mcp?{mark()} HTTP/1.1\r\nHost: a\r\n{secret}Content-Length: 30\r\n\r\n{{\"{mark()}",
            f"POST /mcp?{mark()} HTTP/1.1\r\nHost: a\r\n{secret}Content-Length: 8\r\n\r\n{mark()[:8]}",
            f"GET /{mark()}?{mark()} HTTP/1.1\r\nHost: {mark()}\r\n{secret}\r\n",
            f"{mark()} /mcp HTTP/1.1\r\nHost: a\r\n{secret}\r\n",
            f"GET /mcp HTTP/1.1\r\nHost: a\r\nBad Name{mark()}: x\r\n{secret}\r\n",
            f"DELETE /mcp?{mark()} HTTP/1.1\r\nHost: a\r\n{secret}\r\n",
        ):
            connection = Connection(self.url)
            await connection.open()
            connection.writer.write(text.encode())
            connection.writer.write_eof()
            try:
                await asyncio.wait_for(connection.reader.read(), 10)
            except (ConnectionError, TimeoutError):
                pass
            connection.close()


def load(options, stage: Stage, calls: int) -> dict:
    """Calls of berth-load, each with marks."""
    if not calls:
        return {}
    words = [
        options.berth_load, "run", "--url", f"{stage.http}/mcp?key={mark()}", "--workload", "sessions",
        "--connections", "64", "--sessions", "200", "--calls", str(calls), "--seconds", "3600",
        "--warm-up", "0", "--tool", "echo", "--arguments",
        json.dumps({"text": mark()}), "--header", f"Authorization: Bearer {mark()}", "--header", f"Cookie: sid={mark()}",
        "--no-preflight", "--quiet", "--json", str(stage.directory / "load.json"), "--allow-failures",
    ]
    made = subprocess.run(words, capture_output=True, timeout=options.deadline)
    if made.returncode not in (0, 1):
        raise RuntimeError(f"berth-load ended with {made.returncode}: {made.stderr.decode()}")
    return json.loads((stage.directory / "load.json").read_text())["runs"][0]


def ask_admin(stage: Stage, session: str) -> None:
    """Every page, and every answer that is about a request or a session."""
    request = (
        f"POST /mcp?{mark()} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {mark()}\r\nCookie: {mark()}\r\n"
        f"Mcp-Session-Id: {session}\r\n\r\n"
        + json.dumps({"jsonrpc": "2.0", "id": mark(), "method": "tools/call",
                      "params": {"name": NAME, "arguments": {"text": mark()}}}))
    pages = {
        "metrics": ("/metrics", None), "stats": ("/stats", None), "servers": ("/servers", None),
        "config": ("/config", None), "sessions": ("/sessions?limit=1000", None), "alerts": ("/alerts", None),
        "logs": ("/logs", None),
        "explain": ("/explain", request.encode()), "whose": ("/whose", session.encode()),
    }
    for tool, arguments in (
        ("list_sessions", {}), ("get_stats", {}), ("explain_request", {"request": request}),
        ("forget_session", {"session": "0123456789abcdef"}), ("drain_server", {"server": "no-such"}),
    ):
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        pages[f"tool-{tool}"] = ("/mcp", json.dumps(message).encode())
    for name, (path, data) in pages.items():
        answer = stage.get(
            path, data, Content_Type="application/json", Accept="application/json, text/event-stream",
            MCP_Protocol_Version="2025-11-25")
        (stage.directory / f"page-{name}").write_bytes(answer)


def search(stage: Stage, ids: set[str], found: report.Report) -> None:
    """Looks through everything that was written, in pieces with an overlap."""
    counts, names, sizes = {}, {}, {}
    hexadecimal = re.compile(rb"(?<![0-9A-Za-z])[0-9a-f]{32}(?![0-9A-Za-z])")
    texts = [text.encode() for text in ids]
    hash_in_force = json.loads((stage.directory / "page-stats").read_text())["configuration"]["hash"].encode()
    for path in sorted(stage.directory.iterdir()):
        if path.name in ("admin.token", "session.keys", "berth.toml", "load.json", "serve.err") or not path.is_file():
            continue
        sizes[path.name] = path.stat().st_size
        marks = told = 0
        with open(path, "rb") as file:
            rest = b""
            while piece := file.read(1 << 24):
                piece = rest + piece
                marks += piece.count(MARK.encode())
                told += piece.count(NAME.encode())
                if path.name != "traces.bin":
                    for word in hexadecimal.finditer(piece):
                        before = piece[max(0, word.start() - 14):word.start()]
                        if word[0] != hash_in_force and not before.endswith((b'trace_id":"', b"trace_id=")):
                            found.fault(f"{path.name} has {piece[max(0, word.start() - 40):word.end() + 8]!r}")
                rest = piece[-256:] if len(piece) > 256 else b""
        content = path.read_bytes() if path.stat().st_size < 1 << 26 else b""
        for text in texts if content else ():
            found.expect(text not in content, f"{path.name} has the id of a session")
        counts[path.name], names[path.name] = marks, told
    for name, count in counts.items():
        found.expect(count == 0, f"{name} has {count} marks")
    for name in ("access.jsonl", "audit.jsonl", "traces.bin"):
        found.expect(names.get(name, 0) > 0, f"{name} has no name of a tool: the search finds nothing")
    found.results["bytes"] = sizes
    found.results["outcomes"] = {name: count for name, count in names.items() if count}


async def main(options, found) -> None:
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        stage = Stage(options, pathlib.Path(directory))
        try:
            stage.events("events", 5)
            client = Client(f"{stage.http}/mcp")
            calls = 200
            async with asyncio.TaskGroup() as group:
                for _ in range(max(1, options.own // calls)):
                    group.create_task(client.session(calls))
            began = time.monotonic()
            made = await asyncio.to_thread(load, options, stage, options.calls)
            found.results["right"] = client.requests
            found.results["calls"] = made.get("completed", 0) + client.requests
            found.results["seconds"] = round(time.monotonic() - began, 1)
            found.expect(made.get("completed", 0) >= options.calls, f"berth-load made {made.get('completed')} calls")
            await asyncio.to_thread(ask_admin, stage, next(iter(client.ids)))
            stage.events("events-after", 3)
            await asyncio.sleep(3.5)
            metrics = (stage.directory / "page-metrics").read_text()
            for line in metrics.splitlines():
                if line.startswith(("berth_log_lines_total{", "berth_log_dropped_lines_total{")):
                    found.results[line.rpartition(" ")[0]] = int(line.rpartition(" ")[2])
        finally:
            stage.end()
        search(stage, client.ids, found)
        if options.keep:
            subprocess.run(["cp", "-a", directory, options.keep], check=True)


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--berth", required=True)
    arguments.add_argument("--berth-load", required=True)
    arguments.add_argument("--calls", type=int, default=0, help="of berth-load")
    arguments.add_argument("--own", type=int, default=1_000, help="of this client")
    arguments.add_argument("--directory", help="where logs are kept meanwhile")
    arguments.add_argument("--keep", help="folder to copy everything to that was searched")
    report.run(main, arguments.parse_args(), report.Report())
