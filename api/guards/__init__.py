"""What a request passes before its route, as plain ASGI middleware: keys, limits, foreign pages, headers."""
