"""When to try again, and after how long. Arithmetic only; the clients do the waiting.

Most of the service may be asked twice without harm, so only what helps is the question. Too slow a reply is
not asked for again: the service may still be working on the first. What may be carried out once only is sent
again only if it is certain that it was not.
"""

from __future__ import annotations

import math
import random as random_module
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime

from cewen.errors import CewenError, ConnectionFailedError

RETRIED_STATUSES = frozenset({429, 502, 503, 504})
RETRY_AFTER_MOST_SECONDS = 30.0
"""A service that asks for a longer wait is not asked again; the caller is told how long it wants."""

_REFUSED_STATUSES = frozenset({429, 503})
_FIRST_SECONDS = 0.5
_MOST_SECONDS = 8.0


class Attempts:
    """The attempts of one call.

    Args:
        max_retries: How many may follow the first.
        random: Draws from [0, 1).
        repeatable: Whether the call may be carried out twice.
    """

    def __init__(
        self,
        max_retries: int,
        random: Callable[[], float] = random_module.random,
        *,
        repeatable: bool = True,
    ) -> None:
        self._max_retries = max_retries
        self._may_retry = may_retry if repeatable else was_not_carried_out
        self._random = random
        self._failed = 0

    def seconds_before_next(self, error: CewenError) -> float | None:
        """How long to wait after a failed attempt; None if there is to be no other.

        Args:
            error: How it failed.
        """
        attempt = self._failed
        self._failed += 1
        asked = error.retry_after or 0.0
        if attempt >= self._max_retries or not self._may_retry(error) or asked > RETRY_AFTER_MOST_SECONDS:
            return None
        # On top of what is asked, so that all who were sent away at once do not come back at once.
        return asked + backoff_seconds(attempt, self._random)


def may_retry(error: CewenError) -> bool:
    """Whether asking again may help, and no earlier question can still be worked on."""
    return may_pass(error) and error.code not in {"timeout", "answer_timeout"}


def was_not_carried_out(error: CewenError) -> bool:
    """Whether the call certainly did not reach the service, or was turned away."""
    unreached = isinstance(error, ConnectionFailedError) and error.code == ConnectionFailedError.default_code
    # A proxy's own 503 has a code of its own, and may stand for a service that broke off in the middle.
    refused = error.status in _REFUSED_STATUSES and not error.code.startswith("http_")
    return unreached or refused


def may_pass(error: CewenError) -> bool:
    """Whether the service is just not there, not yet ready or busy."""
    return isinstance(error, ConnectionFailedError) or error.status in RETRIED_STATUSES


def backoff_seconds(attempt: int, random: Callable[[], float]) -> float:
    """How long to wait after failed attempt number `attempt` (from 0): exponential, with full jitter.

    `u * min(8, 0.5 * 2^attempt)` with u drawn evenly from [0, 1): M. Brooker, "Exponential Backoff And
    Jitter", AWS Architecture Blog, 2015.
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
        return float(value) if len(value) <= 9 else math.inf
    try:
        date = parsedate_to_datetime(value)
        return max(0.0, (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now)
    except (ValueError, OverflowError):
        return None
