"""How long one question may still wait for its model, and for what. Arithmetic on a clock, no waiting.

Time in which the reader of the text is busy counts towards the total alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from rag.llm.faults import fault
from rag.llm.options import ChatOptions
from rag.llm.retrying import RetryableError

Phase = Literal["connect", "first_token", "idle"]


class Waits:
    """The deadlines of one question; the total one runs from construction.

    Args:
        options: The limits, in seconds.
        clock: Seconds that only go up.
        cancelled: Whether nobody waits any more.
    """

    def __init__(
        self, options: ChatOptions, clock: Callable[[], float], cancelled: Callable[[], bool]
    ) -> None:
        self._limits: dict[Phase, float] = {
            "connect": options.connect_timeout_seconds,
            "first_token": options.first_token_timeout_seconds,
            "idle": options.idle_timeout_seconds,
        }
        self._clock = clock
        self._cancelled = cancelled
        self._total = options.total_timeout_seconds
        self._end = clock() + self._total
        self._phase: Phase = "connect"
        self._since = clock()

    def enter(self, phase: Phase) -> None:
        """From now on that is waited for."""
        self._phase, self._since = phase, self._clock()

    def left(self) -> float:
        """Seconds left of the total, 0 or below when there are none."""
        return self._end - self._clock()

    def check(self) -> float:
        """Seconds, above 0, that may still be waited.

        Raises:
            GeneratorError: With code `generator_cancelled` or `generator_timeout`.
            RetryableError: If there is no connection in time.
        """
        if self._cancelled():
            raise fault("generator_cancelled")
        total = self.left()
        if total <= 0:
            raise fault("generator_timeout", f"总共等了 {self._total:g} 秒")
        limit = self._limits[self._phase]
        here = self._since + limit - self._clock()
        if here > 0:
            return min(total, here)
        if self._phase == "connect":
            raise RetryableError(fault("generator_unreachable", f"{limit:g} 秒内没有连上"))
        waited_for = "没有开始作答" if self._phase == "first_token" else "没有续写"
        raise fault("generator_timeout", f"{limit:g} 秒{waited_for}")
