"""Mixed calls, each with a key that it carries to its server, so that both sides' records can be compared: results, errors of
tools and of JSON-RPC, calls that are cancelled by leaving and by a notification, calls that get no answer in time, and, once a
line with `calls` has gone to stdout and someone kills a server, whatever that does to them.

Appends to --record a line of JSON for each message that it sent: its key, method, name, upstream, what came of it, its time.
"""

import asyncio
import collections
import itertools
import json
import random
import time

import outcomes
import report
from http_calls import Connection

LEGACY, MODERN = "2025-11-25", "2026-07-28"
#: How often each kind of call is made, of a hundred.
KINDS = {
    "quick": 33, "steady": 14, "slow": 5, "fails": 8, "sometimes": 10, "made up": 5, "no such method": 3, "no name": 3,
    "poem": 4, "no such prompt": 2, "note": 4, "ping": 3, "leave": 4, "cancel": 1, "stall": 1,
}


class Asked:
    """The keys that servers have been asked for, read from their records as they grow."""

    def __init__(self, paths: list[str]):
        self._files = [open(path, "rb") for path in paths]
        self._rests = [b""] * len(paths)
        self._keys: set[str] = set()

    def has(self, key: str) -> bool:
        for index, file in enumerate(self._files):
            *lines, self._rests[index] = (self._rests[index] + file.read()).split(b"\n")
            self._keys.update(line["key"] for line in map(json.loads, lines) if "asked" in line)
        return key in self._keys


class Caller:
    def __init__(self, options, found):
        self.options, self.found = options, found
        self.record = open(options.record, "ab", buffering=0)
        self.asked = Asked(options.truth)
        self.idle: list[Connection] = []
        self.numbers = itertools.count(1)
        self.kinds: collections.Counter[str] = collections.Counter()

    def take(self, url: str) -> Connection:
        for index, connection in enumerate(self.idle):
            if connection.url == url:
                return self.idle.pop(index)
        connection = Connection(url)
        connection.url = url
        return connection

    async def send(self, session: "Session", method: str, params: dict, is_request: bool = True, until=None):
        """Sends a message and records what came of it. `until` is awaited once a server has it; it may say `leave`."""
        number = next(self.numbers)
        key = f"{self.options.seed}.{number}"
        if "arguments" in params:
            params = {**params, "arguments": {**params["arguments"], "key": key}}
        else:
            params = {**params, "_meta": {**params.get("_meta", {}), "key": key}}
        if method == "resources/read":
            params["uri"] = f"note://{number}"
        message = {"jsonrpc": "2.0", "method": method, "params": session.completed(params)}
        if is_request:
            message["id"] = number
        connection = self.take(session.url)
        line = {"key": key, "method": method, "name": params.get("name", ""), "upstream": session.upstream,
                "server": session.server}
        response = None
        try:
            await connection.open()
            start = time.perf_counter()
            await connection.send(json.dumps(message).encode(), session.fields(method, params))
            response = await self.wait(connection, key, number, until)
            line["ms"] = (time.perf_counter() - start) * 1000
            line["error"] = "cancelled" if response is None else self.read(response, is_request)
        except (OSError, asyncio.IncompleteReadError) as error:
            line["error"] = f"no response: {report.explain(error)}"
            self.found.fault(f"{method} {key}: {line['error']}")
            connection.close()
        self.record.write((json.dumps(line) + "\n").encode())
        if response is not None and connection.writer is not None:
            self.idle.append(connection)
        return response, line["error"]

    async def wait(self, connection: Connection, key: str, number: int, until):
        """The response, or nothing, if the client was to leave and did before one came."""
        if until is None:
            return await connection.receive()
        receiving = asyncio.ensure_future(connection.receive())
        while not receiving.done() and not self.asked.has(key):
            await asyncio.sleep(0.02)
        if not receiving.done() and await until(number) == "leave":
            receiving.cancel()
            await asyncio.wait([receiving])
            connection.close()
            return None
        return await receiving

    @staticmethod
    def read(response, is_request: bool) -> str:
        if not response.is_whole:
            return "aborted"
        return outcomes.error_type(response.status, response.fields.get("content-type", ""), response.body, is_request)


class Session:
    """A session of 2025-11-25, or the calls of 2026-07-28, which have none."""

    def __init__(self, caller: Caller, url: str, revision: str):
        self.caller, self.url, self.revision = caller, url, revision
        self.upstream = "mcp" if revision == LEGACY else "modern"
        self.id = self.server = None
        self.opening = asyncio.Lock()

    def completed(self, params: dict) -> dict:
        if self.revision == LEGACY:
            return params
        prefix = "io.modelcontextprotocol/"
        own = {prefix + "protocolVersion": MODERN, prefix + "clientInfo": {"name": "mixed", "version": "1"},
               prefix + "clientCapabilities": {}}
        return {**params, "_meta": {**params.get("_meta", {}), **own}}

    def fields(self, method: str, params: dict) -> dict[str, str]:
        fields = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        if method == "initialize":
            return fields
        fields["MCP-Protocol-Version"] = self.revision
        if self.id is not None:
            fields["Mcp-Session-Id"] = self.id
        if self.revision == MODERN:
            fields["Mcp-Method"] = method
            subject = params.get("uri") or params.get("name")
            if subject:
                fields["Mcp-Name"] = subject
        return fields

    async def open(self) -> None:
        """Opens the session; if its server is just dying, again."""
        for _ in range(100 if self.revision == LEGACY else 0):
            self.id = self.server = None
            hello = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "mixed", "version": "1"}}
            response, error = await self.caller.send(self, "initialize", hello)
            if response is not None and response.status == 200 and error == "":
                self.id = response.fields.get("mcp-session-id")
                _, error = await self.caller.send(self, "notifications/initialized", {}, is_request=False)
                if error == "":
                    break
            await asyncio.sleep(0.1)
        else:
            if self.revision == LEGACY:
                raise RuntimeError("no session can be opened")
        response, error = await self.call("whoami", {"token": "0"})
        if error == "" and self.id is not None:
            text = list(outcomes.messages(response.fields["content-type"], response.body))[-1]
            self.server = text["result"]["content"][0]["text"].split(" ")[0]

    async def send(self, *what, **how):
        was = self.id
        response, error = await self.caller.send(self, *what, **how)
        if response is not None and response.status == 404 and self.id is not None and error.startswith("session"):
            async with self.opening:
                if self.id == was:
                    await self.open()
        return response, error

    async def call(self, tool: str, arguments: dict | None = None, until=None):
        params = {"name": tool, "arguments": arguments or {}}
        if self.opening.locked() or self.server is None:
            return await self.caller.send(self, "tools/call", params, until=until)
        return await self.send("tools/call", params, until=until)

    async def make(self, kind: str) -> None:
        self.caller.kinds[kind] += 1
        match kind:
            case "quick" | "steady" | "slow" | "fails" | "stall":
                await self.call(kind)
            case "sometimes":
                await self.call(kind, {"fail": random.random() < 0.5})
            case "made up":
                await self.call(f"made-up-{random.getrandbits(64):x}")
            case "no such method":
                await self.send("tools/nope", {})
            case "no name":
                await self.send("tools/call", {"arguments": {}})
            case "poem" | "no such prompt":
                await self.send("prompts/get", {"name": kind.replace(" ", "-"), "arguments": {}})
            case "note":
                await self.send("resources/read", {})
            case "ping":
                await self.send("ping", {})
            case "leave":
                await self.call("stall", until=leave)
            case "cancel":
                await self.call("stall", until=self.cancel if self.revision == LEGACY else leave)

    async def cancel(self, number: int) -> None:
        await self.caller.send(self, "notifications/cancelled", {"requestId": number}, is_request=False)


async def leave(_number: int) -> str:
    return "leave"


async def main(options, found) -> None:
    random.seed(options.seed)
    caller = Caller(options, found)
    base = options.url.removesuffix("/mcp")
    sessions = [Session(caller, f"{base}/mcp", LEGACY) for _ in range(options.sessions)]
    sessions += [Session(caller, f"{base}/modern", MODERN) for _ in range(options.sessions // 3)]
    for session in sessions:
        await session.open()
        # From here on the names of tools and of the prompt are known.
        await session.send("tools/list", {})
        await session.send("prompts/get", {"name": "poem", "arguments": {}})
    kinds = [kind for kind in KINDS for _ in range(options.calls * KINDS[kind] // 100)]
    random.shuffle(kinds)
    half = len(kinds) * 6 // 10

    async def work() -> None:
        while kinds:
            kind = kinds.pop()
            if len(kinds) == half:
                print(json.dumps({"calls": half}), flush=True)
            try:
                await random.choice(sessions).make(kind)
            except Exception as error:
                found.fault(f"{kind}: {report.explain(error)}")

    async with asyncio.TaskGroup() as group:
        for _ in range(options.at_once):
            group.create_task(work())
    found.results["calls"] = next(caller.numbers) - 1
    found.results["spread"] = dict(caller.kinds)


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--calls", type=int, default=1_000)
    arguments.add_argument("--sessions", type=int, default=30)
    arguments.add_argument("--at-once", type=int, default=8)
    arguments.add_argument("--record", required=True)
    arguments.add_argument("--truth", action="append", default=[], help="what a server records")
    report.run(main, arguments.parse_args(), report.Report())
