"""A server of the mixed calls on mcp 2.3."""

from mcp.server.mcpserver import MCPServer

import mixed_tools
import serving
from truth import Truth

options = serving.arguments(__doc__, truth=True)
server = MCPServer("fleet")
mixed_tools.register(server, options.name)
app = server.streamable_http_app(host="0.0.0.0", json_response=options.json)
serving.serve(Truth(options.truth).watching(app), options)
