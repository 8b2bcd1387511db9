"""A replica on the official SDK, mcp 2.3: the stateless protocol (2026-07-28) and the revisions with sessions, on /mcp."""

import asyncio
import collections

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.request_state import RequestStateSecurity
from mcp_types import ElicitRequest, ElicitRequestFormParams, InputRequiredResult
from starlette.responses import JSONResponse

import serving

options = serving.arguments(__doc__)
# One key and one server name for the fleet: encrypted `requestState` is bound to both, and any replica may get it back.
server = MCPServer("fleet", request_state_security=RequestStateSecurity(keys=[b"a key the whole fleet shares, 32"]))
calls: dict[str, int] = collections.defaultdict(int)
cancelled: list[str] = []


@server.tool()
async def whoami(token: str, ctx: Context) -> str:
    """Replica, number of this call in its session (0: there is none), and the caller's token."""
    session = (ctx.headers or {}).get("mcp-session-id")
    if session is None or ctx.protocol_version >= "2026-07-28":
        return f"{options.name} 0 {token}"
    calls[session] += 1
    return f"{options.name} {calls[session]} {token}"


@server.tool()
async def count(n: int, pause: float, ctx: Context) -> str:
    for step in range(1, n + 1):
        await ctx.report_progress(step, n)
        await asyncio.sleep(pause)
    return f"{options.name} counted {n}"


@server.tool()
async def linger(key: str, ctx: Context) -> str:
    """Never answers; `/cancelled` reports whether the caller's disconnect reached it."""
    try:
        await ctx.report_progress(1, 2)
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        cancelled.append(key)
        raise
    return options.name


@server.tool()
async def confirm(question: str, ctx: Context) -> str | InputRequiredResult:
    """Asks in one round and answers in the next, which any replica may serve."""
    if ctx.input_responses is None:
        form = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
        asking = ElicitRequest(params=ElicitRequestFormParams(message=question, requested_schema=form))
        return InputRequiredResult(input_requests={"who": asking}, request_state=options.name)
    return f"{options.name} after {ctx.request_state} received {ctx.input_responses['who'].content['name']}"


@server.custom_route("/cancelled", methods=["GET"])
async def show_cancelled(_request):
    return JSONResponse(cancelled)


serving.serve(server.streamable_http_app(host="0.0.0.0"), options)
