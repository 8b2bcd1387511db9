"""A server's own record of what it was asked and how it answered: one line of JSON for each, appended with a single write
that is not buffered, so that it survives SIGKILL. Of HTTP it looks at POSTs only.
"""

import itertools
import json
import os

import outcomes

MODERN = "/modern"


class Truth:
    def __init__(self, path: str):
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._numbers = itertools.count(1)

    def write(self, **line) -> None:
        os.write(self._file, (json.dumps(line) + "\n").encode())

    def watching(self, app):
        """`app`, whose POSTs are recorded. The path /modern is another name of /mcp."""

        async def watched(scope, receive, send):
            if scope["type"] != "http":
                return await app(scope, receive, send)
            if scope["path"] == MODERN:
                scope = {**scope, "path": "/mcp", "raw_path": b"/mcp"}
                upstream = "modern"
            else:
                upstream = "mcp"
            if scope["method"] != "POST":
                return await app(scope, receive, send)
            body, received = b"", []
            while True:
                message = await receive()
                received.append(message)
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            number = next(self._numbers)
            asked = asked_for(body)
            self.write(asked=number, upstream=upstream, **asked)
            answer = Answer()

            async def replaying():
                return received.pop(0) if received else await receive()

            async def watching(message):
                answer.take(message)
                if answer.is_complete:
                    self.write(answered=number, error=answer.error_type(asked["request"]))
                await send(message)

            try:
                await app(scope, replaying, watching)
            finally:
                if not answer.is_complete:
                    self.write(left=number)

        return watched


class Answer:
    def __init__(self):
        self.status, self.content_type, self.body, self.is_complete = 0, "", b"", False

    def take(self, message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.content_type = dict(message["headers"]).get(b"content-type", b"").decode()
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            self.is_complete = not message.get("more_body", False)

    def error_type(self, is_request: bool) -> str:
        return outcomes.error_type(self.status, self.content_type, self.body, is_request)


def asked_for(body: bytes) -> dict:
    """What a body asks for: its method, what it names, whether it wants an answer, and the key of the client's own record."""
    try:
        message = json.loads(body)
    except ValueError:
        message = {}
    params = message.get("params") or {}
    method = message.get("method", "response" if "id" in message else "")
    name = params.get("name", "") if method in ("tools/call", "prompts/get") else ""
    key = (params.get("arguments") or {}).get("key") or (params.get("_meta") or {}).get("key") or ""
    return {"method": method, "name": name, "request": "id" in message, "key": key}
