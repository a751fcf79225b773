"""The HTTP service over an engine: REST, the web pages and their safety. It holds no retrieval logic."""
