"""Sessions of MCP clients that check every response."""

import asyncio
import json

from .calls import SESSIONFUL, encode, initialize_body, to_json

TIMEOUT = 8  # seconds for an answer, or for a proxy that restarts


class CallFailed(Exception):
    """No response: a refused or closed connection, a status of 500 or more, a timeout."""


class WrongAnswer(Exception):
    """A response from another session or replica."""


class Pool:
    """Kept-alive connections from one address of this machine to one port."""

    def __init__(self, port, address):
        self.port, self.address, self.idle = port, address, []

    async def connect(self):
        """A connection. A refused one is retried, since nothing was sent."""
        deadline = asyncio.get_running_loop().time() + TIMEOUT
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", self.port, local_addr=(self.address, 0))
            except OSError as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise CallFailed(f"connecting: {error}") from None
                await asyncio.sleep(0.02)

    async def request(self, body, fields, path="/mcp"):
        """Status, header fields and body of a POST. It is sent once: a tool call must not run twice."""
        while self.idle and (self.idle[-1][0].at_eof() or self.idle[-1][1].is_closing()):
            self.idle.pop()[1].close()
        reader, writer = self.idle.pop() if self.idle else await self.connect()
        try:
            async with asyncio.timeout(TIMEOUT):
                writer.write(encode(self.port, body, fields, path=path))
                status, answered = await read_head(reader)
                text = await _read_body(reader, answered)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            writer.close()
            raise CallFailed(f"{type(error).__name__} {error}") from None
        if answered.get("connection", "").lower() == "close":
            writer.close()
        else:
            self.idle.append((reader, writer))
        return status, answered, text

    def close(self):
        while self.idle:
            self.idle.pop()[1].close()


async def read_head(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.rstrip().split("\r\n")
    return int(line.split(" ", 2)[1]), {name.strip().lower(): value.strip() for name, _, value in (
        text.partition(":") for text in lines)}


async def _read_body(reader, fields):
    if fields.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(fields.get("content-length", 0)))
    text = b""
    while size := int(await reader.readline(), 16):
        text += await reader.readexactly(size)
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return text


class Session:
    """One session, the replica that made it, and how many calls that replica must have counted."""

    def __init__(self, pool, keeps_cookies):
        self.pool, self.cookies, self.keeps_cookies = pool, {}, keeps_cookies
        self.id = self.owner = None
        self.calls, self.requests, self.wrong, self.failed, self.lock = 0, 0, 0, 0, asyncio.Lock()
        self.unsure = 0  # calls that failed: whether their replica counted them is not known

    def _fields(self):
        fields = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json",
                  "User-Agent": "python-httpx/0.28.1"}
        if self.id:
            fields |= {"MCP-Protocol-Version": SESSIONFUL, "Mcp-Session-Id": self.id}
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return fields

    async def _post(self, body, path="/mcp"):
        status, fields, text = await self.pool.request(body, self._fields(), path)
        self._take_cookie(fields)
        if status >= 500:
            raise CallFailed(f"status {status}: {text[:100]!r}")
        return status, fields, text

    def _take_cookie(self, fields):
        if self.keeps_cookies and "set-cookie" in fields:
            name, _, value = fields["set-cookie"].partition(";")[0].partition("=")
            self.cookies[name] = value

    async def open(self):
        status, fields, text = await self._post(initialize_body())
        if status != 200 or "mcp-session-id" not in fields:
            raise CallFailed(f"initialize was answered {status} {fields}")
        self.id, self.owner = fields["mcp-session-id"], json.loads(text)["result"]["serverInfo"]["name"]
        await self._post(to_json({"jsonrpc": "2.0", "method": "notifications/initialized"}))

    async def call(self):
        """Asks `whoami`; counts a wrong answer or a failure against the session."""
        async with self.lock:
            self.requests += 1
            try:
                self.check(await self.ask(to_json({"jsonrpc": "2.0", "id": self.requests, "method": "tools/call",
                                                   "params": {"name": "whoami", "arguments": {}}})))
            except WrongAnswer:
                self.wrong += 1
            except CallFailed:
                self.failed += 1
                self.unsure += 1

    async def ask(self, body):
        status, _, text = await self._post(body)
        if status != 200:
            raise WrongAnswer(f"status {status}: {text[:100]!r}")  # such as 404: that replica does not know the session
        return json.loads(text)

    def check(self, reply):
        if reply.get("id") != self.requests:
            raise WrongAnswer(f"an answer to {reply.get('id')}, not to {self.requests}")
        said = json.loads(reply["result"]["content"][0]["text"])
        if said["replica"] != self.owner:
            raise WrongAnswer(f"{said['replica']} answered for {self.owner}")
        due, self.calls = self.calls + 1, said["calls"]
        if not due <= self.calls <= due + self.unsure:
            raise WrongAnswer(f"call {self.calls} where {due} was due")
        self.unsure -= self.calls - due

    async def close(self):
        pass


class LegacySession(Session):
    """HTTP+SSE: answers come on a stream, which is the session."""

    async def open(self):
        reader, self.writer = await self.pool.connect()
        self.arrived = asyncio.Queue()
        self.writer.write(encode(self.pool.port, "", {"Accept": "text/event-stream"}, "GET", "/sse"))
        try:
            async with asyncio.timeout(TIMEOUT):
                status, fields = await read_head(reader)
                if status != 200:
                    raise CallFailed(f"GET /sse was answered {status}")
                self._take_cookie(fields)
                self.reading = asyncio.create_task(self._read(reader))
                self.path = await self.arrived.get()
        except (OSError, EOFError, TimeoutError) as error:
            raise CallFailed(f"GET /sse: {error}") from None
        reply = await self.ask(initialize_body())
        self.owner = reply["result"]["serverInfo"]["name"]

    async def _read(self, reader):
        kind = None
        try:
            while line := await reader.readline():
                if line.startswith(b"event:"):
                    kind = line[6:].strip()
                elif line.startswith(b"data:"):
                    text = line[5:].strip().decode()
                    await self.arrived.put(text if kind == b"endpoint" else json.loads(text))
        except OSError:
            pass
        await self.arrived.put(None)  # the stream ended

    async def ask(self, body):
        status, _, text = await self._post(body, self.path)
        if status >= 300:
            raise WrongAnswer(f"status {status}: {text[:100]!r}")
        try:
            async with asyncio.timeout(TIMEOUT):
                reply = await self.arrived.get()
        except TimeoutError:
            raise CallFailed("no answer on the stream") from None
        if reply is None:
            await self.arrived.put(None)
            raise CallFailed("the stream ended")
        return reply

    async def close(self):
        self.reading.cancel()
        self.writer.close()
