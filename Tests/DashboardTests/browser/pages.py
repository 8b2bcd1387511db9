"""A page of another origin that talks to a real Berth: what its scripts can read, and what not."""

import http.server
import threading
import time
import urllib.request

import browser
from berth import Berth, free_port

ROUTES = """
[[route]]
path     = "/mcp"
upstream = "mcp"
cors     = ["http://127.0.0.1:{page}"]

[[route]]
path     = "/guarded"
respond  = {{ status = 200, body = "{{}}", content_type = "application/json" }}
origin   = ["http://127.0.0.1:{page}"]
cors     = ["http://127.0.0.1:{page}"]

[[route]]
path     = "/closed"
respond  = {{ status = 200, body = "{{}}", content_type = "application/json" }}
"""

SCRIPT = """
const [base, done] = arguments;
const call = (method, params = {}) => JSON.stringify({jsonrpc: "2.0", id: 1, method, params});
const fields = {"content-type": "application/json", "accept": "application/json, text/event-stream"};
const ask = async (path, options) => {
  try {
    const response = await fetch(base + path, options);
    return {status: response.status, session: response.headers.get("mcp-session-id"), text: await response.text()};
  } catch (error) { return {error: String(error)}; }
};
(async () => {
  const found = {};
  const opening = call("initialize", {protocolVersion: "2025-06-18", capabilities: {}, clientInfo: {name: "page", version: "1"}});
  found.opened = await ask("/mcp", {method: "POST", headers: fields, body: opening});
  const own = {...fields, "mcp-session-id": found.opened.session || "", "mcp-protocol-version": "2025-06-18"};
  found.listed = await ask("/mcp", {method: "POST", headers: own, body: call("tools/list")});
  found.modern = await ask("/mcp", {method: "POST", body: call("tools/list"), headers: {...fields,
    "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/list", "mcp-name": "x", "mcp-param-region": "y",
    "authorization": "Bearer x", "last-event-id": "1"}});
  found.gone = await ask("/mcp", {method: "POST", headers: {...own, "mcp-session-id": "b1.gone"}, body: call("ping")});
  found.large = await ask("/mcp", {method: "POST", headers: own, body: "x".repeat(9 << 20)});
  found.ended = await ask("/mcp", {method: "DELETE", headers: own});
  found.other = await ask("/mcp", {method: "POST", headers: {...fields, "x-of-its-own": "1"}, body: call("ping")});
  found.guarded = await ask("/guarded", {});
  found.closed = await ask("/closed", {});
  return found;
})().then(done, (error) => done({error: String(error)}));
"""


class Blank(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"<!doctype html><title>page</title>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


def await_answer(url):
    deadline = time.time() + 30
    while True:
        try:
            return urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            assert time.time() < deadline, "Berth does not answer"
            time.sleep(0.2)


def run():
    page = http.server.ThreadingHTTPServer(("127.0.0.1", free_port()), Blank)
    threading.Thread(target=page.serve_forever, daemon=True).start()
    port = page.server_address[1]
    berth = Berth(servers=1, routes=ROUTES.format(page=port))
    base = f"http://127.0.0.1:{berth.listen}"
    driver = browser.chromium()
    try:
        await_answer(base + "/closed")
        driver.set_script_timeout(60)
        driver.get(f"http://127.0.0.1:{port}/")
        found = driver.execute_async_script(SCRIPT, base)
        assert "error" not in found, found
        assert found["opened"]["status"] == 200 and found["opened"]["session"].startswith("b1."), found["opened"]
        assert found["listed"]["status"] == 200 and "tools" in found["listed"]["text"], found["listed"]
        assert found["modern"].get("status"), found["modern"]
        assert found["gone"]["status"] == 404 and "session_gone" in found["gone"]["text"], found["gone"]
        # A browser that is still sending may see the connection end before it reads the answer.
        large = found["large"]
        assert "error" in large or (large["status"] == 413 and "request_too_large" in large["text"]), large
        assert found["ended"]["status"] in (200, 204), found["ended"]
        assert "error" in found["other"], "a field that is not MCP's passes no preflight"
        assert found["guarded"]["status"] == 200, found["guarded"]
        assert "error" in found["closed"], "a route without cors cannot be read"

        # The same page by another name is of another origin.
        driver.get(f"http://localhost:{port}/")
        found = driver.execute_async_script(SCRIPT, base)
        for name in ("opened", "listed", "gone", "ended", "guarded", "closed"):
            assert "error" in found[name], (name, found[name])
    finally:
        driver.quit()
        berth.close()
        page.shutdown()
