"""Find where a passage says something word for word, or word for word but for width, script and punctuation.

The territory of a passage is what it may prove: from its chunk's start to the end of the last sentence
that begins in it. A stretch of it counts only if it begins and ends where a clause does, so that nothing
is cut out of a word, a number or a clause; and only if what it leaves out of its sentence neither negates nor
reports it ("有人认为，……"). No paraphrase is found here, see `rag.answering.support`.

Marks and Markdown are left out on both sides, for `rag.answering.marks` takes them out of what a generator
writes, even where a source prints them itself ("研究[3]表明").
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from rag.answering.mark_forms import find_marks
from rag.corpus import Corpus
from rag.reading.lines import LineTable
from rag.records import Passage, Sentence
from rag.text.folding import fold
from rag.text.polarity import leaves_out_a_turn

_DROPPED = frozenset("*_`")
_KEY = re.compile(r"(?<=\d)[.:/~-](?=\d)|(?<!\w)[-$€£¥](?=\d)|[^\W_]|[%°+]")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_NEVER_PARTS = frozenset("%‰°℃·•$€£¥+=&#@")
_ASCII_INNER = frozenset("-'’./:,")
_DIGIT_INNER = frozenset("—–～~－")
_ENDERS = "。！？!?.…"
_OPENERS, _CLOSERS = "“‘「『（《【(", "”’」』）》】)"
_QUESTION = re.compile(r"[？?][^\w]*$")
_GOES_ON_ASKING = re.compile(r"[^\w，。；：！,;:!]*[？?]")


@dataclass(frozen=True, slots=True)
class Located:
    """Where a text stands.

    Attributes:
        sentence: The verbatim stretch; a sentence of the corpus if it is a whole one, else with ordinal -1.
        match: "exact" if all characters but white space are the same.
    """

    sentence: Sentence
    match: Literal["exact", "normalised"]


@lru_cache(maxsize=16)
def _lines(text: str) -> LineTable:
    return LineTable(text)


@lru_cache(maxsize=4096)
def _key(clause: str) -> str:
    """What a clause says without width, script, case and punctuation."""
    return "".join(_KEY.findall(_THOUSANDS.sub("", fold(clause))))


@dataclass(frozen=True)
class _Kept:
    """A text without white space, marks and Markdown.

    Attributes:
        text: What is left.
        places: Where its characters stand in the whole text.
        parts: For each character whether it is punctuation that parts clauses.
    """

    text: str
    places: tuple[int, ...]
    parts: tuple[bool, ...]

    def is_border(self, at: int) -> bool:
        """Whether a clause may begin or end before character `at`."""
        return at in (0, len(self.text)) or self.parts[at - 1] or self.parts[at]


def _keep(text: str) -> _Kept:
    marked = {index for start, end, _ in find_marks(text) for index in range(start, end)}
    places = tuple(
        index
        for index, char in enumerate(text)
        if index not in marked and not char.isspace() and char not in _DROPPED
    )
    kept = "".join(text[index] for index in places)
    parts = tuple(
        not char.isalnum() and char not in _NEVER_PARTS and not _stands_inside(kept, places, at)
        for at, char in enumerate(kept)
    )
    return _Kept(kept, places, parts)


def _stands_inside(kept: str, places: tuple[int, ...], at: int) -> bool:
    """Whether a punctuation mark is part of a number or Latin word: 3.5, 12,000, e-mail, 2019—2023."""
    if not 0 < at < len(kept) - 1 or places[at + 1] != places[at] + 1:
        return False
    before, after = kept[at - 1], kept[at + 1]
    if kept[at] in _DIGIT_INNER:
        return before.isdigit() and after.isdigit()
    return kept[at] in _ASCII_INNER and all(char.isascii() and char.isalnum() for char in (before, after))


class Territory:
    """What one passage may prove, made ready to be searched.

    Args:
        passage: The passage.
        corpus: The rows that it is one of.
    """

    def __init__(self, passage: Passage, corpus: Corpus) -> None:
        chunk = passage.chunk
        self._corpus = corpus
        self._document = passage.document
        self._chunk = chunk
        self._block = passage.document.paragraphs[chunk.paragraph - 1].block
        self.sentences = tuple(
            corpus.sentences[row] for row in corpus.sentences_of_chunk.get(chunk.ordinal, ())
        )
        self._neighbours = tuple(
            corpus.sentences[row]
            for row in corpus.sentences_of_paragraph.get((chunk.document_id, chunk.paragraph), ())
        )
        self._kept = _keep(self._block.text)
        places = self._kept.places
        self._first = bisect_left(places, chunk.start)
        self._stop = bisect_left(places, max([chunk.end, *(sentence.end for sentence in self.sentences)]))
        edges = {bisect_left(places, edge) for s in self._neighbours for edge in (s.start, s.end)}
        self._borders = tuple(
            at for at in range(self._first, self._stop + 1) if at in edges or self._kept.is_border(at)
        )
        self._border_set = frozenset(self._borders)

    def locate(self, text: str) -> Located | None:
        """The first stretch that says exactly `text`, else the first that says it normalised, else None."""
        return self.locate_exact(text) or self.locate_normalised(text)

    def locate_exact(self, text: str) -> Located | None:
        """The first stretch that is `text` but for white space."""
        wanted = _keep(text).text
        if not any(char.isalnum() for char in wanted):
            return None
        at = self._kept.text.find(wanted, self._first, self._stop)
        while at >= 0:
            end = at + len(wanted)
            if at in self._border_set and end in self._border_set:
                found = self._stretch(at, end, text, "exact")
                if found is not None:
                    return found
            at = self._kept.text.find(wanted, at + 1, self._stop)
        return None

    def locate_normalised(self, text: str) -> Located | None:
        """The first run of whole clauses that says `text` but for width, script, case and punctuation."""
        kept = _keep(text)
        cuts = [at for at in range(len(kept.text) + 1) if kept.is_border(at)]
        wanted = "".join(_key(_raw(text, kept, *cut)) for cut in pairwise(cuts))
        if not wanted:
            return None
        clauses = [(*cut, _key(_raw(self._block.text, self._kept, *cut))) for cut in pairwise(self._borders)]
        for place, (start, _, opening) in enumerate(clauses):
            said = ""
            for _, end, key in clauses[place:] if opening else ():
                said += key
                if not wanted.startswith(said):
                    break
                found = self._stretch(start, end, text, "normalised") if said == wanted else None
                if found is not None:
                    return found
        return None

    def _stretch(self, at: int, end: int, text: str, match: Literal["exact", "normalised"]) -> Located | None:
        """The stretch of kept characters `at`..`end`, unless what it leaves out changes what it says."""
        whole, places = self._block.text, self._kept.places
        first, last = places[at], places[end - 1] + 1
        holding = [s for s in self._neighbours if s.start < last and first < s.end]
        if not holding:
            return None
        if match == "normalised":
            first, last = self._widened(first, last, holding)
        before, after = whole[holding[0].start : first], whole[last : holding[-1].end]
        if leaves_out_a_turn(fold(before), after):
            return None
        asked = _QUESTION.search(whole[first:last]) or _GOES_ON_ASKING.match(after)
        if asked and not _QUESTION.search(text):
            return None
        for sentence in holding:
            if (sentence.start, sentence.end) == (first, last):
                return Located(sentence, match)
        span = _lines(self._document.source.text).span(*self._block.offsets.source_range(first, last))
        home, chunk = self._home(first), self._chunk
        made = Sentence(-1, chunk.document_id, chunk.paragraph, home, whole[first:last], first, last, span)
        return Located(made, match)

    def _widened(self, first: int, last: int, holding: list[Sentence]) -> tuple[int, int]:
        """The range with the punctuation that opens and closes it, where that makes whole sentences of it."""
        text, start, end = self._block.text, holding[0].start, holding[-1].end
        opens = start if not any(char.isalnum() for char in text[start:first]) else first
        closes = end if not any(char.isalnum() for char in text[last:end]) else last
        if (opens, closes) == (start, end):
            return start, end
        while last < end and (text[last] in _ENDERS or _closes(text[first:last], text[last])):
            last += 1
        return first, last

    def _home(self, start: int) -> int:
        """Ordinal of the chunk, the passage's own or a later one, that holds character `start`."""
        home, chunks = self._chunk, self._corpus.chunks
        while home.ordinal + 1 < len(chunks):
            following = chunks[home.ordinal + 1]
            same = (following.document_id, following.paragraph) == (home.document_id, home.paragraph)
            if not same or following.start > start:
                break
            home = following
        return home.ordinal


def _closes(text: str, char: str) -> bool:
    """Whether a closing mark closes what is open in a text."""
    at = _CLOSERS.find(char)
    return 0 <= at < len(_OPENERS) and text.count(_OPENERS[at]) > text.count(char)


def _raw(text: str, kept: _Kept, start: int, end: int) -> str:
    """The kept characters `start`..`end` with the white space between them (Latin words need it)."""
    return text[kept.places[start] : kept.places[end - 1] + 1] if start < end else ""


def locate(text: str, passage: Passage, corpus: Corpus) -> Located | None:
    """Where a passage says `text` word for word, exactly or normalised; None if it does not.

    Args:
        text: One sentence, as a generator wrote it.
        passage: The passage.
        corpus: The rows that it is one of.
    """
    return Territory(passage, corpus).locate(text)
