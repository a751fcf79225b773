"""When the client asks again: arithmetic, no clock and no connection."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cewen import (
    AuthenticationError,
    BadRequestError,
    CewenError,
    ConfigError,
    ConnectionFailedError,
    InvalidReplyError,
    OverloadedError,
    ServerError,
)
from cewen.retrying import RETRY_AFTER_MOST_SECONDS, Attempts, backoff_seconds, retry_after_seconds

NEW_YEAR = 1_767_225_600.0  # 2026-01-01T00:00:00Z


@pytest.mark.parametrize(
    "error",
    [ConnectionFailedError(""), ConnectionFailedError("", code="incomplete_reply")]
    + [OverloadedError("", status=status) for status in (429, 503)]
    + [ServerError("", status=status) for status in (502, 504)],
)
def test_what_may_pass_is_asked_again(error: CewenError) -> None:
    attempts = Attempts(2, random=lambda: 0.5)
    assert [attempts.seconds_before_next(error) for _ in range(3)] == [0.25, 0.5, None]


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailedError("", code="timeout"),
        ServerError("", status=500),
        InvalidReplyError("", status=200),
        BadRequestError("", status=422),
        AuthenticationError("", status=401),
        ConfigError(""),
        OverloadedError("came inside a stream"),
    ],
)
def test_what_stays_is_not(error: CewenError) -> None:
    assert Attempts(2).seconds_before_next(error) is None


@pytest.mark.parametrize(
    ("error", "again"),
    [
        (ConnectionFailedError("never reached"), True),
        (OverloadedError("turned away", status=503, code="overloaded"), True),
        (OverloadedError("turned away", status=429, code="rate_limited"), True),
        (ConnectionFailedError("broke off", code="incomplete_reply"), False),
        (OverloadedError("a proxy's", status=503, code="http_503"), False),
        (ServerError("a proxy's", status=502, code="http_502"), False),
    ],
)
def test_what_may_happen_once_only_is_sent_again_if_it_certainly_did_not(
    error: CewenError, again: bool
) -> None:
    attempts = Attempts(2, random=lambda: 0.5, repeatable=False)
    assert (attempts.seconds_before_next(error) is not None) is again


def test_no_retries_means_one_attempt() -> None:
    assert Attempts(0).seconds_before_next(ConnectionFailedError("")) is None


def test_the_wait_asked_for_is_kept_and_one_too_long_is_not_waited_for() -> None:
    def wait(seconds: float) -> float | None:
        error = OverloadedError("", status=503, retry_after=seconds)
        return Attempts(1, random=lambda: 0.5).seconds_before_next(error)

    assert wait(0) == 0.25
    assert wait(2) == 2.25
    assert wait(RETRY_AFTER_MOST_SECONDS) == RETRY_AFTER_MOST_SECONDS + 0.25
    assert wait(RETRY_AFTER_MOST_SECONDS + 1) is None
    assert wait(math.inf) is None


@given(st.integers(0, 10), st.floats(0, 1, exclude_max=True))
def test_waits_grow_and_are_bounded(attempt: int, drawn: float) -> None:
    longest = min(8.0, 0.5 * 2**attempt)
    assert backoff_seconds(attempt, lambda: drawn) == drawn * longest


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("-1", None),
        ("1.5", None),
        ("²", None),
        ("0", 0.0),
        (" 12 ", 12.0),
        ("9" * 30, math.inf),
        ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 00:00:30 -0000", 30.0),
        ("Wed, 31 Dec 2025 23:00:00 GMT", 0.0),
        ("Thu, 99 Jan 2026 00:00:30 GMT", None),
    ],
)
def test_retry_after(header: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(header, NEW_YEAR) == seconds


@given(st.text())
def test_no_header_breaks_it(header: str) -> None:
    seconds = retry_after_seconds(header, NEW_YEAR)
    assert seconds is None or seconds >= 0
