"""Dify's `metadata_condition`: read, checked, and put to a record; it knows names and values only.

Operators as Dify documents them, with the spellings that only its code or its older documents know (`<=`,
`>=`; `null`, `not null`) and `!=`. Where the documents are silent, Dify's own filter over its own
knowledge bases decides (`process_metadata_filter_func`), so that one condition on a retrieval node means
the same for every knowledge base of the node:

- What a record does not have is SQL's NULL there: only `empty` holds, no negative operator does. `not in`
  an empty list always holds, `in` one never.
- A condition without a value is no condition, unless its operator needs none.
- A text with commas is a list for `in` and `not in`.
- `before` is `<`, `after` is `>`, on seconds or dates.

Our own decisions: a list of names, or a name that holds a list (authors), offers all its values: a
positive operator asks for one that fits, a negative one that none does. Anything that cannot be
understood is refused rather than dropped, since a dropped filter would return what it was to keep out.
So is what is longer than any list that a person keeps: it is compared with record after record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, NoReturn

from api.dify.comparing import (
    Key,
    Operand,
    RecordOperand,
    Scalar,
    Value,
    contains,
    difference,
    ends,
    scalars,
    starts,
)
from rag.errors import InputError
from rag.inputs import excerpt

MAX_CONDITIONS = 50
MAX_NAMES = 20
MAX_VALUES = 200
MAX_VALUE_CHARS = 1000

OPERATORS = (
    "contains",
    "not contains",
    "start with",
    "end with",
    "is",
    "is not",
    "in",
    "not in",
    "empty",
    "not empty",
    "=",
    "≠",
    ">",
    "<",
    "≥",
    "≤",
    "before",
    "after",
)
ALIASES = {"<=": "≤", ">=": "≥", "!=": "≠", "null": "empty", "not null": "not empty"}

_NEGATIVES = {"not contains": "contains", "is not": "is", "≠": "is", "not in": "in"}
_NEEDS_NO_VALUE = ("empty", "not empty")
_TAKES_A_LIST = ("in", "not in")
_ORDERS: dict[str, Callable[[int], bool]] = {
    ">": lambda sign: sign > 0,
    "<": lambda sign: sign < 0,
    "≥": lambda sign: sign >= 0,
    "≤": lambda sign: sign <= 0,
    "before": lambda sign: sign < 0,
    "after": lambda sign: sign > 0,
}
_TEXT_TESTS = {"contains": contains, "start with": starts, "end with": ends}

_logger = logging.getLogger(__name__)

Reader = Callable[[str], Value]
"""Gives what a record holds under a name; None for a name it does not have."""

_Held = Callable[[str], Sequence[Operand]]
"""The same as operands; none for a name it does not have."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition.

    Attributes:
        names: Names of metadata, at least one.
        operator: One of `OPERATORS`.
        wanted: What to compare with: one value, any number for the lists, none where none is needed.
        keys: Equality keys of `wanted`.
    """

    names: tuple[str, ...]
    operator: str
    wanted: tuple[Operand, ...]
    keys: frozenset[Key]

    def can_hold(self, names: AbstractSet[str]) -> bool:
        """Whether a record with these names may meet it."""
        return not names.isdisjoint(self.names) or self.holds(lambda _: ())

    def holds(self, held: _Held) -> bool:
        """Whether a record meets it."""
        have = [value for name in self.names for value in held(name)]
        if self.operator in _NEEDS_NO_VALUE:
            return bool(have) == (self.operator == "not empty")
        if self.operator == "not in" and not self.wanted:
            return True
        if not have:
            return False
        positive = _NEGATIVES.get(self.operator)
        fits = any(self._fits(value, positive or self.operator) for value in have)
        return fits != (positive is not None)

    def _fits(self, have: Operand, operator: str) -> bool:
        if operator in _ORDERS:
            sign = difference(have, self.wanted[0])
            return sign is not None and _ORDERS[operator](sign)
        if operator in _TEXT_TESTS:
            return _TEXT_TESTS[operator](have, self.wanted[0])
        return not self.keys.isdisjoint(have.keys)


@dataclass(frozen=True, slots=True)
class Filter:
    """All conditions of a request, at least one.

    Attributes:
        conditions: In the order they came.
        every: Whether all must hold; else one is enough.
    """

    conditions: tuple[Condition, ...]
    every: bool

    @property
    def names(self) -> set[str]:
        """All names asked for."""
        return {name for condition in self.conditions for name in condition.names}

    def can_accept(self, names: AbstractSet[str]) -> bool:
        """Whether any record with these names may meet the conditions."""
        return self._join(condition.can_hold(names) for condition in self.conditions)

    def accepts(self, read: Reader) -> bool:
        """Whether a record meets the conditions; each of its names is read once at most."""
        known: dict[str, tuple[Operand, ...]] = {}

        def held(name: str) -> tuple[Operand, ...]:
            if name not in known:
                known[name] = tuple(map(RecordOperand, scalars(read(name))))
            return known[name]

        return self._join(condition.holds(held) for condition in self.conditions)

    def _join(self, outcomes: Iterable[bool]) -> bool:
        return all(outcomes) if self.every else any(outcomes)


def read_filter(sent: Any) -> Filter | None:
    """What a request's `metadata_condition` asks for; None if it asks for nothing.

    Raises:
        InputError: With code `invalid_condition` if it cannot be understood.
    """
    if sent is None:
        return None
    if not isinstance(sent, dict):
        _refuse("not an object", "metadata_condition 应为 JSON 对象或 null")
    logical = sent.get("logical_operator")
    if logical not in (None, "and", "or"):
        _refuse("unknown logical operator", "logical_operator 只能是 and 或 or")
    listed = sent.get("conditions")
    if listed is None:
        return None
    if not isinstance(listed, list):
        _refuse("conditions are not a list", "conditions 应为数组")
    if len(listed) > MAX_CONDITIONS:
        _refuse("too many conditions", f"conditions 有 {len(listed)} 个，最多 {MAX_CONDITIONS} 个")
    read = [_read_condition(item, f"第 {place} 个条件") for place, item in enumerate(listed, 1)]
    conditions = tuple(condition for condition in read if condition is not None)
    if len(conditions) < len(read):
        _logger.warning("%d metadata conditions without a value were left out", len(read) - len(conditions))
    return Filter(conditions, logical != "or") if conditions else None


def _read_condition(sent: Any, place: str) -> Condition | None:
    if not isinstance(sent, dict):
        _refuse("a condition is not an object", f"{place}应为 JSON 对象")
    names = _read_names(sent.get("name"), place)
    operator = sent.get("comparison_operator")
    if not isinstance(operator, str) or ALIASES.get(operator, operator) not in OPERATORS:
        came = f"是{excerpt(operator)}" if isinstance(operator, str) else "不是字符串"
        _refuse("unknown operator", f"{place}的 comparison_operator {came}，可用的有：{'、'.join(OPERATORS)}")
    operator = ALIASES.get(operator, operator)
    value = sent.get("value")
    if operator in _NEEDS_NO_VALUE:
        return Condition(names, operator, (), frozenset())
    if value is None:
        return None
    wanted = tuple(map(Operand, _read_value(value, operator, f"{place}（{operator}）")))
    keys = frozenset[Key]().union(*(operand.keys for operand in wanted))
    return Condition(names, operator, wanted, keys)


def _read_names(sent: Any, place: str) -> tuple[str, ...]:
    listed = [sent] if isinstance(sent, str) else sent
    if not isinstance(listed, list) or not all(isinstance(name, str) for name in listed):
        _refuse("a name is not a text", f"{place}的 name 应为字符串，或字符串的数组")
    if not 0 < len(listed) <= MAX_NAMES:
        _refuse("number of names", f"{place}的 name 有 {len(listed)} 个，应为 1 到 {MAX_NAMES} 个")
    return tuple(dict.fromkeys(name.strip() for name in listed))


def _read_value(sent: Any, operator: str, place: str) -> tuple[Scalar, ...]:
    if operator in _TAKES_A_LIST and isinstance(sent, str):
        sent = [part.strip() for part in sent.split(",") if part.strip()]
    listed = [item for item in sent if item is not None] if isinstance(sent, list) else [sent]
    if len(listed) > MAX_VALUES:
        _refuse("too many values", f"{place}的 value 有 {len(listed)} 项，最多 {MAX_VALUES} 项")
    longest = max((len(item) for item in listed if isinstance(item, str)), default=0)
    if longest > MAX_VALUE_CHARS:
        _refuse("value too long", f"{place}的 value 有一项长 {longest} 个字符，最长 {MAX_VALUE_CHARS} 个字符")
    if not all(isinstance(item, (str, int, float)) and not isinstance(item, bool) for item in listed):
        _refuse("wrong type of value", f"{place}的 value 应为字符串、数字，或它们的数组")
    if operator in _TAKES_A_LIST:
        return tuple(listed)
    if len(listed) != 1:
        _refuse("list for one value", f"{place}的 value 有 {len(listed)} 项，只能是一项；要比较多项请用 in")
    (value,) = listed
    if operator in _ORDERS and Operand(value).number is None and Operand(value).moment is None:
        _refuse(
            "neither number nor date", f"{place}的 value 应为数字或日期（如 2024-05-01；纯数字为 Unix 秒）"
        )
    return (value,)


def _refuse(fault: str, message: str) -> NoReturn:
    # Older Dify makes a refusal an empty result without a word, so that the log is where it can be found.
    _logger.warning("metadata_condition refused: %s", fault)
    raise InputError(f"metadata_condition 看不懂：{message}。请改正后再发。", code="invalid_condition")
