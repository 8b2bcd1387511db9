"""A replica on mcp 2.3 whose lists say how long they are good. `/asked` tells how often each method reached it, `/change` adds a
tool and tells those who listen."""

import collections

from mcp.server.caching import CacheHint
from mcp.server.mcpserver import MCPServer
from mcp.server.subscriptions import InMemorySubscriptionBus, ToolsListChanged
from starlette.responses import JSONResponse

import serving

options = serving.arguments(__doc__)
hints = {
    "tools/list": CacheHint(ttl_ms=60_000, scope="public"),
    "resources/list": CacheHint(ttl_ms=1_500, scope="public"),
    "prompts/list": CacheHint(ttl_ms=60_000, scope="private"),
}
bus = InMemorySubscriptionBus()
server = MCPServer("cached", cache_hints=hints, subscriptions=bus)
asked: dict[str, int] = collections.defaultdict(int)
tools = 0


@server.tool()
async def first() -> str:
    return options.name


def add_tool() -> str:
    global tools
    tools += 1
    name = f"added{tools}"

    async def added() -> str:
        return name

    server.add_tool(added, name=name)
    return name


@server.custom_route("/asked", methods=["GET"])
async def show_asked(_request):
    return JSONResponse(asked)


@server.custom_route("/change", methods=["POST"])
async def change(_request):
    name = add_tool()
    await bus.publish(ToolsListChanged())
    return JSONResponse({"added": name})


app = server.streamable_http_app(host="0.0.0.0")


async def counted(scope, receive, send):
    if scope["type"] == "http":
        for name, value in scope["headers"]:
            if name == b"mcp-method":
                asked[value.decode()] += 1
    await app(scope, receive, send)


serving.serve(counted, options)
