"""The enumerations of a corpus, found once: which sentence is an item of which list.

Rows only; what a list is, is `rag.text.enumeration`'s business.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from rag.corpus import Corpus
from rag.records import Document
from rag.text.enumeration import marked_series, parallel_series


@dataclass(frozen=True, slots=True)
class Enumeration:
    """One list of a document, in sentence ordinals.

    Attributes:
        document_id: Where it stands.
        announcers: Sentences that announce it: the one before its first item, and the opening of
            the paragraph it stands in.
        items: Each item's sentences, head first, in order.
        parallel: Whether its items are parallel paragraphs rather than marked by ordinal words.
    """

    document_id: str
    announcers: tuple[int, ...]
    items: tuple[tuple[int, ...], ...]
    parallel: bool

    @property
    def heads(self) -> tuple[int, ...]:
        """The first sentence of each item."""
        return tuple(item[0] for item in self.items)


class Structure:
    """All enumerations of a corpus.

    Args:
        corpus: The rows.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @cached_property
    def enumerations(self) -> tuple[Enumeration, ...]:
        """Every enumeration, in reading order; inside a paragraph before across paragraphs."""
        found: list[Enumeration] = []
        for document in self._corpus.documents:
            found += self._inside_paragraphs(document)
            found += self._across_paragraphs(document)
        return tuple(found)

    @cached_property
    def of_sentence(self) -> dict[int, tuple[Enumeration, ...]]:
        """The enumerations that a sentence leads or belongs to, innermost first."""
        found: dict[int, list[Enumeration]] = {}
        for enumeration in self.enumerations:
            members = {ordinal for item in enumeration.items for ordinal in item} | set(
                enumeration.announcers
            )
            for ordinal in members:
                found.setdefault(ordinal, []).append(enumeration)
        return {
            ordinal: tuple(sorted(lists, key=lambda e: sum(map(len, e.items))))
            for ordinal, lists in found.items()
        }

    def item_of(self, ordinal: int) -> tuple[int, ...]:
        """The innermost item a sentence belongs to (all its sentences), or just the sentence."""
        for enumeration in self.of_sentence.get(ordinal, ()):
            for item in enumeration.items:
                if ordinal in item:
                    return item
        return (ordinal,)

    def _rows(self, document: Document, paragraph: int) -> tuple[int, ...]:
        return self._corpus.sentences_of_paragraph.get((document.document_id, paragraph), ())

    def _inside_paragraphs(self, document: Document) -> list[Enumeration]:
        found: list[Enumeration] = []
        for paragraph in document.paragraphs:
            rows = self._rows(document, paragraph.number)
            for series in marked_series([self._corpus.sentences[row].text for row in rows]):
                items = tuple(rows[a:b] for a, b in series.items)
                announcers = () if series.lead is None else tuple(dict.fromkeys((rows[0], rows[series.lead])))
                found.append(Enumeration(document.document_id, announcers, items, False))
        return found

    def _across_paragraphs(self, document: Document) -> list[Enumeration]:
        rows = [self._rows(document, paragraph.number) for paragraph in document.paragraphs]
        rows = [paragraph for paragraph in rows if paragraph]
        openings = [self._corpus.sentences[paragraph[0]].text for paragraph in rows]
        found: list[Enumeration] = []
        for series in marked_series(openings):
            items = tuple(sum(rows[a:b], ()) for a, b in series.items)
            announcers = () if series.lead is None else (rows[series.lead][-1],)
            found.append(Enumeration(document.document_id, announcers, items, False))
        for start, stop in parallel_series(openings):
            announcers = (rows[start - 1][-1],) if start else ()
            found.append(Enumeration(document.document_id, announcers, tuple(rows[start:stop]), True))
        return found
