"""Run one coroutine on a private event loop that the calling thread turns, in short slices.

httpx's own timeouts hold for each read, so a server that drips bytes keeps a call for ever. Here the caller
gets control back many times a second, whatever the server does, and decides itself whether to go on. It also
needs no thread of its own, and shares nothing with other calls.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

_SLICE_SECONDS = 0.05
_CLOSE_SECONDS = 1.0
# Closing a transport, and the one below it under TLS, takes a turn of the loop each.
_LAST_TURNS = 4

Item = TypeVar("Item")


class Exchange(Generic[Item]):
    """One coroutine and the items that it has produced. Used by one thread at a time, not always the same.

    Args:
        work: Makes the coroutine; it is given the function to hand over an item with.
    """

    def __init__(self, work: Callable[[Callable[[Item], None]], Coroutine[Any, Any, None]]) -> None:
        self._items: deque[Item] = deque()
        self._changed = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._task = self._loop.create_task(work(self._put))
        self._task.add_done_callback(lambda _: self._changed.set())

    def take(self, check: Callable[[], float]) -> Item | None:
        """The next item, or None after the last one.

        Args:
            check: Asked before every slice: seconds that may still be waited. What it raises ends the wait.

        Raises:
            Exception: Whatever the coroutine or `check` raises.
        """
        while True:
            seconds = check()
            if self._items:
                return self._items.popleft()
            if self._task.done():
                self._task.result()
                return None
            self._loop.run_until_complete(self._turn(min(seconds, _SLICE_SECONDS)))

    def close(self) -> None:
        """Cancel what still runs and free its sockets; may be called again."""
        if self._loop.is_closed():
            return
        if asyncio._get_running_loop() is None:
            self._close()
            return
        # A generator that nobody reads any more is collected wherever that is noticed: often in a thread that
        # is just running a loop of its own, which must not run a second one.
        helper = threading.Thread(target=self._close)
        helper.start()
        helper.join()

    def _put(self, item: Item) -> None:
        self._items.append(item)
        self._changed.set()

    async def _turn(self, seconds: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        except TimeoutError:
            return

    def _close(self) -> None:
        tasks = {self._task, *asyncio.all_tasks(self._loop)}
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(_end(tasks))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        # Not `shutdown_default_executor`: it would wait for a name look-up that hangs.
        self._loop.close()


async def _end(tasks: set[asyncio.Task[Any]]) -> None:
    done, _ = await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
    for task in done:
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio does not log it: the caller has been told already
    for _ in range(_LAST_TURNS):
        await asyncio.sleep(0)
