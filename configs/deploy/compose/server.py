"""A sample MCP server with sessions: each counts its own calls, so that an answer shows whose it is."""

import os

from mcp.server.fastmcp import Context, FastMCP

server = FastMCP("sample", host="0.0.0.0", port=3001)
counts: dict[int, int] = {}


@server.tool()
async def count(context: Context) -> str:
    """How often this session has called, and which replica answers."""
    session = id(context.session)
    counts[session] = counts.get(session, 0) + 1
    return f"{os.uname().nodename}: {counts[session]}"


server.run(transport="streamable-http")
