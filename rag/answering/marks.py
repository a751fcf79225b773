"""Cut what a generator writes into sentences with the passage numbers that stand behind them, as it arrives.

Text may be cut anywhere: the same text gives the same sentences however it comes. A sentence is given out
as soon as nothing that could follow would change it or its marks. Only form is read here; whether a number
names a passage, and whether the passage says so, is for `rag.answering.gate`.

What a mark looks like stands in `rag.answering.mark_forms`. A mark at the start of a line belongs to the
sentence after it, any other to the one before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from rag.answering.mark_forms import find_marks
from rag.text.sentences import sentence_ranges

SENTENCE_MAX_CHARS = 2000
_SURE_CHARS = SENTENCE_MAX_CHARS + 400
"""With so much seen, every border below the maximum is certain: brackets are looked into for less."""
_RAW_MAX_CHARS = 8000
_SLICE_CHARS = 1000
_BRACKET_CHARS = 200
_SCRAP_MAX_CHARS = 100

_OPEN_MARK = re.compile(r"[\[［【〔][\[［]?[^\[\]［］【】〔〕]{0,400}[\]］】〕]{0,2}$")
"""What may become a mark: longer than any mark is."""
_TAIL = re.compile(r"[*_`]+$")
_LINE_NOISE = re.compile(
    r"\s*(?:(?:#{1,6}|[-*+•●]|[0-9]{1,2}[.)])\s+|>|\*\*|__|[0-9]{1,2}[.)、](?=[^\d\s])|[（(][0-9]{1,2}[）)])*\s*"
)
_NOISE = re.compile(r"\*{2,}|_{2,}|`+")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_MAY_END = re.compile("[。！？!?.…]")
_LINE_END = re.compile(r"[\n\r]")
_ENDED = re.compile(r"(?:[。！？!?…]|(?<=[^\W\d_])\.)[”’」』）)】》〉\]\"'\s]*$")
_AFTER = re.compile(r"[。！？!?”’」』）)】》〉\s]*")
_CLAUSE_END = "，。；：！？、,;!?"


@dataclass(frozen=True, slots=True)
class MarkedSentence:
    """A sentence as a generator wrote it.

    Attributes:
        text: Without marks and Markdown, white space at its ends removed; holds a letter or digit.
        numbers: What its marks name, as written, in order, each once; any integer from 0.
        starts_line: Whether it is the first one of its line.
    """

    text: str
    numbers: tuple[int, ...] = ()
    starts_line: bool = False


@dataclass(frozen=True, slots=True)
class _Plain:
    """Raw text without marks and Markdown.

    Attributes:
        text: What is left.
        places: Raw index of each of its characters.
        marks: For each mark how many characters stand before it, and its numbers.
    """

    text: str
    places: tuple[int, ...]
    marks: tuple[tuple[int, tuple[int, ...]], ...]

    def numbers(self, end: int) -> tuple[int, ...]:
        """Numbers of the marks up to character `end`."""
        return tuple(dict.fromkeys(n for place, numbers in self.marks if place <= end for n in numbers))

    def sure_border(self) -> int | None:
        """Where the first run of marks after end punctuation ends a sentence."""
        for place, _ in self.marks:
            if place and _ENDED.search(self.text[max(0, place - 20) : place]):
                after = _AFTER.match(self.text, place)
                return after.end() if after else place
        return None


def _plain(raw: str, starts_line: bool) -> _Plain:
    opening = _LINE_NOISE.match(raw) if starts_line else None
    at = opening.end() if opening else 0
    chars: list[str] = []
    places: list[int] = []
    marks: list[tuple[int, tuple[int, ...]]] = []
    gaps = find_marks(raw, at)
    for start, end, numbers in (*gaps, (len(raw), len(raw), ())):
        for found in (*_NOISE.finditer(raw, at, start), None):
            stop = found.start() if found else start
            chars.append(raw[at:stop])
            places.extend(range(at, stop))
            at = found.end() if found else end
        if numbers:
            marks.append((len(places), numbers))
    return _Plain("".join(chars), tuple(places), tuple(marks))


def _has_word(text: str) -> bool:
    return any(char.isalnum() for char in text)


def _unclosed(text: str) -> bool:
    depth = 0
    for char in text:
        depth = depth + 1 if char in "（(《【〔[" else max(0, depth - 1) if char in "）)》】〕]" else depth
    return depth > 0


def _first_end(plain: _Plain, final: bool) -> int | None:
    """Where the first sentence ends; None while more text could change that.

    The one place that decides it, for whole lines and for parts: with `final` nothing more comes.
    """
    text, border = plain.text, plain.sure_border()
    known = final or (border is not None and border < len(text))
    end, sure = 0, True
    for start, stop in sentence_ranges(text[:border]):
        piece = text[start:stop]
        if _has_word(text[:end]) and (_has_word(piece) or len(piece) > _SCRAP_MAX_CHARS):
            break
        sure = sure and (known or not _unclosed(piece) or len(text) - stop >= _BRACKET_CHARS)
        end = stop
    else:
        end, sure = len(text) if border is None else border, known
    if sure and end <= SENTENCE_MAX_CHARS:
        return end
    if len(text) >= _SURE_CHARS or (final and len(text) > SENTENCE_MAX_CHARS):
        half = SENTENCE_MAX_CHARS // 2
        cut = max(text.rfind(mark, half, SENTENCE_MAX_CHARS) for mark in _CLAUSE_END)
        return cut + 1 if cut > 0 else SENTENCE_MAX_CHARS
    return None


class MarkedTextReader:
    """Reads text with marks piece by piece.

    Holds at most one sentence and 8,000 characters; a sentence longer than 2,000 is cut, at a comma if there
    is one in its second half.
    """

    def __init__(self) -> None:
        self._raw = ""
        self._starts_line = True
        self._said_in_line = False
        self._held: MarkedSentence | None = None

    def feed(self, piece: str) -> list[MarkedSentence]:
        """Take the next piece.

        Returns:
            The sentences that are now certain, in order.
        """
        given: list[MarkedSentence] = []
        while piece:
            room = min(_SLICE_CHARS, _RAW_MAX_CHARS - len(self._raw))
            self._raw += piece[:room]
            piece = piece[room:]
            self._read(given)
        return given

    def close(self) -> list[MarkedSentence]:
        """Say that nothing more comes.

        Returns:
            The sentences that were not yet certain.
        """
        given: list[MarkedSentence] = []
        self._end_line(self._raw, given)
        self._raw = ""
        return [*given, *self._release()]

    def _read(self, given: list[MarkedSentence]) -> None:
        while end := _LINE_END.search(self._raw):
            line, self._raw = self._raw[: end.start()], self._raw[end.end() :]
            self._end_line(line, given)
        tail = _OPEN_MARK.search(self._raw) or _TAIL.search(self._raw)
        self._raw = self._take(self._raw, tail.start() if tail else len(self._raw), given, final=False)
        if len(self._raw) >= _RAW_MAX_CHARS:
            self._take(self._raw, len(self._raw), given, final=True)
            self._raw, self._starts_line = "", False

    def _end_line(self, line: str, given: list[MarkedSentence]) -> None:
        self._take(line, len(line), given, final=True)
        self._starts_line, self._said_in_line = True, False

    def _take(self, raw: str, seen: int, given: list[MarkedSentence], *, final: bool) -> str:
        """Give out the sentences at the head of `raw`, of which `seen` characters are certain; the rest."""
        if self._starts_line and _FENCE.match(raw):
            return raw if not final else ""
        while raw:
            if not final and self._held is None and seen < _SURE_CHARS and not _MAY_END.search(raw, 0, seen):
                return raw  # the usual case, and cheap to see
            plain = _plain(raw[:seen], self._starts_line)
            if _has_word(plain.text):
                given.extend(self._release())
            end = _first_end(plain, final)
            if end is None:
                return raw
            self._say(plain, end, is_rest=final and end == len(plain.text))
            used = plain.places[end] if end < len(plain.places) else seen
            raw, seen, self._starts_line = raw[used:], seen - used, False
        return raw

    def _say(self, plain: _Plain, end: int, *, is_rest: bool) -> None:
        text, numbers = plain.text[:end].strip(), plain.numbers(end)
        if _has_word(text):
            self._held = MarkedSentence(text, numbers, not self._said_in_line)
            self._said_in_line = True
        elif self._held is not None and is_rest:  # marks alone on their line, or behind a dash
            both = tuple(dict.fromkeys((*self._held.numbers, *numbers)))
            self._held = MarkedSentence(self._held.text, both, self._held.starts_line)

    def _release(self) -> Iterable[MarkedSentence]:
        held, self._held = self._held, None
        return () if held is None else (held,)


def read_marked(text: str) -> list[MarkedSentence]:
    """All sentences of a whole text."""
    reader = MarkedTextReader()
    return [*reader.feed(text), *reader.close()]
