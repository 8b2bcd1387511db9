"""Many clients of mcp 2.3 list what a server says is good for a while: the server is asked once for each time that this is over."""

import json
import time
import urllib.request

import anyio
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

import report


def ask(url: str, path: str, method: str = "GET") -> dict:
    request = urllib.request.Request(url + path, method=method)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=20) as response:
        return json.loads(response.read())


def http(options, token: str | None = None) -> httpx2.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx2.AsyncClient(verify=report.tls(options), timeout=httpx2.Timeout(60), trust_env=False, headers=headers)


def connected(options, own: httpx2.AsyncClient) -> Client:
    return Client(streamable_http_client(options.url, http_client=own), mode="2026-07-28", read_timeout_seconds=30)


async def tools(client: Client) -> list[str]:
    return sorted(tool.name for tool in (await client.list_tools(cache_mode="bypass")).tools)


async def many(options, found) -> None:
    """Each has a credential of its own; public answers are shared all the same."""
    limit = anyio.Semaphore(options.at_once)

    async def one(number: int) -> None:
        async with limit, http(options, f"token-{number}") as own, connected(options, own) as client:
            listed = await tools(client)
            found.expect(listed == ["first"], f"client {number} was told {listed}")
            found.results["listed"] += 1

    async with anyio.create_task_group() as group:
        for number in range(options.clients):
            group.start_soon(one, number)
    count = ask(options.replica, "/asked").get("tools/list", 0)
    found.results["asked"] = count
    found.expect(count == 1, f"{options.clients} clients made {count} requests of the server")


async def expiry(options, found) -> None:
    """Good for 1.5 s: over some seconds, one request for each time that it was over."""
    before = ask(options.replica, "/asked").get("resources/list", 0)
    async with http(options) as own, connected(options, own) as client:
        start = time.monotonic()
        while time.monotonic() - start < 5:
            listed = await client.list_resources(cache_mode="bypass")
            found.expect(0 <= listed.ttl_ms <= 1_500, f"ttlMs is {listed.ttl_ms}")
            await anyio.sleep(0.02)
        seconds = time.monotonic() - start
    count = ask(options.replica, "/asked").get("resources/list", 0) - before
    found.results["expired"] = count
    most = int(seconds / 1.5) + 1
    found.expect(2 <= count <= most, f"{count} requests in {seconds:.1f} s, at most {most} are right")


async def changes(options, found) -> None:
    """What the server says has changed is asked for again at once."""
    slowest = 0.0
    async with http(options) as own, connected(options, own) as client:
        for _ in range(5):
            await tools(client)
            added = ask(options.replica, "/change", "POST")["added"]
            start = time.monotonic()
            while added not in await tools(client):
                if not found.expect(time.monotonic() - start < 20, f"{added} does not come"):
                    return
            slowest = max(slowest, time.monotonic() - start)
    found.results["slowestChange"] = round(slowest * 1000, 1)


async def private(options, found) -> None:
    """Each caller's own."""
    before = ask(options.replica, "/asked").get("prompts/list", 0)
    for number in range(10):
        async with http(options, f"caller-{number}") as own, connected(options, own) as client:
            for _ in range(3):
                await client.list_prompts(cache_mode="bypass")
    count = ask(options.replica, "/asked").get("prompts/list", 0) - before
    found.results["private"] = count
    found.expect(count == 10, f"10 callers with 3 lists each made {count} requests")


async def main(options, found) -> None:
    await many(options, found)
    await expiry(options, found)
    await changes(options, found)
    await private(options, found)


arguments = report.parser(__doc__)
arguments.add_argument("--clients", type=int, default=200)
arguments.add_argument("--at-once", type=int, default=50)
arguments.add_argument("--replica", required=True, help="the server itself")
given = arguments.parse_args()
report.run(main, given, report.Report(listed=0))
