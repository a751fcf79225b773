"""When to try again, and after how long. Arithmetic only; the chat client does the waiting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from rag.errors import GeneratorError

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
_FIRST_SECONDS = 0.5
_MOST_SECONDS = 8.0


class RetryableError(Exception):
    """An attempt failed before the first text, in a way that may pass. Never leaves the chat client.

    Args:
        error: What to raise if it is not tried again.
        retry_after: Seconds that the server asks to wait, or None.
    """

    def __init__(self, error: GeneratorError, retry_after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.retry_after = retry_after


def backoff_seconds(attempt: int, random: Callable[[], float]) -> float:
    """How long to wait after failed attempt number `attempt` (from 0): exponential, with full jitter.

    `u * min(8, 0.5 * 2^attempt)` with u drawn evenly from [0, 1), so that many callers do not come back at
    once: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    return random() * min(_MOST_SECONDS, _FIRST_SECONDS * 2.0**attempt)


def retry_after_seconds(value: str | None, now: float) -> float | None:
    """What a `Retry-After` header asks for (RFC 9110, section 10.2.3): whole seconds, or a date.

    Args:
        value: The header, or None.
        now: Seconds since 1970.

    Returns:
        Seconds, 0 or more; None without a header that can be read.
    """
    if value is None:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) <= 9 else float("inf")
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
