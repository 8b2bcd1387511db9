"""A replica on FastMCP 4.1: Streamable HTTP with sessions on /mcp."""

import collections

from fastmcp import Context, FastMCP
from fastmcp.server.dependencies import get_http_headers

import serving

options = serving.arguments(__doc__)
server = FastMCP(options.name)
calls: dict[str, int] = collections.defaultdict(int)


@server.tool
async def whoami(token: str, ctx: Context) -> str:
    session = get_http_headers(include_all=True).get("mcp-session-id")
    if session is None:
        return f"{options.name} 0 {token}"
    calls[session] += 1
    return f"{options.name} {calls[session]} {token}"


serving.serve(server.http_app(path="/mcp", host_origin_protection=False), options)
