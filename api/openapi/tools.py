"""A smaller OpenAPI document for platforms that import tools (Coze, Dify tools, FastGPT and the like).

They show each operation to a language model and to people, read OpenAPI 3.0 only, and do badly with
unions, streams and error schemas. So: version 3.0.3, the operations of `TOOLS`, a part of the fields,
successful JSON replies, one server address. Made from the full document, so that it cannot contradict it.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

TOOLS = ("ask", "search", "listDocuments", "getDocument")

# What a tool's caller may send and gets to see; everything else of these schemas is left out.
_FIELDS: dict[str, tuple[str, ...]] = {
    "AskRequest": ("question", "history"),
    "SearchRequest": ("query", "top_k", "score_threshold"),
    "AskReply": ("status", "answer", "reason", "confidence", "citations", "related", "resolved_question"),
    "CitationOut": (
        "number",
        "title",
        "authors",
        "document_id",
        "paragraph",
        "start_line",
        "end_line",
        "quote",
        "url",
    ),
    "HitOut": ("rank", "score", "title", "authors", "document_id", "text", "start_line", "end_line", "url"),
}
_DROPPED = ("title", "additionalProperties")
_REF = "#/components/schemas/"


def tools_document(full: Mapping[str, Any], server_url: str) -> dict[str, Any]:
    """The tools' document.

    Args:
        full: The whole document, OpenAPI 3.1 as FastAPI makes it.
        server_url: Where the platform reaches the service, absolute.
    """
    paths: dict[str, Any] = {}
    for path, methods in full["paths"].items():
        for method, operation in methods.items():
            if operation["operationId"] in TOOLS:
                paths.setdefault(path, {})[method] = _operation(operation)
    schemas = _schemas_below(paths, full["components"]["schemas"])
    components: dict[str, Any] = {"schemas": schemas}
    if any("security" in operation for methods in paths.values() for operation in methods.values()):
        components["securitySchemes"] = copy.deepcopy(full["components"]["securitySchemes"])
    return {
        "openapi": "3.0.3",
        "info": copy.deepcopy(full["info"]),
        "servers": [{"url": server_url}],
        "paths": paths,
        "components": components,
    }


def _operation(operation: Mapping[str, Any]) -> dict[str, Any]:
    success = operation["responses"]["200"]
    kept = {name: copy.deepcopy(operation[name]) for name in ("operationId", "summary") if name in operation}
    kept["description"] = operation.get("description") or operation["summary"]
    if "parameters" in operation:
        kept["parameters"] = [_downgraded(parameter) for parameter in operation["parameters"]]
        for parameter in kept["parameters"]:
            parameter.setdefault("description", "编号，取自列表")
    if "requestBody" in operation:
        kept["requestBody"] = {"required": True, "content": _json_only(operation["requestBody"]["content"])}
    kept["responses"] = {
        "200": {"description": success["description"], "content": _json_only(success["content"])}
    }
    # An alternative without a key only says that this service may be open; importers take the first.
    needed = [choice for choice in operation.get("security", []) if choice]
    if needed and {} not in operation["security"]:
        kept["security"] = needed
    return kept


def _json_only(content: Mapping[str, Any]) -> dict[str, Any]:
    schema = content["application/json"]["schema"]
    return {"application/json": {"schema": _downgraded(schema)}}


def _schemas_below(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    """Every schema that the paths lead to, cut down and in 3.0 form, by name."""
    found: dict[str, Any] = {}
    waiting = sorted(_references(paths))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _cut(name, schemas[name])
            waiting += sorted(_references(found[name]))
    return dict(sorted(found.items()))


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        own = {node["$ref"].removeprefix(_REF)} if "$ref" in node else set()
        return own.union(*(_references(value) for value in node.values()))
    if isinstance(node, list):
        return set().union(*(_references(value) for value in node))
    return set()


def _cut(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    wanted = _FIELDS.get(name, tuple(schema.get("properties", ())))
    properties = {field: _downgraded(schema["properties"][field]) for field in wanted}
    required = [field for field in schema.get("required", ()) if field in properties]
    cut = {"type": "object", "description": schema.get("description", name), "properties": properties}
    return cut | ({"required": required} if required else {})


def _downgraded(node: Any) -> Any:
    """A schema of 3.1 in the words of 3.0: `nullable` for a union with null, one `example`, no titles."""
    if isinstance(node, list):
        return [_downgraded(part) for part in node]
    if not isinstance(node, dict):
        return node
    node = {
        key: value for key, value in node.items() if key not in _DROPPED or not isinstance(value, str | bool)
    }
    if "anyOf" in node:
        (first, *others) = [choice for choice in node.pop("anyOf") if choice.get("type") != "null"]
        if others:
            raise NotImplementedError("a union of several types has no place in a tool's schema")
        # A reference may have no neighbours in 3.0.
        node = (
            {"allOf": [first], "nullable": True, **node}
            if "$ref" in first
            else first | node | {"nullable": True}
        )
    if node.get("nullable") and "enum" in node:
        node["enum"] = [*node["enum"], None]  # 3.0.3 asks for that too
    if examples := node.pop("examples", None):
        node["example"] = examples[0]
    if "const" in node:
        node["enum"] = [node.pop("const")]
    if node.get("type") == "integer":
        node |= {key: int(node[key]) for key in ("minimum", "maximum") if key in node}
    return {key: _downgraded(value) for key, value in node.items()}
