from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from time import monotonic

import pytest

from rag.llm.exchange import Exchange


async def _counting(put: Callable[[int], None], events: list[str]) -> None:
    try:
        for number in (1, 2):
            put(number)
            await asyncio.sleep(0)
        events.append("whole")
    finally:
        events.append("ended")


async def _waiting(put: Callable[[int], None], events: list[str]) -> None:
    put(1)
    try:
        await asyncio.Event().wait()
    finally:
        events.append("cancelled")


async def _failing(put: Callable[[int], None], events: list[str]) -> None:
    put(1)
    raise ValueError("broken")


def forever() -> float:
    return 10.0


def test_items_come_in_order_and_then_none() -> None:
    events: list[str] = []
    exchange = Exchange[int](lambda put: _counting(put, events))
    assert [exchange.take(forever) for _ in range(4)] == [1, 2, None, None]
    exchange.close()
    exchange.close()
    assert events == ["whole", "ended"]


def test_what_the_work_raises_comes_after_its_items() -> None:
    exchange = Exchange[int](lambda put: _failing(put, []))
    assert exchange.take(forever) == 1
    with pytest.raises(ValueError, match="broken"):
        exchange.take(forever)
    exchange.close()


def test_what_the_check_raises_ends_a_wait_promptly() -> None:
    events: list[str] = []
    exchange = Exchange[int](lambda put: _waiting(put, events))
    assert exchange.take(forever) == 1
    asked: list[float] = []

    def check() -> float:
        asked.append(monotonic())
        if len(asked) == 3:
            raise KeyError("enough")
        return 10.0

    with pytest.raises(KeyError, match="enough"):
        exchange.take(check)
    assert asked[-1] - asked[0] < 0.5
    exchange.close()
    assert events == ["cancelled"]


def test_it_may_be_closed_unused_and_inside_another_loop() -> None:
    Exchange[int](lambda put: _waiting(put, [])).close()
    events: list[str] = []
    exchange = Exchange[int](lambda put: _waiting(put, events))
    assert exchange.take(forever) == 1

    async def elsewhere() -> None:
        exchange.close()

    asyncio.run(elsewhere())
    assert events == ["cancelled"]


def test_another_thread_may_go_on() -> None:
    exchange = Exchange[int](lambda put: _counting(put, []))
    found = [exchange.take(forever)]
    thread = threading.Thread(target=lambda: found.append(exchange.take(forever)))
    thread.start()
    thread.join()
    exchange.close()
    assert found == [1, 2]
