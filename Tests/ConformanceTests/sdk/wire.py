"""MCP implemented directly over httpx, for checks of statuses, streams and event ids that the SDK hides."""

import contextlib
import itertools
import json

import httpx

VERSION = "2025-11-25"


class Event:
    def __init__(self, identity: str | None, data: str):
        self.identity = identity
        self.message = json.loads(data) if data else None


async def events(response: httpx.Response):
    """The events of a stream, priming ones (an id without data) included."""
    identity, data = None, []
    async for line in response.aiter_lines():
        if line.startswith("id:"):
            identity = line[3:].strip()
        elif line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif line == "" and (identity is not None or data):
            yield Event(identity, "\n".join(data))
            identity, data = None, []


class Session:
    """One session (2025): its id, its headers, and its own numbering of requests."""

    def __init__(self, client: httpx.AsyncClient, url: str):
        self.client, self.url = client, url
        self.id: str | None = None
        self.ids = itertools.count(1)

    def headers(self, **more: str) -> dict[str, str]:
        named = {"Accept": "application/json, text/event-stream", "MCP-Protocol-Version": VERSION}
        if self.id is not None:
            named["Mcp-Session-Id"] = self.id
        return named | {key.replace("_", "-"): value for key, value in more.items()}

    @contextlib.asynccontextmanager
    async def sending(self, method: str, params: dict):
        """A request and its response, still unread: (JSON-RPC id, response)."""
        number = next(self.ids)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        async with self.client.stream("POST", self.url, json=body, headers=self.headers()) as response:
            yield number, response

    async def request(self, method: str, params: dict) -> tuple[int, dict | None]:
        """Status and the JSON-RPC response, or None if there was none."""
        async with self.sending(method, params) as (number, response):
            if response.status_code != 200:
                return response.status_code, _parsed(await response.aread())
            if response.headers["content-type"].startswith("application/json"):
                return 200, _parsed(await response.aread())
            async for event in events(response):
                if event.message is not None and event.message.get("id") == number and "method" not in event.message:
                    return 200, event.message
            return 200, None

    async def call(self, tool: str, progress: str | None = None, **arguments) -> tuple[int, str | None]:
        """Status and the text of a tool's result."""
        status, message = await self.request("tools/call", call(tool, progress, arguments))
        return status, text(message)

    async def open(self) -> int:
        client = {"name": "wire", "version": "1"}
        hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": client}
        async with self.sending("initialize", hello) as (_, response):
            self.id = response.headers.get("mcp-session-id")
            await response.aread()
            if response.status_code != 200:
                return response.status_code
        answered = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        return (await self.client.post(self.url, json=answered, headers=self.headers())).status_code

    def listening(self, **more: str):
        """The GET stream: of the session, or, with Last_Event_ID, of what that event came from."""
        accept = self.headers(**more) | {"Accept": "text/event-stream"}
        return self.client.stream("GET", self.url, headers=accept)

    async def end(self) -> int:
        return (await self.client.delete(self.url, headers=self.headers())).status_code


def call(tool: str, progress: str | None, arguments: dict) -> dict:
    params = {"name": tool, "arguments": arguments}
    return params | {"_meta": {"progressToken": progress}} if progress else params


def text(message: dict | None) -> str | None:
    content = (message or {}).get("result", {}).get("content") or []
    return content[0].get("text") if content else None


def _parsed(body: bytes) -> dict | None:
    try:
        return json.loads(body)
    except ValueError:
        return None
