"""The enumerations of one document: which sentence is an item of which list.

Rows only; what a list is, is `rag.text.enumeration`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from rag.records import Sentence
from rag.text.enumeration import bulleted_series, marked_series, parallel_series


@dataclass(frozen=True, slots=True)
class Enumeration:
    """One list of a document, in sentence ordinals.

    Attributes:
        document_id: Where it stands.
        announcers: Sentences that announce it: the one before its first item, and the opening of
            the paragraph it stands in.
        items: Each item's sentences, head first, in order.
        parallel: Whether its items are parallel paragraphs rather than marked by ordinal words or bullets.
    """

    document_id: str
    announcers: tuple[int, ...]
    items: tuple[tuple[int, ...], ...]
    parallel: bool

    @property
    def heads(self) -> tuple[int, ...]:
        """The first sentence of each item."""
        return tuple(item[0] for item in self.items)

    def moved(self, by: int) -> Enumeration:
        """The same list where all ordinals are so many higher."""
        return Enumeration(
            self.document_id,
            tuple(row + by for row in self.announcers),
            tuple(tuple(row + by for row in item) for item in self.items),
            self.parallel,
        )


@dataclass(frozen=True, slots=True)
class DocumentLists:
    """All enumerations of one document, its sentences counted from 0.

    Attributes:
        enumerations: In reading order; inside a paragraph before across paragraphs.
        of_sentence: Those that a sentence leads or belongs to, innermost first.
    """

    enumerations: tuple[Enumeration, ...]
    of_sentence: Mapping[int, tuple[Enumeration, ...]]


def lists_of(document_id: str, sentences: Sequence[Sentence]) -> DocumentLists:
    """Find the enumerations of a document.

    Args:
        document_id: Its id.
        sentences: All its sentences, in order.
    """
    numbered = enumerate(sentences)
    paragraphs = [
        tuple(place for place, _ in rows) for _, rows in groupby(numbered, lambda r: r[1].paragraph)
    ]
    texts = [sentence.text for sentence in sentences]
    found: list[Enumeration] = []
    for rows in paragraphs:
        found += _inside_paragraph(document_id, rows, texts)
    found += _across_paragraphs(document_id, paragraphs, texts)
    of_sentence: dict[int, list[Enumeration]] = {}
    for enumeration in found:
        items = {ordinal for item in enumeration.items for ordinal in item}
        for ordinal in sorted(items | set(enumeration.announcers)):
            of_sentence.setdefault(ordinal, []).append(enumeration)
    return DocumentLists(
        tuple(found),
        {
            ordinal: tuple(sorted(lists, key=lambda e: sum(map(len, e.items))))
            for ordinal, lists in of_sentence.items()
        },
    )


def _inside_paragraph(document_id: str, rows: tuple[int, ...], texts: Sequence[str]) -> list[Enumeration]:
    found: list[Enumeration] = []
    for series in marked_series([texts[row] for row in rows]):
        items = tuple(rows[a:b] for a, b in series.items)
        announcers = () if series.lead is None else tuple(dict.fromkeys((rows[0], rows[series.lead])))
        found.append(Enumeration(document_id, announcers, items, False))
    return found


def _across_paragraphs(
    document_id: str, rows: Sequence[tuple[int, ...]], texts: Sequence[str]
) -> list[Enumeration]:
    openings = [texts[paragraph[0]] for paragraph in rows]
    found: list[Enumeration] = []
    for series in marked_series(openings):
        items = tuple(sum(rows[a:b], ()) for a, b in series.items)
        announcers = () if series.lead is None else (rows[series.lead][-1],)
        found.append(Enumeration(document_id, announcers, items, False))
    bulleted = bulleted_series(openings)
    # Items of one list are often built alike, too: that is no second list.
    parallel = [
        (start, stop)
        for start, stop in parallel_series(openings)
        if not any(first < stop and start < last for first, last in bulleted)
    ]
    for start, stop in (*bulleted, *parallel):
        announcers = (rows[start - 1][-1],) if start else ()
        found.append(Enumeration(document_id, announcers, tuple(rows[start:stop]), (start, stop) in parallel))
    return found
