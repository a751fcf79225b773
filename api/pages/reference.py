"""The OpenAPI document as rows for the `/docs` page, which must work offline and under a strict CSP.

It covers what our own document uses (objects, arrays, references, unions with null) and is no general
OpenAPI viewer: import `/openapi.json` into one for that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TYPE_NAMES = {
    "string": "字符串",
    "integer": "整数",
    "number": "数字",
    "boolean": "真假值",
    "object": "对象",
    "null": "null",
}

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """One row of a table of fields; `path` is dotted, with `[]` after an array's name."""

    path: str
    type: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One possible response."""

    status: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    replies: tuple[Reply, ...]


def operations(document: Schema) -> list[Operation]:
    """Every operation of an OpenAPI document, in its order."""
    schemas = document.get("components", {}).get("schemas", {})
    return [
        _operation(method, path, details, schemas)
        for path, methods in document["paths"].items()
        for method, details in methods.items()
    ]


def _operation(method: str, path: str, details: Schema, schemas: Schema) -> Operation:
    body = details.get("requestBody", {})
    return Operation(
        id=details["operationId"],
        method=method.upper(),
        path=path,
        summary=details["summary"],
        description=details.get("description", ""),
        parameters=tuple(
            Field(each["name"], _type(each["schema"]), each["required"], each.get("description", ""))
            for each in details.get("parameters", [])
        ),
        body=tuple(_content_fields(body, schemas)),
        replies=tuple(
            Reply(status, reply["description"], tuple(_content_fields(reply, schemas)))
            for status, reply in details["responses"].items()
        ),
    )


def _content_fields(holder: Schema, schemas: Schema) -> Iterator[Field]:
    schema = holder.get("content", {}).get("application/json", {}).get("schema")
    if schema is not None:
        yield from _fields("", schema, schemas)


def _fields(prefix: str, schema: Schema, schemas: Schema) -> Iterator[Field]:
    resolved = _resolve(schema, schemas)
    required = resolved.get("required", [])
    for name, inner in resolved.get("properties", {}).items():
        path = f"{prefix}{name}"
        yield Field(path, _type(inner), name in required, inner.get("description", ""))
        items = inner.get("items")
        if items is not None:
            yield from _fields(f"{path}[].", items, schemas)
        elif "$ref" in inner:
            yield from _fields(f"{path}.", inner, schemas)


def _resolve(schema: Schema, schemas: Schema) -> Schema:
    reference = schema.get("$ref")
    return schema if reference is None else schemas[reference.rsplit("/", 1)[1]]


def _type(schema: Schema) -> str:
    """A type in words, with its limits and default."""
    if "anyOf" in schema:
        return " 或 ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return f"数组（{_type(schema['items'])}）{_limits(schema)}"
    if "$ref" in schema:
        return "对象"
    return _TYPE_NAMES.get(schema.get("type", ""), "任意") + _limits(schema)


def _limits(schema: Schema) -> str:
    lowest = next((schema[key] for key in ("minimum", "minLength", "minItems") if key in schema), None)
    highest = next((schema[key] for key in ("maximum", "maxLength", "maxItems") if key in schema), None)
    unit = " 个字符" if "maxLength" in schema else " 项" if "maxItems" in schema else ""
    parts = []
    if lowest is not None and highest is not None:
        parts.append(f"{_plain(lowest)}–{_plain(highest)}{unit}")
    elif highest is not None:
        parts.append(f"最多 {_plain(highest)}{unit}")
    elif lowest is not None:
        parts.append(f"不小于 {_plain(lowest)}")
    if schema.get("default") not in (None, []):
        parts.append(f"默认 {str(schema['default']).lower()}")
    return f"，{'，'.join(parts)}" if parts else ""


def _plain(number: float) -> str:
    """A whole number without the ".0" that FastAPI gives the limits of integers."""
    return str(int(number)) if number == int(number) else str(number)
