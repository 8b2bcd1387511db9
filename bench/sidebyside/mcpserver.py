"""A replica that keeps sessions and hides routing errors: it also answers calls of sessions that it did not create.

Such servers exist (they check an id's form, not whether they know it), and through them a wrong proxy looks healthy: every
answer is 200. What gives it away is in the answer: `whoami` names the replica and counts the session's calls.
"""

import asyncio
import json
import uuid

from .calls import SESSIONFUL


class _Connection(asyncio.Protocol):
    def __init__(self, replica):
        self.replica, self.data, self.stream = replica, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, _):
        self.replica.streams.pop(self.stream, None)

    def data_received(self, data):
        self.data += data
        while b"\r\n\r\n" in self.data:
            head, _, rest = self.data.partition(b"\r\n\r\n")
            line, *lines = head.decode("latin-1").split("\r\n")
            fields = {name.strip().lower(): value.strip() for name, _, value in (text.partition(":") for text in lines)}
            length = int(fields.get("content-length", 0))
            if len(rest) < length:
                return
            self.data = rest[length:]
            method, target, _ = line.split(" ", 2)
            self._answer(method, target, fields, rest[:length])

    def _answer(self, method, target, fields, body):
        if method == "GET" and target.startswith("/sse"):
            self.stream = uuid.uuid4().hex
            self.replica.streams[self.stream] = self
            self.transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
                                 b"Transfer-Encoding: chunked\r\n\r\n")
            self.event("endpoint", f"/messages/?session_id={self.stream}")
        elif method == "POST" and target.startswith("/messages"):
            stream = self.replica.streams.get(target.rpartition("session_id=")[2])
            if stream is None:
                return self._reply("404 Not Found", b"Could not find session", "text/plain")
            reply, _ = self.replica.answer(json.loads(body), stream.stream)
            self._reply("202 Accepted", b"Accepted", "text/plain")
            if reply:
                stream.event("message", json.dumps(reply))
        elif method == "POST":
            reply, session = self.replica.answer(json.loads(body), fields.get("mcp-session-id"))
            if reply:
                self._reply("200 OK", json.dumps(reply).encode(), "application/json", session)
            else:
                self._reply("202 Accepted", b"", "application/json")
        else:
            self._reply("405 Method Not Allowed", b"", "text/plain")

    def event(self, kind, data):
        text = f"event: {kind}\r\ndata: {data}\r\n\r\n".encode()
        self.transport.write(b"%x\r\n%s\r\n" % (len(text), text))

    def _reply(self, status, body, kind, session=None):
        handed = f"Mcp-Session-Id: {session}\r\n" if session else ""
        self.transport.write(f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n{handed}Content-Length: {len(body)}\r\n\r\n".encode()
                             + body)


class _Replica:
    def __init__(self, name):
        self.name, self.calls, self.streams = name, {}, {}

    def answer(self, message, session):
        """The reply to `message`, None to a notification, and the id of the session it made."""
        if "id" not in message:
            return None, None
        made = None
        if message["method"] == "initialize":
            made = session is None and uuid.uuid4().hex
            result = {"protocolVersion": SESSIONFUL, "capabilities": {"tools": {}},
                      "serverInfo": {"name": self.name, "version": "1"}}
        else:
            self.calls[session] = self.calls.get(session, 0) + 1
            said = json.dumps({"replica": self.name, "calls": self.calls[session]})
            result = {"content": [{"type": "text", "text": said}]}
        return {"jsonrpc": "2.0", "id": message["id"], "result": result}, made


def serve(name):
    """Listens on a port of the kernel's choice, prints it, and serves until it is ended."""
    async def main():
        replica = _Replica(name)
        server = await asyncio.get_running_loop().create_server(lambda: _Connection(replica), "127.0.0.1", 0, backlog=1024)
        print(server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()

    asyncio.run(main())
