"""A server of the mixed calls on mcp 1.30."""

from mcp.server.fastmcp import FastMCP

import mixed_tools
import serving
from truth import Truth

options = serving.arguments(__doc__, truth=True)
server = FastMCP(options.name, host="0.0.0.0", json_response=options.json)
mixed_tools.register(server, options.name)
serving.serve(Truth(options.truth).watching(server.streamable_http_app()), options)
