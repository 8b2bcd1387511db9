"""Calls of the official client, mcp 2.3, in the revision --mode, of tools that answer and of some that fail."""

import contextlib

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

import report


async def main(options, found) -> None:
    found.results.update(right=0)
    async with httpx2.AsyncClient(verify=report.tls(options), timeout=30, trust_env=False) as http:
        transport = streamable_http_client(options.url, http_client=http)
        async with Client(transport, mode=options.mode, read_timeout_seconds=options.call_timeout) as client:
            await client.list_tools()
            for number in range(options.calls):
                if number % 5 == 0:
                    with contextlib.suppress(Exception):
                        await client.call_tool("made-up", {})
                else:
                    answered = await client.call_tool("whoami", {"token": str(number)})
                    found.results["right"] += answered.content[0].text.endswith(f" 0 {number}")


if __name__ == "__main__":
    arguments = report.parser(__doc__)
    arguments.add_argument("--calls", type=int, default=100)
    arguments.add_argument("--mode", default="2026-07-28")
    report.run(main, arguments.parse_args(), report.Report())
