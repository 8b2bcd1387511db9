"""A server of the mixed calls on FastMCP 4.1."""

from fastmcp import FastMCP

import mixed_tools
import serving
from truth import Truth

options = serving.arguments(__doc__, truth=True)
server = FastMCP(options.name)
mixed_tools.register(server, options.name)
app = server.http_app(path="/mcp", json_response=options.json, host_origin_protection=False)
serving.serve(Truth(options.truth).watching(app), options)
