"""What users say of a source, checked; and filters over it: which documents a request is about.

Nothing is changed but white space at the ends and marks that turn the direction of writing, which would make
a line read otherwise than it is: what was given is what is shown. Names are compared folded, so that "ＡＩ"
finds "ai". A bad value is refused with the field named, never cut.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from rag.calendar_dates import first_day, is_date, last_day
from rag.errors import InputError
from rag.inputs import CONTROL, excerpt, is_blank
from rag.labels import same_name, without_turning
from rag.records import Document, Metadata
from rag.text.folding import fold
from rag.web_address import address_problem

MAX_TITLE_CHARS = 300
MAX_AUTHORS, MAX_AUTHOR_CHARS = 50, 100
MAX_TAGS, MAX_TAG_CHARS = 50, 64
MAX_URL_CHARS = 2_000
MAX_FILTER_VALUES = 100
MAX_NAME_CHARS = 300
MAX_ID_CHARS = 100

_LINE_CATEGORIES = frozenset({"Cc", "Zl", "Zp"})
_DATE_HINT = "日期写成 YYYY、YYYY-MM 或 YYYY-MM-DD，例如 2024-05-01，并且是日历上有的"


@lru_cache(maxsize=1 << 17)
def _folded(text: str) -> str:
    return fold(text)


def check_metadata(
    *,
    title: str | None = None,
    authors: Sequence[str] = (),
    date: str | None = None,
    source_url: str | None = None,
    tags: Sequence[str] = (),
) -> Metadata:
    """What a user says of a source, checked.

    Args:
        title: At most `MAX_TITLE_CHARS` characters.
        authors: At most `MAX_AUTHORS` names of `MAX_AUTHOR_CHARS` characters.
        date: YYYY, YYYY-MM or YYYY-MM-DD, and a day that exists.
        source_url: An http(s) address without user name and password, at most `MAX_URL_CHARS` characters.
        tags: At most `MAX_TAGS` of `MAX_TAG_CHARS` characters.

    Returns:
        Stripped; of names that are alike when folded the first.

    Raises:
        InputError: With code "invalid_metadata".
    """
    checks = _Checks("书目信息", code="invalid_metadata")
    return Metadata(
        title=None if title is None else checks.shown("title", title, MAX_TITLE_CHARS),
        authors=checks.lines("authors", authors, MAX_AUTHORS, MAX_AUTHOR_CHARS),
        date=None if date is None else checks.date("date", date),
        source_url=None if source_url is None else checks.address("source_url", source_url),
        tags=checks.lines("tags", tags, MAX_TAGS, MAX_TAG_CHARS),
    )


@dataclass(frozen=True, slots=True)
class Filters:
    """Which documents a request is about: every field that is given must hold.

    Made by `check_filters`.

    Attributes:
        document_ids: Ids of documents or sources.
        titles: Whole titles; for a document without one its label.
        authors: Whole names; one of the document's must be among them.
        tags: Whole tags; one of the source's must be among them.
        date_from, date_to: First and last day, both included; "2024" is all of the year. A source that is
            only dated by year or month matches if some of its days do; one without a date does not.
        source_url: What the source's address begins with.
        names: File names of the sources, whole and as they are written, in composed characters or not.
    """

    document_ids: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    date_from: str | None = None
    date_to: str | None = None
    source_url: str | None = None
    names: tuple[str, ...] = ()
    _ids: frozenset[str] = field(init=False, repr=False, compare=False)
    _names: frozenset[str] = field(init=False, repr=False, compare=False)
    _titles: frozenset[str] = field(init=False, repr=False, compare=False)
    _authors: frozenset[str] = field(init=False, repr=False, compare=False)
    _tags: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Folded once, not once a document.
        for name in ("titles", "authors", "tags"):
            object.__setattr__(self, f"_{name}", frozenset(map(_folded, getattr(self, name))))
        object.__setattr__(self, "_ids", frozenset(self.document_ids))
        object.__setattr__(self, "_names", frozenset(map(same_name, self.names)))

    @property
    def is_empty(self) -> bool:
        """Whether every document matches."""
        return self == Filters()

    def matches(self, document: Document) -> bool:
        """Whether a document is one of those that are meant."""
        source = document.source
        given = source.metadata
        return (
            (not self._ids or document.document_id in self._ids or source.source_id in self._ids)
            and (not self._names or same_name(source.name) in self._names)
            and (not self._titles or _folded(document.label) in self._titles)
            and (not self._authors or any(_folded(author) in self._authors for author in document.authors))
            and (not self._tags or any(_folded(tag) in self._tags for tag in given.tags))
            and (self.source_url is None or (given.source_url or "").startswith(self.source_url))
            and self._in_time(given.date)
        )

    def _in_time(self, date: str | None) -> bool:
        if self.date_from is None and self.date_to is None:
            return True
        if date is None:
            return False
        return (self.date_from is None or last_day(date) >= first_day(self.date_from)) and (
            self.date_to is None or first_day(date) <= last_day(self.date_to)
        )


def check_filters(
    *,
    document_ids: Sequence[str] = (),
    titles: Sequence[str] = (),
    authors: Sequence[str] = (),
    tags: Sequence[str] = (),
    date_from: str | None = None,
    date_to: str | None = None,
    source_url: str | None = None,
    names: Sequence[str] = (),
    called: Mapping[str, str] | None = None,
) -> Filters:
    """A user's filters, checked; see `Filters`. Each list has at most `MAX_FILTER_VALUES` values.

    `called` has what the sender calls a field, where that is another name.

    Raises:
        InputError: With code "invalid_filters".
    """
    checks = _Checks("筛选条件", code="invalid_filters", called=called or {})
    begin = None if date_from is None else checks.date("date_from", date_from)
    end = None if date_to is None else checks.date("date_to", date_to)
    if begin and end and first_day(begin) > last_day(end):
        earlier = f"{checks.of('date_from')}{excerpt(begin)}"
        later = f"{checks.of('date_to')}{excerpt(end)}".removeprefix("的 ")
        raise checks.refused(f"{earlier} 晚于 {later}。请对调或改正")
    return Filters(
        checks.lines("document_ids", document_ids, MAX_FILTER_VALUES, MAX_ID_CHARS, exact=True),
        checks.lines("titles", titles, MAX_FILTER_VALUES, MAX_TITLE_CHARS),
        checks.lines("authors", authors, MAX_FILTER_VALUES, MAX_AUTHOR_CHARS),
        checks.lines("tags", tags, MAX_FILTER_VALUES, MAX_TAG_CHARS),
        begin,
        end,
        None if source_url is None else checks.line("source_url", source_url, MAX_URL_CHARS),
        checks.lines("names", names, MAX_FILTER_VALUES, MAX_NAME_CHARS, exact=True),
    )


@dataclass(frozen=True, slots=True)
class _Checks:
    """Refusals that say what they are about."""

    about: str
    code: str
    called: Mapping[str, str] = field(default_factory=dict)

    def of(self, name: str, entry: int | None = None) -> str:
        """Of which field, as whoever sent it calls it, and of which entry if it is a list of several."""
        shown = self.called.get(name, name)
        return f"的 {shown} " if entry is None else f"的 {shown} 第 {entry} 项"

    def refused(self, problem: str) -> InputError:
        return InputError(f"{self.about}里{problem}。", code=self.code)

    def line(self, name: str, value: object, max_chars: int, entry: int | None = None) -> str:
        """One line of readable text, stripped."""
        place = self.of(name, entry)
        if not isinstance(value, str):
            raise self.refused(f"{place}要写成文字，收到的是 {type(value).__name__}。请用字符串")
        text = value.strip()
        if any("\ud800" <= char <= "\udfff" for char in text):
            raise self.refused(f"{place}有不成对的代理码位，不是文字。请用 UTF-8 重新发送")
        if CONTROL.search(text) or any(unicodedata.category(char) in _LINE_CATEGORIES for char in text):
            raise self.refused(f"{place}{excerpt(text)} 有控制字符或换行，只能写成一行。请删去后再试")
        if len(text) > max_chars:
            raise self.refused(f"{place}有 {len(text)} 个字符，最多 {max_chars} 个。请缩短后再试")
        if is_blank(text) or not _folded(text):
            raise self.refused(f"{place}是空的。不需要它时请去掉这一项")
        return text

    def shown(self, name: str, value: object, max_chars: int, entry: int | None = None) -> str:
        """The same without marks that turn the direction of writing."""
        return without_turning(self.line(name, value, max_chars, entry)).strip()

    def lines(
        self, name: str, values: object, most: int, max_chars: int, *, exact: bool = False
    ) -> tuple[str, ...]:
        """Distinct lines, in the order given; told apart as they are written, or folded."""
        place = self.of(name)
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise self.refused(f"{place}要写成列表，收到的是 {type(values).__name__}。请用方括号")
        if len(values) > most:
            raise self.refused(f"{place}有 {len(values)} 项，最多 {most} 项。请减少后再试")
        distinct: dict[str, str] = {}
        for number, value in enumerate(values, 1):
            text = self.shown(name, value, max_chars, number if len(values) > 1 else None)
            distinct.setdefault(text if exact else _folded(text), text)
        return tuple(distinct.values())

    def date(self, name: str, value: object) -> str:
        """A date that the calendar has."""
        text = self.line(name, value, MAX_NAME_CHARS)
        if not is_date(text):
            raise self.refused(f"{self.of(name)}{excerpt(text)} 看不懂。{_DATE_HINT}")
        return text

    def address(self, name: str, value: object) -> str:
        """An address on the web that gives no secrets away."""
        text = self.line(name, value, MAX_URL_CHARS)
        if problem := address_problem(text):
            # Not quoted: it may hold a password.
            raise self.refused(f"{self.of(name)}{problem}。请写 http:// 或 https:// 开头的完整网址")
        return text
