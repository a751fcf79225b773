"""The OpenAPI document: completed, with examples, tools made from it; `python -m api.openapi` writes it."""
