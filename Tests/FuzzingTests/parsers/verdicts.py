"""What other parsers make of inputs: one JSON line for each line `KIND HEX` of stdin.

KIND is `http`: a request, read by h11 and by httptools (llhttp), or `json`: a text, read by Python's json.
"""

import json
import sys

import h11
import httptools


def by_h11(data: bytes):
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    try:
        connection.receive_data(data)
        request = connection.next_event()
        if not isinstance(request, h11.Request):
            return None
        body = b""
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return reading(request.method, request.target, list(request.headers), body, True)
            else:
                return reading(request.method, request.target, list(request.headers), body, False)
    except h11.RemoteProtocolError:
        return None


class Seen:
    def __init__(self):
        self.target, self.fields, self.body = b"", [], b""
        self.is_whole = self.has_head = False
        self.method = b""

    def on_url(self, url):
        self.target += url

    def on_header(self, name, value):
        if not self.has_head:  # Trailers come here as well.
            self.fields.append((name.lower(), value))

    def on_headers_complete(self):
        self.has_head = True
        self.method = self.parser.get_method()

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.is_whole = True
        raise StopIteration  # What follows is another message.


def by_httptools(data: bytes):
    seen = Seen()
    seen.parser = httptools.HttpRequestParser(seen)
    try:
        seen.parser.feed_data(data)
    except httptools.HttpParserUpgrade:
        return reading(seen.method, seen.target, seen.fields, seen.body, True)
    except httptools.HttpParserError as error:
        if not seen.is_whole:
            return None
    except StopIteration:
        pass
    if not seen.has_head:
        return None
    return reading(seen.method, seen.target, seen.fields, seen.body, seen.is_whole)


def reading(method, target, fields, body, is_whole):
    return {
        "method": method.decode("latin-1"),
        "target": target.decode("latin-1"),
        "fields": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in fields],
        "body": body.decode("latin-1"),
        "isWhole": is_whole,
    }


class Repeated(dict):
    """An object that remembers which names it had twice."""


def pairs(members):
    found = Repeated(members)
    names = [name for name, _ in members]
    found.twice = {name for name in names if names.count(name) > 1}
    return found


MESSAGE = {"jsonrpc", "id", "method", "params", "result", "error"}
PARAMS = {"name", "uri", "taskId", "_meta", "arguments"}


def refuse(word):
    raise ValueError(word)


def by_json(data: bytes):
    try:
        value = json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=refuse)
    except (ValueError, RecursionError):
        return {"isJSON": False}
    found = {"isJSON": True}
    if isinstance(value, dict):
        params = value.get("params")
        found["method"] = text(value.get("method"))
        found["name"] = text(params.get("name")) if isinstance(params, dict) else None
        found["twice"] = bool(value.twice & MESSAGE) or isinstance(params, dict) and bool(params.twice & PARAMS)
    return found


def text(value):
    return value.encode("utf-16-be", "surrogatepass").hex() if isinstance(value, str) else None


for line in sys.stdin:
    kind, _, digits = line.strip().partition(" ")
    data = bytes.fromhex(digits)
    if kind == "http":
        print(json.dumps({"h11": by_h11(data), "llhttp": by_httptools(data)}))
    else:
        print(json.dumps(by_json(data)))
