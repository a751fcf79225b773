"""The MCP server: the tools `search`, `fetch` and `ask`, over HTTP at `/mcp` and over stdio.

The name leaves `mcp` to the SDK. Importing this package, its `http` and its `stdio` costs nothing: the SDK
is imported when a server starts.
"""
