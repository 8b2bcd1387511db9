"""An agent that operates Berth by the tools of its admin address, with the official client of either generation."""

import contextlib
import json

import report

try:  # mcp 2.3
    import httpx2 as httpx
    from mcp.client import Client
    from mcp.client.streamable_http import streamable_http_client

    MODERN = True
except ImportError:  # mcp 1.30
    import httpx
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    MODERN = False

EXPECTED = {
    "list_servers", "list_sessions", "get_stats", "get_alerts", "explain_request", "drain_server", "undrain_server",
    "disable_server", "enable_server", "set_weight", "eject_server", "uneject_server", "forget_session",
    "set_log_level", "reload",
}


def http(token: str) -> httpx.AsyncClient:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.AsyncClient(headers=headers, timeout=httpx.Timeout(30), trust_env=False)


@contextlib.asynccontextmanager
async def connected(options, token: str):
    async with http(token) as own:
        transport = streamable_http_client(options.url, http_client=own)
        if MODERN:
            async with Client(transport, mode=options.mode) as client:
                yield client, client.protocol_version
        else:
            async with transport as (read, write, *_), ClientSession(read, write) as session:
                opened = await session.initialize()
                yield session, opened.protocolVersion if hasattr(opened, "protocolVersion") else opened.protocol_version


def structured(result) -> dict:
    found = getattr(result, "structuredContent", None) or getattr(result, "structured_content", None)
    return found if found is not None else json.loads(result.content[0].text)


def is_error(result) -> bool:
    return bool(getattr(result, "isError", None) or getattr(result, "is_error", None))


async def main(options, found: report.Report) -> None:
    async with connected(options, options.token) as (client, version):
        found.results["version"] = version
        stateless = version >= "2026-07-28"
        found.expect(stateless == (MODERN and options.mode != "legacy"), f"negotiated {version}")
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        found.expect(EXPECTED <= set(tools), f"tools missing: {sorted(EXPECTED - set(tools))}")
        for name, tool in tools.items():
            reads = getattr(tool.annotations, "readOnlyHint", getattr(tool.annotations, "read_only_hint", None))
            found.expect(reads == name.startswith(("list_", "get_", "explain_")), f"{name}: read-only is {reads}")

        servers = structured(await client.call_tool("list_servers", {}))["servers"]
        found.results["servers"] = len(servers)
        target = servers[0]["server"]

        async def state() -> dict:
            listed = structured(await client.call_tool("list_servers", {}))["servers"]
            return next(server for server in listed if server["server"] == target)

        for tool, undo, word in [
            ("drain_server", "undrain_server", "draining"), ("disable_server", "enable_server", "disabled"),
            ("eject_server", "uneject_server", "ejected"),
        ]:
            done = await client.call_tool(tool, {"server": target})
            found.expect(not is_error(done) and structured(done)["outcome"] == "applied", f"{tool}: {done}")
            found.expect((await state())["state"] == word, f"{tool}: {await state()}")
            undone = await client.call_tool(undo, {"server": target})
            found.expect(structured(undone)["outcome"] == "applied", f"{undo}: {undone}")
            found.expect((await state())["state"] == "healthy", f"{undo}: {await state()}")
        await client.call_tool("set_weight", {"server": target, "weight": 7})
        found.expect((await state())["weight"] == 7, f"{await state()}")
        await client.call_tool("set_weight", {"server": target})
        found.expect((await state())["weight"] == 1, f"{await state()}")

        unknown = await client.call_tool("drain_server", {"server": "mcp/nobody:1"})
        found.expect(is_error(unknown), f"an unknown server: {unknown}")
        missing = await client.call_tool("drain_server", {})
        found.expect(is_error(missing), f"a missing argument: {missing}")
        sessions = structured(await client.call_tool("list_sessions", {"limit": 5}))
        found.expect("sessions" in sessions and "total" in sessions, f"{sessions}")
        if sessions["sessions"]:
            digest = sessions["sessions"][0]["digest"]
            forgotten = await client.call_tool("forget_session", {"session": digest})
            found.expect(not is_error(forgotten), f"forget_session: {forgotten}")
        stats = structured(await client.call_tool("get_stats", {}))
        found.expect("upstreams" in stats, f"{list(stats)}")
        request = 'POST /mcp HTTP/1.1\nHost: a\n\n{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
        explained = structured(await client.call_tool("explain_request", {"request": request}))
        found.expect(explained["upstream"] == "mcp" and explained["kind"] == "sessionless", f"{explained}")
        reloaded = structured(await client.call_tool("reload", {}))
        found.expect(reloaded["outcome"] == "unchanged", f"{reloaded}")
        found.results["right"] = 1

    try:
        async with connected(options, "") as (client, _):
            await client.list_tools()
        found.fault("a client without the token was let in")
    except Exception:  # whatever a client makes of 401
        pass


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--token", required=True)
    arguments.add_argument("--mode", default="auto")
    options = arguments.parse_args()
    report.run(main, options, report.Report())
