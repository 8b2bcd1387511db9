"""HTTP/1.1 as plain as it goes: what a client's own clock says is then the proxy's time and not the client's library."""

import asyncio
import urllib.parse


class Response:
    def __init__(self, status: int, fields: dict[str, str]):
        self.status, self.fields, self.body = status, fields, b""
        self.is_whole = False


class Connection:
    """One connection, over which requests go one after another. Of a new one the first write opens it."""

    def __init__(self, url: str):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.path = parts.hostname, parts.port, parts.path
        self.reader = self.writer = None

    async def open(self) -> None:
        if self.writer is None or self.writer.is_closing() or self.reader.at_eof():
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)

    async def send(self, body: bytes, fields: dict[str, str]) -> None:
        head = f"POST {self.path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\nContent-Length: {len(body)}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self.writer.write(head.encode() + b"\r\n" + body)

    async def receive(self) -> Response:
        """The response; one that breaks off is not whole. Raises if there is none at all."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        response = Response(int(head[0].split(" ")[1]), fields)
        try:
            if fields.get("transfer-encoding") == "chunked":
                while size := int(await self.reader.readuntil(b"\r\n"), 16):
                    response.body += (await self.reader.readexactly(size + 2))[:-2]
                await self.reader.readexactly(2)
            else:
                response.body = await self.reader.readexactly(int(fields.get("content-length", "0")))
            response.is_whole = True
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        if not response.is_whole or fields.get("connection") == "close":
            self.close()
        return response

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None
