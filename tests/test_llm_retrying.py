"""Back-off, `Retry-After` and deadlines, on clocks that stand still."""

from __future__ import annotations

import pytest

from rag.errors import GeneratorError
from rag.llm.options import ChatOptions
from rag.llm.retrying import RetryableError, backoff_seconds, retry_after_seconds
from rag.llm.waits import Waits

# 2015-10-21 07:28:00 GMT, the date of RFC 9110's example.
THEN = 1_445_412_480.0


def test_backoff_doubles_up_to_eight_seconds() -> None:
    assert [backoff_seconds(attempt, lambda: 1.0) for attempt in range(6)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0]
    assert backoff_seconds(2, lambda: 0.25) == 0.5
    assert backoff_seconds(5, lambda: 0.0) == 0.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("0", 0.0),
        (" 120 ", 120.0),
        ("9" * 5000, float("inf")),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 30.0),
        ("Wed, 21 Oct 2015 07:28:00 -0000", 30.0),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("３", None),
        ("", None),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after_seconds(value, THEN - 30) == seconds


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def waits(clock: Clock, cancelled: list[bool] | None = None) -> Waits:
    options = ChatOptions(
        url="http://127.0.0.1",
        model="m",
        connect_timeout_seconds=2.0,
        first_token_timeout_seconds=5.0,
        idle_timeout_seconds=3.0,
        total_timeout_seconds=10.0,
    )
    return Waits(options, clock, lambda: bool(cancelled))


def test_each_phase_has_its_limit() -> None:
    clock = Clock()
    ours = waits(clock)
    assert ours.check() == 2.0
    clock.now += 1.5
    assert ours.check() == 0.5
    ours.enter("first_token")
    assert ours.check() == 5.0
    clock.now += 4.0
    ours.enter("idle")
    assert (ours.check(), ours.left()) == (3.0, 4.5)
    clock.now += 2.0
    ours.enter("idle")
    assert ours.check() == 2.5  # of the ten seconds no more are left


@pytest.mark.parametrize(("phase", "words"), [("first_token", "5 秒没有开始作答"), ("idle", "3 秒没有续写")])
def test_a_phase_that_takes_too_long(phase: str, words: str) -> None:
    clock = Clock()
    ours = waits(clock)
    ours.enter(phase)  # type: ignore[arg-type]
    clock.now += 5.0
    with pytest.raises(GeneratorError, match=words) as caught:
        ours.check()
    assert caught.value.code == "generator_timeout"


def test_connecting_too_slowly_may_be_tried_again() -> None:
    clock = Clock()
    ours = waits(clock)
    clock.now += 2.0
    with pytest.raises(RetryableError, match="2 秒内没有连上") as caught:
        ours.check()
    assert caught.value.error.code == "generator_unreachable"


def test_the_total_and_cancelling_come_first() -> None:
    clock = Clock()
    cancelled: list[bool] = []
    ours = waits(clock, cancelled)
    clock.now += 10.0
    with pytest.raises(GeneratorError, match="总共等了 10 秒"):
        ours.check()
    cancelled.append(True)
    with pytest.raises(GeneratorError, match="已取消") as caught:
        ours.check()
    assert caught.value.code == "generator_cancelled"
