import MCP
import Testing
