"""Dates as people give them: a year, a month or a day, ISO 8601, as text that sorts.

A date stands for all the days it may mean. Text that is padded compares as the days do.
"""

from __future__ import annotations

import datetime
import re

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def is_date(text: str) -> bool:
    """Whether this is YYYY, YYYY-MM or YYYY-MM-DD, and in the calendar (from year 1)."""
    found = _DATE.fullmatch(text)
    if not found:
        return False
    try:
        datetime.date(*(int(part or 1) for part in found.groups()))
    except ValueError:
        return False
    return True


def first_day(date: str) -> str:
    """YYYY-MM-DD of its first day."""
    return date + "-01" * (2 - date.count("-"))


def last_day(date: str) -> str:
    """A text that sorts as its last day does: no month is taken to be shorter than 31 days."""
    return date + ("-12-31", "-31", "")[date.count("-")]
