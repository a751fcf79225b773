"""Which error a reply stands for, and what may be repeated of it."""

from __future__ import annotations

import json
import pickle

import pytest
from httpx import Headers
from hypothesis import given
from hypothesis import strategies as st

from api.errors.codes import CODES
from cewen import (
    AuthenticationError,
    BadRequestError,
    CewenError,
    ConnectionFailedError,
    InvalidReplyError,
    NotFoundError,
    OverloadedError,
    SearchResult,
    ServerError,
    ServiceError,
)
from cewen.collection_requests import COLLECTIONS
from cewen.events import AnswerReader
from cewen.replies import error_in_stream, parse, text_of
from cewen.requests import source_request
from tests.client_driver import error_body

PAGE = "<html>机密问题</html>".encode()
KINDS = {
    400: BadRequestError,
    401: AuthenticationError,
    403: AuthenticationError,
    404: NotFoundError,
    405: BadRequestError,
    408: BadRequestError,
    409: BadRequestError,
    410: NotFoundError,
    413: BadRequestError,
    415: BadRequestError,
    422: BadRequestError,
    429: OverloadedError,
    431: BadRequestError,
    500: ServerError,
    503: OverloadedError,
    504: ServerError,
    507: ServerError,
}


def refusal(status: int, body: bytes, **headers: str) -> CewenError:
    given = Headers({name.replace("_", "-"): value for name, value in headers.items()})
    with pytest.raises(CewenError) as caught:
        text_of(COLLECTIONS, status, given, body)
    return caught.value


@pytest.mark.parametrize("code", CODES)
def test_every_code_of_the_service_has_its_class(code: str) -> None:
    row = CODES[code]
    error = refusal(row.status, error_body(code, row.type).encode(), retry_after="2")
    assert type(error) is KINDS[row.status]
    assert (error.code, error.message, error.status) == (code, "现在不行，请稍后再试。", row.status)
    assert (error.request_id, error.retry_after) == ("r-1", 2.0)
    # In a stream there is no status; the type says the same.
    inside = error_in_stream(error_body(code, row.type))
    assert (type(inside), inside.code, inside.status) == (type(error), code, None)


def test_an_error_shows_what_is_needed_to_report_it() -> None:
    error = refusal(503, error_body("overloaded", "unavailable").encode())
    assert str(error) == "现在不行，请稍后再试。（overloaded，HTTP 503，请求编号 r-1）"
    assert str(ConnectionFailedError("连不上。")) == "连不上。（connection_failed）"
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 -- our own
    assert (str(again), vars(again)) == (str(error), vars(error))


def test_the_request_id_of_the_header_does_too() -> None:
    body = b'{"error": {"code": "internal_error", "message": "..."}}'
    assert refusal(500, body, x_request_id="r-2").request_id == "r-2"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AuthenticationError),
        (403, AuthenticationError),
        (407, AuthenticationError),
        (413, BadRequestError),
        (429, OverloadedError),
        (502, ServerError),
        (503, OverloadedError),
        (504, ServerError),
        *((status, InvalidReplyError) for status in (204, 301, 307, 400, 404, 418, 500, 505)),
    ],
)
def test_a_page_of_somebody_in_between(status: int, kind: type[CewenError]) -> None:
    error = refusal(status, PAGE, content_type="text/html; charset=utf-8", retry_after="3")
    assert (type(error), error.status) == (kind, status)
    assert "机密" not in str(error)
    if isinstance(error, ServiceError):
        assert (error.code, error.retry_after) == (f"http_{status}", 3.0)
    else:
        assert error.code == "invalid_reply"
        assert "text/html" in error.message


def test_a_redirect_is_explained() -> None:
    assert "跳转" in refusal(307, b"", location="https://elsewhere.example").message


@pytest.mark.parametrize(
    "body", [b"", PAGE, b"[]", b'{"error": "x"}', b"{", b"\xff", b'{"error": {"code": 5}}']
)
def test_no_body_of_an_error_breaks_it(body: bytes) -> None:
    assert type(refusal(500, body)) is InvalidReplyError


@given(st.binary(), st.integers(100, 599).filter(lambda status: status not in {200, 201}))
def test_whatever_comes_is_an_error_of_ours(body: bytes, status: int) -> None:
    assert isinstance(refusal(status, body), CewenError)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("<html>机密", "JSON"),
        ("[]", "JSON"),
        ("{}", "hits"),
        ('{"hits": "机密", "fingerprint": "f"}', "hits"),
        ('{"hits": [{"rank": "1"}], "fingerprint": "f"}', "hits.0"),
    ],
)
def test_success_that_is_not_ours_is_refused_without_repeating_it(text: str, place: str) -> None:
    with pytest.raises(InvalidReplyError, match=place) as caught:
        parse(SearchResult, text)
    assert "机密" not in str(caught.value) + str(caught.value.__cause__)


def test_numbers_are_not_read_out_of_strings() -> None:
    hit = dict.fromkeys(("rank", "paragraph", "start_char", "end_char", "start_line", "end_line"), 1)
    texts = dict.fromkeys(("document_id", "chunk_id", "title", "text", "url"), "x")
    reply = {"hits": [hit | texts | {"score": 1, "authors": []}], "fingerprint": "f", "added_later": []}
    assert parse(SearchResult, json.dumps(reply)).hits[0].score == 1.0
    reply["hits"][0]["rank"] = "1"  # type: ignore[index]
    with pytest.raises(InvalidReplyError, match=r"hits\.0\.rank"):
        parse(SearchResult, json.dumps(reply))


def test_a_source_must_be_text_and_is_given_as_it_is() -> None:
    request = source_request("d-1")
    plain = Headers({"Content-Type": "text/plain; charset=utf-8"})
    text = "\ufeff 灯塔\r\n𠮷\x00\n"
    assert text_of(request, 200, plain, text.encode()) == text
    with pytest.raises(InvalidReplyError, match="text/html"):
        text_of(request, 200, Headers({"Content-Type": "text/html"}), PAGE)
    with pytest.raises(InvalidReplyError, match="UTF-8"):
        text_of(request, 200, plain, "灯塔".encode("gb18030"))


# The events of a stream.


def test_unknown_events_are_skipped_and_nothing_is_read_after_the_last() -> None:
    reader = AnswerReader()
    parts = reader.feed(b'event: added_later\ndata: {}\n\nevent: delta\ndata: {"text": "a"}\n\ndata: x\n\n')
    assert [event.model_dump() for event in parts] == [{"text": "a"}]
    assert not reader.done
    with pytest.raises(ConnectionFailedError) as caught:
        reader.finish()
    assert caught.value.code == "incomplete_reply"


@pytest.mark.parametrize("name", ["citations", "delta", "done", "error"])
@pytest.mark.parametrize("data", ["", "机密", "{}", "[]", '{"text": 5}', '{"error": 5}'])
def test_an_event_that_is_not_as_promised_is_refused(name: str, data: str) -> None:
    with pytest.raises(InvalidReplyError) as caught:
        list(AnswerReader().feed(f"event: {name}\ndata: {data}\n\n".encode()))
    assert "机密" not in str(caught.value)
