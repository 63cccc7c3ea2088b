"""The MCP server `bilancio-mcp`: jobs that one can talk about."""
