"""The enumerations of a corpus, found document by document when first wanted.

They are kept with the corpus (`Corpus.findings`) and so outlive it for every document that stays.
"""

from __future__ import annotations

from functools import partial

from rag.corpus import Corpus
from rag.enumerations import DocumentLists, Enumeration, lists_of


class Structure:
    """All enumerations of a corpus, in its ordinals. Safe to call from threads.

    Args:
        corpus: The rows.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    @property
    def enumerations(self) -> tuple[Enumeration, ...]:
        """Every enumeration, in reading order; inside a paragraph before across paragraphs."""
        return tuple(
            enumeration.moved(self._first(document.document_id))
            for document in self._corpus.documents
            for enumeration in self._lists(document.document_id).enumerations
        )

    def of_sentence(self, ordinal: int) -> tuple[Enumeration, ...]:
        """The enumerations that a sentence leads or belongs to, innermost first."""
        document_id = self._corpus.sentences[ordinal].document_id
        if document_id not in self._corpus.first_rows:
            return ()
        first = self._first(document_id)
        found = self._lists(document_id).of_sentence.get(ordinal - first, ())
        return tuple(enumeration.moved(first) for enumeration in found)

    def item_of(self, ordinal: int) -> tuple[int, ...]:
        """The innermost item a sentence belongs to (all its sentences), or just the sentence."""
        for enumeration in self.of_sentence(ordinal):
            for item in enumeration.items:
                if ordinal in item:
                    return item
        return (ordinal,)

    def _first(self, document_id: str) -> int:
        return self._corpus.first_rows[document_id][1].start

    def _lists(self, document_id: str) -> DocumentLists:
        rows = self._corpus.first_rows[document_id][1]
        sentences = self._corpus.sentences[rows.start : rows.stop]
        return self._corpus.findings[document_id].get("lists", partial(lists_of, document_id, sentences))
