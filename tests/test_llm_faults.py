from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from rag.llm.faults import CODES, fault, fault_of_status, may_retry, translate, vendor_errors

REQUEST = httpx.Request("POST", "http://u:sk-secret@127.0.0.1/机密")
ROOTS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)


def branches(root: type[Exception]) -> Iterator[type[Exception]]:
    yield root
    for branch in root.__subclasses__():
        yield from branches(branch)


OURS = [kind for root in ROOTS for kind in branches(root) if kind.__module__.startswith("httpx")]


def made(kind: type[Exception]) -> Exception:
    """An instance that says what nobody may read in our message."""
    if kind is httpx.HTTPStatusError:
        return httpx.HTTPStatusError("sk-secret", request=REQUEST, response=httpx.Response(500))
    if kind in (httpx.StreamConsumed, httpx.StreamClosed, httpx.ResponseNotRead, httpx.RequestNotRead):
        bare: Any = kind
        return bare()  # type: ignore[no-any-return]
    return kind("sk-secret 机密")


def test_the_walk_meets_every_exception_that_httpx_has() -> None:
    public = {
        getattr(httpx, name)
        for name in httpx.__all__
        if isinstance(getattr(httpx, name), type) and issubclass(getattr(httpx, name), Exception)
    }
    assert len(public) > 25
    assert public == set(OURS)


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("replying", [False, True])
def test_every_exception_of_httpx_has_a_code(kind: type[Exception], replying: bool) -> None:
    error = made(kind)
    assert isinstance(error, vendor_errors())
    translated = translate(error, replying=replying)
    assert translated.code in CODES
    assert kind.__name__ in translated.message
    assert "secret" not in translated.message
    assert "机密" not in translated.message


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        (httpx.ConnectError, "generator_unreachable", "generator_unreachable"),
        (httpx.ConnectTimeout, "generator_unreachable", "generator_unreachable"),
        (httpx.ReadTimeout, "generator_timeout", "generator_timeout"),
        (httpx.ReadError, "generator_unreachable", "generator_incomplete"),
        (httpx.RemoteProtocolError, "generator_invalid_reply", "generator_incomplete"),
        (httpx.LocalProtocolError, "generator_refused", "generator_refused"),
        (httpx.UnsupportedProtocol, "generator_refused", "generator_refused"),
        (httpx.DecodingError, "generator_invalid_reply", "generator_invalid_reply"),
        (ssl.SSLError, "generator_unreachable", "generator_incomplete"),
        (UnicodeError, "generator_refused", "generator_refused"),
    ],
)
def test_some_codes(kind: type[Exception], before: str, after: str) -> None:
    codes = [translate(made(kind), replying=replying).code for replying in (False, True)]
    assert codes == [before, after]


def test_only_what_was_not_sent_is_sent_again() -> None:
    retried = [kind for kind in OURS if may_retry(made(kind))]
    assert retried == [httpx.ConnectTimeout, httpx.ConnectError]


def test_what_is_not_httpx_is_not_translated() -> None:
    with pytest.raises(KeyError, match="ZeroDivisionError"):
        translate(ZeroDivisionError(), replying=False)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (200, None),
        (204, None),
        (301, "generator_refused"),
        (400, "generator_refused"),
        (401, "generator_refused"),
        (403, "generator_refused"),
        (404, "generator_refused"),
        (408, "generator_timeout"),
        (422, "generator_refused"),
        (429, "generator_rate_limited"),
        (500, "generator_failed"),
        (503, "generator_failed"),
        (599, "generator_failed"),
        (101, "generator_failed"),
    ],
)
def test_statuses(status: int, code: str | None) -> None:
    error = fault_of_status(status)
    assert (error.code if error else None) == code


def test_messages_say_what_happened_and_what_to_do() -> None:
    for code in CODES:
        message = fault(code, "细节").message
        assert "（细节）。请" in message or code == "generator_cancelled"
        assert message.endswith("。")
    refused = fault_of_status(401)
    assert refused
    for name in ("密钥", "模型名", "地址", "401"):
        assert name in refused.message
    with pytest.raises(KeyError, match="generator_unheard_of"):
        fault("generator_unheard_of")
