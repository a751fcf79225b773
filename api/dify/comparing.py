"""How a value of a record compares with a value of a condition: equal, part of, less. No operators here.

Texts are compared folded (case, width, script, quotation marks), as everywhere in this service: who
filters for "讓" means "让" too. Numbers compare as numbers where one side is a JSON number; two texts are
equal only as texts, so that the title "007" is not "7". Dates are points in time: a number, or a text of
digits, is Unix seconds, as Dify sends them; a date is its first moment in UTC.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache

from rag.text.folding import fold

Scalar = str | int | float
Value = Scalar | Sequence[str] | None
"""What one name of a record's metadata holds."""

Key = tuple[str, object]
"""Two values are equal if they have a key in common."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})(?:[-/.月]([0-9]{1,2}))?)?[年月日]?")
_COMPACT_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")


def scalars(value: Value) -> tuple[Scalar, ...]:
    """The single values of a value; none for what is missing: null, an empty list, blank text."""
    if value is None:
        return ()
    items: Sequence[Scalar] = (value,) if isinstance(value, (str, int, float)) else value
    return tuple(item for item in items if not isinstance(item, str) or item.strip())


@lru_cache(maxsize=4096)
def folded(text: str) -> str:
    """`fold`, remembered: the same few titles and names are compared for passage after passage."""
    return fold(text)


def text_of(value: Scalar) -> str:
    """A value as text; a whole number without a decimal point."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else repr(value)


def number_of(value: Scalar) -> int | float | None:
    """A value as a number, also where it is written in a text; None if it is none."""
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFKC", value).strip()
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if "." in text else int(text)


def moment_of(value: Scalar) -> int | float | None:
    """A value as Unix seconds; None if it is neither a number nor a date.

    Four digits in a text are a year and eight a date: as seconds they would lie in 1970, which nobody means.
    """
    if not isinstance(value, str):
        return value
    text = unicodedata.normalize("NFKC", value).strip()
    if found := _DATE.fullmatch(text) or _COMPACT_DATE.fullmatch(text):
        year, month, day = (int(part) if part else 1 for part in found.groups())
        try:
            return datetime(year, month, day, tzinfo=UTC).timestamp()
        except ValueError:
            return None
    if (number := number_of(text)) is not None:
        return number
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def keys_of_record(value: Scalar) -> set[Key]:
    """The keys of a record's value; see `keys_of_condition`."""
    number = number_of(value)
    if not isinstance(value, str):
        return {("number", number)}
    return {("text", folded(value))} | ({("digits", number)} if number is not None else set())


def keys_of_condition(value: Scalar) -> set[Key]:
    """The keys of a condition's value.

    Texts meet in "text". A number here meets a number in "number" and a text of digits in "digits"; a text of
    digits here meets a number in "number".
    """
    number = number_of(value)
    if not isinstance(value, str):
        return {("number", number), ("digits", number)}
    return {("text", folded(value))} | ({("number", number)} if number is not None else set())


def contains(have: Scalar, want: Scalar) -> bool:
    """Whether `want` stands in `have`, as written or folded (folding joins what a part may cut)."""
    whole, part = text_of(have), text_of(want)
    return part in whole or folded(part) in folded(whole)


def starts(have: Scalar, want: Scalar) -> bool:
    """Whether `have` begins with `want`."""
    whole, part = text_of(have), text_of(want)
    return whole.startswith(part) or folded(whole).startswith(folded(part))


def ends(have: Scalar, want: Scalar) -> bool:
    """Whether `have` ends with `want`."""
    whole, part = text_of(have), text_of(want)
    return whole.endswith(part) or folded(whole).endswith(folded(part))


def difference(have: Scalar, want: Scalar) -> int | None:
    """Below 0 if `have` is less or earlier, above if more or later; None if they cannot be compared."""
    one, other = number_of(have), number_of(want)
    if one is None or other is None:
        one, other = moment_of(have), moment_of(want)
    if one is None or other is None:
        return None
    return (one > other) - (one < other)
