"""Request bodies as JSON, read strictly: what bytes are, and what of JSON is taken.

FastAPI's own reading lets the last of two equal keys win, takes NaN, says one vague sentence about anything
broken, and answers 500 when a lone surrogate reaches a reply.

It deliberately knows nothing of fields: what may stand in the JSON is `schemas`' business. The routes that
read so are `strict_route`'s.
"""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from starlette.datastructures import Headers

from rag.errors import InputError
from rag.inputs import excerpt

MAX_DEPTH = 32
MAX_PIECES = 40_000
"""Strings, brackets and commas of a larger body. A conversation of megabytes has some hundred."""
# Longer than the longest double written out in full: no number anyone can use.
MAX_NUMBER_CHARS = 400

# A string (closed or running to the end) or one bracket. The possessive stars and the optional closing
# quote make every attempt succeed, so that hostile input costs one pass, not one pass per quote. Runs of
# plain characters are taken whole, which counts for a text of megabytes.
_STRING_OR_BRACKET = re.compile(r'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)

_REASONS = {
    "Expecting value": "这里应有一个值",
    "Expecting property name enclosed in double quotes": "这里应有用双引号括起的键名",
    "Expecting ':' delimiter": "键名之后应有冒号",
    "Expecting ',' delimiter": "两项之间应有逗号",
    "Extra data": "JSON 结束之后还有多余的内容",
    "Unterminated string starting at": "字符串没有结束的引号",
    "Invalid control character at": "字符串里有未转义的控制字符",
    "Invalid \\escape": "反斜杠转义不对",
    "Invalid \\uXXXX escape": "\\u 之后应有四位十六进制数",
    "Illegal trailing comma before end of object": "最后一项之后不能有逗号",
    "Illegal trailing comma before end of array": "最后一项之后不能有逗号",
}


_PIECE = re.compile(rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+"?|[\[\]{},]', re.DOTALL)


def check_encoding(headers: Headers) -> None:
    """Refuse a body that is compressed.

    Raises:
        InputError: `unsupported_content_encoding`.
    """
    encoding = headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise InputError(
            f"请求体的 Content-Encoding 是 {excerpt(encoding)}，只接受不压缩的内容。请去掉压缩后再发。",
            code="unsupported_content_encoding",
        )


def check_media_type(headers: Headers, *, accepted: str = "application/json（UTF-8）") -> None:
    """Refuse a body that is compressed or does not call itself JSON in UTF-8.

    Args:
        headers: Of the request.
        accepted: What the message says is accepted.

    Raises:
        InputError: `unsupported_content_encoding` or `unsupported_media_type`.
    """
    check_encoding(headers)
    sent = headers.get("content-type", "")
    # Not `email.message`, which fails on some of the parameters that its standard allows.
    kind, *parameters = (part.strip().lower() for part in sent.split(";"))
    charsets = {part.removeprefix("charset=").strip('"') for part in parameters if part.startswith("charset")}
    if kind != "application/json" or not charsets <= {"utf-8", "utf8"}:
        shown = excerpt(sent) if sent else "空的"
        raise InputError(
            f"请求的 Content-Type 是{shown}，只接受 {accepted}。请改正请求头后再发。",
            code="unsupported_media_type",
        )


def check_pieces(body: bytes, most: int) -> None:
    """Refuse JSON that is made of a great many values: they would cost many times their size.

    What is nested too deeply passes: `parse_json` has a better reason to refuse it, before it reads a value.

    Args:
        body: JSON, or not.
        most: Strings, brackets and commas that it may have.

    Raises:
        InputError: `invalid_request`.
    """
    if sum(map(body.count, b"[]{},")) + body.count(b'"') // 2 <= most:
        return
    depth = 0
    for count, piece in enumerate(_PIECE.finditer(body), 1):
        depth += (piece[0] in b"[{") - (piece[0] in b"]}")
        if depth > MAX_DEPTH:
            return
        if count > most:
            raise InputError(
                f"请求的 JSON 里的值太多：字符串、括号和逗号共超过 {most} 个。"
                "请只写接口说明里的字段，或分几次发送。",
                code="invalid_request",
            )


def parse_json(body: bytes) -> Any:
    """Read one JSON value from UTF-8 bytes.

    Returns:
        Dictionaries, lists, strings, finite numbers, booleans and None; no string holds a lone surrogate.

    Raises:
        InputError: `malformed_json`, `duplicate_key`, `invalid_number` or `invalid_text`.
    """
    text = _decode(body)
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        reason = _REASONS.get(error.msg, error.msg)
        _malformed(f"第 {error.lineno} 行第 {error.colno} 个字符：{reason}")
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError as error:
        code_point = ord(error.object[error.start])
        raise InputError(
            f"请求里有不成对的代理码位 U+{code_point:04X}（写作 \\u{code_point:04x}），不是文字。"
            "请检查截断表情或生僻字的地方。",
            code="invalid_text",
        ) from error
    return value


def _decode(body: bytes) -> str:
    if not body.strip():
        _malformed("请求体是空的")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        position = error.start + 1
    guess = "，看起来是 GBK/GB18030 编码" if _is_gb18030(body) else ""
    return _malformed(f"第 {position} 个字节不是合法的 UTF-8{guess}。请用 UTF-8（send UTF-8）")


def _is_gb18030(body: bytes) -> bool:
    try:
        body.decode("gb18030")
    except UnicodeDecodeError:
        return False
    return True


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return  # as quick as can be, for a text of megabytes: a scan holds up every other thread
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        if token[0] in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                _malformed(f"第 {token.start() + 1} 个字符处嵌套超过 {MAX_DEPTH} 层")
        elif token[0] in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise InputError(
            f"JSON 对象里的键 {excerpt(twice)} 出现了不止一次。每个键只写一次。", code="duplicate_key"
        )
    return result


def _integer(digits: str) -> int:
    if len(digits) > MAX_NUMBER_CHARS:
        _malformed(f"有一个 {len(digits)} 个字符长的数字，最长 {MAX_NUMBER_CHARS} 个字符")
    return int(digits)


def _number(digits: str) -> float:
    if len(digits) > MAX_NUMBER_CHARS:
        _malformed(f"有一个 {len(digits)} 个字符长的数字，最长 {MAX_NUMBER_CHARS} 个字符")
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        _refuse_constant(excerpt(digits))
    return value


def _refuse_constant(written: str) -> NoReturn:
    raise InputError(f"请求里的数字 {written} 不是有限的数。请改用普通的数字。", code="invalid_number")


def _malformed(reason: str) -> NoReturn:
    raise InputError(f"请求体不是合法的 JSON：{reason}。请改正后再发。", code="malformed_json")
