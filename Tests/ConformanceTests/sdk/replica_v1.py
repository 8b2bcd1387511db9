"""A replica on the official SDK, mcp 1.30: Streamable HTTP with sessions (2025) on /mcp, HTTP+SSE (2024) on /sse."""

import asyncio
import collections
import weakref

from mcp.server.fastmcp import Context, FastMCP
from mcp.types import SamplingMessage, TextContent
from pydantic import BaseModel

import serving
from events import SessionEvents

options = serving.arguments(__doc__)
events = SessionEvents()
server = FastMCP(options.name, event_store=events, retry_interval=100, host="0.0.0.0")
calls: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()
gates: dict[str, asyncio.Semaphore] = collections.defaultdict(lambda: asyncio.Semaphore(0))


class Name(BaseModel):
    name: str


@server.tool()
async def whoami(token: str, ctx: Context) -> str:
    """Replica, number of this call in its session, and the caller's token: a misrouted answer is detected."""
    calls[ctx.session] = calls.get(ctx.session, 0) + 1
    return f"{options.name} {calls[ctx.session]} {token}"


@server.tool()
async def echo(text: str) -> str:
    return text


@server.tool()
async def sleep(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return options.name


@server.tool(name="bytes")
async def some_bytes(n: int) -> str:
    return "x" * n


@server.tool()
async def count(n: int, pause: float, ctx: Context) -> str:
    for step in range(1, n + 1):
        await ctx.report_progress(step, n)
        await asyncio.sleep(pause)
    return f"{options.name} counted {n}"


@server.tool()
async def lockstep(key: str, n: int, ctx: Context) -> str:
    """Reports a step and waits for `advance` before the next: with a proxy that delays an event it never completes."""
    for step in range(1, n + 1):
        await ctx.report_progress(step, n)
        await gates[key].acquire()
    return f"{options.name} counted {n}"


@server.tool()
async def advance(key: str) -> str:
    gates[key].release()
    return options.name


@server.tool()
async def come_back(key: str, ctx: Context) -> str:
    """Ends its own stream before it answers: the client must reconnect with Last-Event-ID (2025-11-25)."""
    await ctx.close_sse_stream()
    await gates[key].acquire()
    return f"{options.name} answered late"


@server.tool()
async def notify(text: str, ctx: Context) -> str:
    """Sends `text` on the session's standalone GET stream."""
    await ctx.session.send_log_message(level="info", data=text)
    return options.name


@server.tool()
async def ask(question: str, ctx: Context) -> str:
    message = SamplingMessage(role="user", content=TextContent(type="text", text=question))
    answer = await ctx.session.create_message([message], max_tokens=100, related_request_id=ctx.request_id)
    return f"{options.name} received {answer.content.text}"


@server.tool()
async def elicit(question: str, ctx: Context) -> str:
    answer = await ctx.elicit(question, Name)
    return f"{options.name} received {answer.action} {answer.data.name}"


app = server.streamable_http_app()
app.router.routes.extend(server.sse_app().routes)
serving.serve(events.watching(app), options)
