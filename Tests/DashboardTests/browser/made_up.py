"""Figures as Berth sends them, made up: idle, under load, with a server down, and with 200 servers and 500 tools."""

import math
import random
import time

VERBS = ["search", "get", "list", "create", "update", "export", "render", "convert", "query", "summarise"]
NOUNS = ["weather", "documents", "tickets", "invoices", "customers", "images", "routes", "logs", "metrics", "reports",
         "calendar", "orders", "products", "reviews", "builds", "deployments", "alerts", "contracts"]


class MadeUp:
    """One run of figures. `tick` makes the next second's."""

    def __init__(self, scenario, now, seed=7):
        self.scenario = scenario
        self.random = random.Random(seed)
        self.start = now
        self.now = now
        self.seconds = 0
        self.call_number = 0
        self.changes = ["drain", "undrain", "eject", "uneject", "reload"]
        large = scenario == "large"
        names = ["mcp", "files", "search", "crm"] if large else ["mcp", "files"]
        sizes = [80, 60, 40, 20] if large else [4, 2]
        self.upstreams = [
            {"name": name, "balance": balance, "servers": [self.server(name, index) for index in range(size)]}
            for name, size, balance in zip(names, sizes, ["round-robin", "least-requests", "power-of-two", "round-robin"])
        ]
        self.tool_names = [f"{verb}-{noun}" for noun in NOUNS for verb in VERBS]
        self.tools = [self.tool(index) for index in range(500 if large else 14)]
        self.sessions = [self.session(index) for index in range(200 if large else 0 if scenario == "idle" else 38)]
        self.failed, self.slow = [], []
        if not self.is_idle:
            for age in range(64, 0, -1):
                self.now = now - age * 4000
                self.make_calls()
        self.now = now

    @property
    def is_idle(self):
        return self.scenario == "idle"

    def server(self, upstream, index):
        name = f"{upstream}-{index + 1}:3001"
        return {
            "path": f"{upstream}/{name}", "name": name, "draining": False, "backup": False, "weight": 1, "max": 128,
            "base": 20 + self.random.random() * 60, "latency": 40 + self.random.random() * 90,
        }

    def tool(self, index):
        name = self.tool_names[index % len(self.tool_names)] + ("" if index < len(self.tool_names) else f"-v{index // len(self.tool_names) + 1}")
        upstream = self.upstreams[index % len(self.upstreams)]["name"]
        weight = 1 / (1 + index % 37) * 900
        latency = 10 ** (1.2 + self.random.random() * 2.2)
        errors = self.random.choice([0, 0, 0, 0.002, 0.01, 0.03, 0.12])
        return {"name": name, "upstream": upstream, "weight": weight, "latency": latency, "errors": errors}

    def session(self, index):
        return {
            "id": f"{self.random.getrandbits(64):016x}", "since": self.start - self.random.randrange(60, 90000) * 1000,
            "idle": self.random.randrange(0, 900) if index > 8 else index, "calls": self.random.randrange(1, 400),
            "failed": self.random.choice([0, 0, 0, 0, 1, 3]), "recovered": self.random.choice([0, 0, 0, 0, 0, 1, 2]),
        }

    def tick(self):
        """The figures of the next second, every part."""
        self.now += 1000
        self.seconds += 1
        wave = 1 + 0.35 * math.sin(self.seconds / 9) + 0.12 * math.sin(self.seconds / 2.3)
        if not self.is_idle and self.seconds % 4 == 0:
            self.make_calls()
        upstreams = [self.upstream_now(upstream, wave) for upstream in self.upstreams]
        servers = [server for upstream in upstreams for server in upstream["servers"]]
        rate = sum(server["rate"] for server in servers)
        return {
            "now": self.now,
            "process": self.process_now(),
            "traffic": self.traffic_now(servers, rate, wave),
            "upstreams": upstreams,
            "tools": [] if self.is_idle else [self.tool_now(tool, wave) for tool in self.tools],
            "alerts": self.alerts_now(),
            "sessions": {"total": 0 if self.is_idle else 9412 if self.scenario == "large" else 311,
                         "rows": [self.session_now(session) for session in self.sessions]},
            "calls": {"slow_from": 1000, "failed": self.failed, "slow": self.slow},
            "listeners": [{"name": "mcp", "url": "https://mcp.example.com/mcp"}, {"name": "mcp", "url": "http://*:8080/mcp"}],
        }

    def process_now(self):
        return {
            "version": "1.4.0", "pid": 4121, "uptime_seconds": 273_600 + self.seconds, "workers": 2,
            "hash": "5f1c09a7be4431d20c77aa01e9d2b6c4", "loaded_at": self.start - 86_400_000,
            "reloads": {"applied": 3, "unchanged": 1, "rejected": 0}, "last_error": None, "draining": False,
            "clients": 12 if self.is_idle else 842, "changes": self.changes,
        }

    def traffic_now(self, servers, rate, wave):
        if self.is_idle:
            return {"rate": 0, "calls": 0, "failed": 0, "tool_errors": 0, "p50": None, "p95": None, "p99": None,
                    "p95_now": None, "failing": 0, "sessions": 0, "streams": 0, "waiting": 0, "recovered": 0}
        failed = 0.071 if self.scenario == "down" else 0.0084
        return {
            "rate": rate, "calls": int(rate * 300), "failed": int(rate * 300 * failed), "tool_errors": int(rate * 250 * failed),
            "p50": 46 * wave, "p95": 380 * wave, "p99": 2140 * wave, "p95_now": 380 * wave * (0.8 + self.random.random() * .4),
            "failing": rate * failed * self.random.random(), "sessions": sum(server["sessions"] for server in servers),
            "streams": sum(server["streams"] for server in servers), "waiting": sum(server["waiting"] for server in servers),
            "recovered": 17 if self.scenario == "down" else 2,
        }

    def upstream_now(self, upstream, wave):
        servers = [self.server_now(server, index, wave) for index, server in enumerate(upstream["servers"])]
        return {"name": upstream["name"], "balance": upstream["balance"],
                "catalogs_differ": self.scenario == "down" and upstream["name"] == "files", "servers": servers}

    def state_of(self, server, index):
        if server.get("ejected"):
            return "ejected"
        if self.scenario == "down" and server["path"] == "mcp/mcp-2:3001":
            return "down"
        if self.scenario == "large" and index in (17, 31):
            return "down" if index == 17 and server["path"].startswith("files") else "ejected" if index == 31 else "healthy"
        if server["draining"] or (self.scenario == "down" and server["path"] == "mcp/mcp-4:3001"):
            return "draining"
        return "healthy"

    def server_now(self, server, index, wave):
        state = self.state_of(server, index)
        busy = not self.is_idle and state in ("healthy", "draining")
        noise = 0.7 + self.random.random() * 0.6
        rate = server["base"] * wave * noise if busy else 0
        surge = 1.6 if self.scenario == "down" else 1
        latency = server["latency"] * wave * noise * 3 * surge
        waiting = self.random.randrange(0, 6) if self.scenario == "down" and busy and index == 0 else 0
        return {
            "path": server["path"], "name": server["name"], "state": state,
            "reason": {"down": "connection refused", "ejected": "5 calls in a row failed"}.get(state),
            "reason_at": int(time.time() * 1000) - 2_000 if state == "down" else None,
            "draining": state == "draining", "backup": index == 1 and server["path"].startswith("files"), "weight": 1,
            "sessions": int(server["base"] * 1.4) if busy else 0, "streams": int(server["base"] * 0.6) if busy else 0,
            "active": min(128, int(rate * 0.9 * surge)), "max": server["max"], "waiting": waiting, "rate": rate * surge,
            "calls": int(rate * 300), "failed": int(rate * 300 * (0.09 if self.scenario == "down" and index == 0 else 0.004)),
            "p95": latency if busy else None, "p95_now": latency if busy and self.random.random() > .1 else None,
        }

    def tool_now(self, tool, wave):
        p50 = tool["latency"] * (0.9 + 0.2 * self.random.random())
        return {"upstream": tool["upstream"], "name": tool["name"], "calls": int(tool["weight"] * wave),
                "p50": p50, "p95": p50 * 4.2, "p99": p50 * 7.5, "error_rate": tool["errors"]}

    def session_now(self, session):
        servers = self.upstreams[0]["servers"]
        place = int(session["id"][:4], 16)
        return {
            "id": session["id"], "server": servers[place % len(servers)]["path"], "since": session["since"],
            "used": self.now - session["idle"] * 1000, "calls": session["calls"], "failed": session["failed"],
            "last": self.tool_names[place % 14], "recovered": session["recovered"],
        }

    def alerts_now(self):
        if self.scenario != "down":
            return [{"name": name, "state": "inactive", "severity": "warning", "since": None, "summary": ""}
                    for name in ("Tool p95", "Error rate", "Pool waiting")]
        return [
            {"name": "Too many calls of an upstream fail", "state": "firing", "severity": "critical", "since": self.start - 190_000,
             "summary": "7.1 % of the calls of upstream mcp failed in the last five minutes."},
            {"name": "A certificate ends soon", "state": "firing", "severity": "warning", "since": self.start - 43_000_000,
             "summary": "mcp.example.com is valid for 9 more days."},
            {"name": "Servers of an upstream list different tools", "state": "firing", "severity": "warning",
             "since": self.start - 610_000, "summary": "Servers of upstream files list different tools."},
            {"name": "Tool p95", "state": "pending", "severity": "warning", "since": self.start - 20_000, "summary": ""},
        ]

    def make_calls(self):
        self.failed = ([self.call(failed=True)] + self.failed)[:64]
        self.slow = ([self.call(failed=False)] + self.slow)[:64]

    def call(self, failed):
        self.call_number += 1
        session = self.random.choice(self.sessions)
        outcome = self.random.choice(["tool_error", "tool_error", "rpc_error", "timeout", "rejected", "cancelled"]) if failed else "success"
        took = self.random.choice([3, 40, 900, 10_000]) * (1 + self.random.random()) if failed else 1000 + self.random.random() ** 3 * 40_000
        return {
            "id": self.call_number, "at": self.now - self.random.randrange(0, 900), "took": took, "method": "tools/call",
            "name": self.random.choice(self.tool_names[:14]), "outcome": outcome, "code": -32602 if outcome == "rpc_error" else 0,
            "status": 200, "reason": "no_server_available" if outcome == "rejected" else None,
            "server": None if outcome == "rejected" else self.session_now(session)["server"], "session": session["id"],
            "retries": self.random.choice([0, 0, 0, 1]), "queued": self.random.choice([0, 0, 0, 420]),
            "recovered": self.random.random() > 0.9,
        }

    def journey(self, identifier):
        for session in self.sessions:
            if session["id"] == identifier:
                calls = [dict(self.call(failed=index % 5 == 2), session=identifier, id=index, at=self.now - index * 9400) for index in range(20)]
                return dict(self.session_now(session), steps=calls)
        return None
