"""Pydantic's findings in Chinese. Values are never repeated; field names are, cut short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rag.inputs import excerpt

_MAX_LISTED = 3

# Error type -> sentence; the placeholders are the type's own context values.
_SENTENCES = {
    "missing": "缺少这个字段",
    "extra_forbidden": "不认识这个字段，请删去或检查拼写",
    "string_type": "应为字符串",
    "string_too_short": "至少要有 {min_length} 个字符",
    "string_too_long": "最多 {max_length} 个字符",
    "int_type": "应为整数，不加引号，也不是 true 或 false",
    "float_type": "应为数字，不加引号",
    "bool_type": "应为 true 或 false，不加引号",
    # Of what came as text, in a query, or may be written as text.
    "int_parsing": "应为整数",
    "int_parsing_size": "应为整数，位数没有这么多",
    "int_from_float": "应为整数，不带小数",
    "float_parsing": "应为数字",
    "bool_parsing": "应为 true 或 false",
    "string_unicode": "应为文字，不能有不成对的代理码位",
    "string_pattern_mismatch": "写法不对",
    "list_type": "应为数组",
    "dict_type": "应为 JSON 对象",
    "model_type": "应为 JSON 对象",
    "model_attributes_type": "应为 JSON 对象",
    "literal_error": "只能是 {expected}",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "too_short": "至少要有 {min_length} 项",
    "too_long": "最多 {max_length} 项",
    "finite_number": "应为有限的数",
}


def describe_problems(problems: Sequence[Any]) -> str:
    """One Chinese message for a list of pydantic errors: at most three of them, then how many more."""
    listed = "；".join(_describe(problem) for problem in problems[:_MAX_LISTED])
    more = f"；另有 {len(problems) - _MAX_LISTED} 处" if len(problems) > _MAX_LISTED else ""
    return f"请求不合要求：{listed}{more}。接口说明见 /docs。"


def _describe(problem: Mapping[str, Any]) -> str:
    kind = str(problem.get("type", ""))
    context = problem.get("ctx") or {}
    sentence = _SENTENCES.get(kind)
    text = f"值不合要求（{kind}）" if sentence is None else sentence.format(**context)
    return f"{_place(problem.get('loc', ()))}{text.replace(' or ', ' 或 ')}"


def field_path(location: Sequence[int | str]) -> str:
    """`("body", "history", 0, "role")` as "history[0].role"; "" for the body itself."""
    path = ""
    for part in location[1:]:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _place(location: Sequence[int | str]) -> str:
    path = field_path(location)
    return excerpt(path) if path else "请求体"
