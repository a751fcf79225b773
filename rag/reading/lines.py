"""Printed lines: where they start, how wide they are, how they end. No decision about paragraphs."""

from __future__ import annotations

import itertools
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from rag.records import SourceSpan

_SENTENCE_END = re.compile(r"[。！？!?…．][”’」』）)\]】》〉]*$|[.;；][”’」』）)\]】]*$")
_INDENT = re.compile(r"^(?:\u3000{2,}|\t| {4,})")
_NOT_FIRST = r"，。、；：？！”’）》】」』〉〕…—%％,.;:?!)\]"
_NOT_LAST = r"“‘（《【「『〈〔(\["
_OPENING_PIECE = re.compile(rf"[{_NOT_LAST}]*(?:[A-Za-z0-9.+-]+|.)?[{_NOT_FIRST}]*")
_OPENING_MARKS = frozenset("“‘（《【「『〈〔")
_CLOSING_MARKS = frozenset("，。、；：？！”’）》】」』〉〕")
_SQUEEZABLE = _OPENING_MARKS | _CLOSING_MARKS


def width_in_ems(text: str) -> float:
    """Printed width: 1 for a full-width character, 0.5 for a half-width one.

    Characters of ambiguous width (quotes, dashes, ellipses) are full-width in Chinese print.
    """
    return sum(1.0 if unicodedata.east_asian_width(char) in "WFA" else 0.5 for char in text)


@dataclass(frozen=True)
class Line:
    """One printed line.

    Attributes:
        number: From 1.
        start, end: Source offsets, without the line end.
        text: `source[start:end]`.
    """

    number: int
    start: int
    end: int
    text: str

    @cached_property
    def content(self) -> str:
        """The text without white space around it."""
        return self.text.strip()

    @property
    def is_blank(self) -> bool:
        """Whether nothing is printed."""
        # Not kept: where most lines are empty, what is kept of each would be a good part of the memory.
        return not self.text or self.text.isspace()

    @cached_property
    def width(self) -> float:
        """Printed width in ems, with no count of white space (justification adds it at will)."""
        return width_in_ems("".join(self.text.split()))

    @cached_property
    def lead(self) -> float:
        """White space before the text, in ems."""
        return width_in_ems(self.text[: len(self.text) - len(self.text.lstrip())])

    @cached_property
    def spaced_width(self) -> float:
        """Printed width in ems with the white space between the first character and the last."""
        return width_in_ems(self.content)

    @cached_property
    def squeezed_width(self) -> float:
        """Printed width in ems if every full-width punctuation mark is set on half an em."""
        return self.width - 0.5 * sum(char in _SQUEEZABLE for char in self.text)

    @cached_property
    def shared_width(self) -> float:
        """Ems that punctuation gives away as a matter of course: where marks meet and at the line's ends."""
        content = "".join(self.text.split())
        halves = (content[:1] in _OPENING_MARKS) + (content[-1:] in _CLOSING_MARKS)
        for left, right in itertools.pairwise(content):
            if left in _SQUEEZABLE and right in _SQUEEZABLE:
                halves += 2 if left in _CLOSING_MARKS and right in _OPENING_MARKS else 1
        return 0.5 * halves

    @cached_property
    def opening_width(self) -> float:
        """Width in ems of the least that can stand at the beginning of this line.

        A character or Latin word, with marks that may not end a line before it and marks that may not
        begin one after it.
        """
        piece = _OPENING_PIECE.match(self.content)
        return width_in_ems(piece.group()) if piece else 0.0

    @cached_property
    def ends_sentence(self) -> bool:
        """Whether the line ends with closing punctuation."""
        return bool(_SENTENCE_END.search(self.content))

    @cached_property
    def is_indented(self) -> bool:
        """Whether it opens with the two-em indent of a new paragraph (or its typewriter forms)."""
        return bool(_INDENT.match(self.text))


class LineTable:
    """All lines of a source text; finds the line of an offset."""

    def __init__(self, text: str) -> None:
        self.lines: list[Line] = []
        self._starts: list[int] = []
        start = 0
        for number, raw in enumerate(text.split("\n"), 1):
            self.lines.append(Line(number, start, start + len(raw), raw))
            self._starts.append(start)
            start += len(raw) + 1

    def line_of(self, offset: int) -> int:
        """Number (from 1) of the line that holds `offset`."""
        return bisect_right(self._starts, offset)

    def span(self, start: int, end: int) -> SourceSpan:
        """The span of the half-open, non-empty range `start`..`end`."""
        return SourceSpan(start, end, self.line_of(start), self.line_of(end - 1))
