"""Requests of generated cases, their texts replaced by Chinese and by broken Unicode, sent as they are.

Generators of JSON Schema values know what a schema says: that a text is a text. What breaks services is in
none: half a surrogate pair, a NUL, nothing but spaces that look like none, numbers that are none.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx
import schemathesis
from hypothesis import strategies as st

from tests.uploading import FORM, field, file_part, form

_CHINESE = (
    "望海角灯塔建于哪一年？",
    "燈塔有多高",
    "清明前三天采的茶叫什么茶",
    "𠮷田说了什么",
    "它呢？",
    "茶",
    "茶山笔记<初稿>",
    "何采薇、周望潮",
    "第一段和第二段",
)
_BROKEN = (
    "\ud800",
    "\udc00",
    "\udfb7\ud842",
    "\x00",
    "\x07",
    "\x7f",
    "\x85",
    "\u2028",
    "\u200b\u200b",
    "\ufeff",
    "\u3000",
    "\u202e",
    "e\u0301\u0301\u0301",
    "葛\U000e0100",
    "👩\u200d👩\u200d👧",
    "\U0010ffff",
    "\ufdd0",
    "ﾊﾟ",
    "\r\n",
    "../",
    "%00",
    "%",
    "?#&=",
    '"\\',
    "<script>",
    "{{7*7}}",
    "' OR 1=1 --",
    "http://169.254.169.254/",
    "file:///etc/passwd",
)
_NUMBERS = (float("nan"), float("inf"), -float("inf"), 1e308, 2**63, 10**400, -1, 0, 0.5, -0.0)

TEXTS = st.lists(st.sampled_from(_CHINESE) | st.sampled_from(_BROKEN), max_size=5).map("".join) | (
    st.sampled_from(_BROKEN).map(lambda text: text * 2_100)
)
"""Texts of Chinese and of what is broken, short ones and some that are longer than any limit."""


Known = Mapping[str, list[Any]]
"""Values that exist, by the name of the field or parameter; a request of invented ones gets no further."""

_MAX_IN_ADDRESS = 300
"""Characters of a text in a path or query; the server's parser gives up at 64 KB of address."""


@st.composite
def spoilt(draw: st.DrawFn, value: Any, rate: int, known: Known, name: str = "") -> Any:
    """A JSON value, some of the texts in it replaced, and now and then a number or a name.

    Args:
        draw: Of Hypothesis.
        value: What a schema allows.
        rate: How many of ten texts are replaced.
        known: Taken for the field that `value` belongs to, two times of three.
        name: Of that field.
    """
    chance = draw(st.integers(0, 9))
    if chance >= rate and name in known and draw(st.integers(0, 2)):
        return draw(st.sampled_from(known[name]))
    if isinstance(value, str):
        return draw(TEXTS) if chance < rate else value
    if isinstance(value, dict):
        renamed = [draw(TEXTS) if draw(st.integers(0, 99)) < rate else key for key in value]
        values = [draw(spoilt(each, rate, known, key)) for key, each in value.items()]
        return dict(zip(renamed, values, strict=True))
    if isinstance(value, list):
        return [draw(spoilt(each, rate, known, name)) for each in value]
    if isinstance(value, int | float) and not isinstance(value, bool) and chance < rate - 1:
        return draw(st.sampled_from(_NUMBERS))
    return value


@st.composite
def spoilt_requests(
    draw: st.DrawFn, operation: Any, known: Known
) -> tuple[schemathesis.Case[Any], httpx.Request]:
    """A case of an operation, and the request that its spoilt parts make; `send` gives it an address."""
    case = draw(operation.as_strategy())
    rate = draw(st.sampled_from([1, 2, 5]))
    path = operation.path
    for name, value in case.path_parameters.items():
        path = path.replace(f"{{{name}}}", _quoted(draw(spoilt(str(value), rate, known, name))) or "%20")
    query = [
        f"{_quoted(name)}={_quoted(draw(spoilt(str(each), rate, known, name)))}"
        for name, value in (case.query or {}).items()
        for each in (value if isinstance(value, list) else [value])
    ]
    content, headers = _content(case, draw(spoilt(case.body, rate, known)), draw(st.booleans()))
    url = f"http://service{path}" + (f"?{'&'.join(query)}" if query else "")
    return case, httpx.Request(operation.method.upper(), url, headers=headers, content=content)


def _content(case: Any, body: Any, escaped: bool) -> tuple[bytes | None, dict[str, str]]:
    if case.media_type is None:
        return None, {}
    if case.media_type == "multipart/form-data" and isinstance(body, dict):
        parts = [
            file_part(_bytes(each))
            if name == "file"
            else field(name.encode("utf-8", "replace").decode(), each)
            for name, value in body.items()
            for each in map(_bytes, value if isinstance(value, list) else [value])
        ]
        return form(*parts), FORM
    text = json.dumps(body if isinstance(body, dict | list) else {}, ensure_ascii=escaped)
    return text.encode("utf-8", "surrogatepass"), {"Content-Type": "application/json"}


def _quoted(text: str) -> str:
    return quote(text[:_MAX_IN_ADDRESS].encode("utf-8", "surrogatepass"), safe="")


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def send(client: httpx.Client, request: httpx.Request, base_url: str) -> httpx.Response:
    """Send it to a service at this address."""
    request.url = httpx.URL(base_url).copy_with(raw_path=request.url.raw_path)
    request.headers["Host"] = request.url.netloc.decode()
    return client.send(request)
