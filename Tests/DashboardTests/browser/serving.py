"""Serves the dashboard's page, as Berth does, with made-up figures behind it."""

import base64
import hashlib
import json
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from made_up import MadeUp

PAGE = Path(__file__).parents[3] / "Sources/DashboardPage/Page"
# In the order of DashboardPage.swift, which a test compares.
SCRIPTS = ["format", "dom", "history", "receive", "overview", "servers", "server", "tools", "calls", "sessions", "setup", "changes",
           "configuration", "start"]
TOKEN = "a-token-of-sixteen-or-more"


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def page():
    """The page and its Content-Security-Policy."""
    style = (PAGE / "style.css").read_text()
    script = '"use strict";\n' + "".join((PAGE / f"{name}.js").read_text() for name in SCRIPTS)
    html = (PAGE / "page.html").read_text()
    html = html.replace("<style></style>", f"<style>{style}</style>").replace("<script></script>", f"<script>{script}</script>")
    policy = (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    return html, policy


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, kind="text/plain; charset=utf-8", **fields):
        body = body.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path in ("/", "/dashboard"):
            html, policy = page()
            self.reply(200, html, "text/html; charset=utf-8", content_security_policy=policy)
        elif path == "/events":
            self.stream()
        elif path == "/events/session":
            found = self.server.made_up.journey(urllib.parse.parse_qs(query)["id"][0])
            self.reply(200 if found else 404, json.dumps(found), "application/json")
        elif path == "/config":
            self.reply(200, (PAGE.parents[2] / "configs/full.toml").read_text())
        else:
            self.reply(404, "no such page\n")

    def do_POST(self):
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self.reply(401, "changes need the token\n")
            return
        self.server.posts.append(self.path)
        path, _, query = self.path.partition("?")
        name = urllib.parse.parse_qs(query).get("server", [""])[0]
        for upstream in self.server.made_up.upstreams:
            for server in upstream["servers"]:
                if server["path"] == name:
                    if path.endswith("drain"):
                        server["draining"] = path == "/drain"
                    else:
                        server["ejected"] = path == "/eject"
        self.reply(200, json.dumps({"outcome": "applied", "changes": [f"{path[1:]} {name}"]}), "application/json")

    def stream(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        try:
            for number in range(self.server.warm + self.server.limit):
                text = json.dumps(self.server.made_up.tick(), separators=(",", ":"))
                self.wfile.write(f"event: figures\ndata: {text}\n\n".encode())
                self.wfile.flush()
                self.server.sent += 1
                if self.server.gone.is_set():
                    return
                if number >= self.server.warm:
                    self.server.gone.wait(self.server.pause)
            self.server.gone.wait(3600)
        except (BrokenPipeError, ConnectionResetError):
            pass


class Dashboard(ThreadingHTTPServer):
    """`warm` events at once, then one every `pause` seconds, `limit` of them."""

    daemon_threads = True

    def __init__(self, scenario, port=0, warm=0, pause=1.0, limit=1 << 60):
        super().__init__(("127.0.0.1", port), Handler)
        self.made_up = MadeUp(scenario, int(time.time() * 1000))
        self.warm, self.pause, self.limit = warm, pause, limit
        self.sent = 0
        self.posts = []
        self.gone = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/dashboard"

    def close(self):
        self.gone.set()
        self.shutdown()
        self.server_close()
