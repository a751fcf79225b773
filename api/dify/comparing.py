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
from functools import cached_property, lru_cache

from rag.text.folding import fold

Scalar = str | int | float
Value = Scalar | Sequence[str] | None
"""What one name of a record's metadata holds."""

Key = tuple[str, object]
"""Two values are equal if they have a key in common."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(\.[0-9]{1,30})?")
_DATE = re.compile(r"([0-9]{4})(?:[-/.年]([0-9]{1,2})(?:[-/.月]([0-9]{1,2}))?)?[年月日]?")
_COMPACT_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_REMEMBERED_CHARS = 200


def scalars(value: Value) -> tuple[Scalar, ...]:
    """The single values of a value; none for what is missing: null, an empty list, blank text."""
    if value is None:
        return ()
    items: Sequence[Scalar] = (value,) if isinstance(value, (str, int, float)) else value
    return tuple(item for item in items if not isinstance(item, str) or item.strip())


class Operand:
    """One value, whichever side it is on; what comparing it takes is worked out once, when it is asked for.

    Args:
        value: As it came.
    """

    def __init__(self, value: Scalar) -> None:
        self.value = value

    @cached_property
    def text(self) -> str:
        """As text."""
        return text_of(self.value)

    @cached_property
    def folded(self) -> str:
        """As text, folded."""
        return fold(self.text)

    @cached_property
    def number(self) -> int | float | None:
        """As a number, if it is one."""
        return number_of(self.value)

    @cached_property
    def moment(self) -> int | float | None:
        """As a point in time, if it is one."""
        return moment_of(self.value)

    @cached_property
    def keys(self) -> frozenset[Key]:
        """The keys of a condition's value.

        Texts meet in "text". A number here meets a number in "number" and a text of digits in "digits"; a
        text of digits here meets a number in "number".
        """
        if not isinstance(self.value, str):
            return frozenset({("number", self.number), ("digits", self.number)})
        number = {("number", self.number)} if self.number is not None else set()
        return frozenset({("text", self.folded)} | number)


class RecordOperand(Operand):
    """A value of a record."""

    @cached_property
    def folded(self) -> str:
        """As text, folded. Short ones are remembered: few titles and names stand in many records.

        Only of records, which are ours: what callers send is theirs, and would fill the memory with it.
        """
        return _remembered_fold(self.text) if len(self.text) <= _REMEMBERED_CHARS else fold(self.text)

    @cached_property
    def keys(self) -> frozenset[Key]:
        """The keys of a record's value; see `Operand.keys`."""
        if not isinstance(self.value, str):
            return frozenset({("number", self.number)})
        digits = {("digits", self.number)} if self.number is not None else set()
        return frozenset({("text", self.folded)} | digits)


_remembered_fold = lru_cache(maxsize=4096)(fold)


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


def contains(have: Operand, want: Operand) -> bool:
    """Whether `want` stands in `have`, as written or folded (folding joins what a part may cut)."""
    return want.text in have.text or want.folded in have.folded


def starts(have: Operand, want: Operand) -> bool:
    """Whether `have` begins with `want`."""
    return have.text.startswith(want.text) or have.folded.startswith(want.folded)


def ends(have: Operand, want: Operand) -> bool:
    """Whether `have` ends with `want`."""
    return have.text.endswith(want.text) or have.folded.endswith(want.folded)


def difference(have: Operand, want: Operand) -> int | None:
    """Below 0 if `have` is less or earlier, above if more or later; None if they cannot be compared."""
    one, other = have.number, want.number
    if one is None or other is None:
        one, other = have.moment, want.moment
    if one is None or other is None:
        return None
    return (one > other) - (one < other)
