"""What is known of the rows of a corpus by document, chunk and paragraph; kept up to date, not made anew.

A corpus that changes hands these maps on: a document that is added adds its own entries, one that goes takes
its own along. Copying a map costs a pointer an entry; making it costs a look at every row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from rag.enumerations import DocumentLists
from rag.names import DocumentNames, names_of
from rag.once import Once
from rag.records import Chunk, Document, Sentence

Rows = tuple[Document, tuple[Chunk, ...], tuple[Sentence, ...]]
"""A document with its rows as they are numbered in the corpus."""


@dataclass(frozen=True, slots=True)
class RowMaps:
    """The maps of one corpus, never changed: of its live documents and their rows (`named` apart).

    Attributes:
        document_by_id: In corpus order.
        first_rows: For each document the ordinals of its chunks and of its sentences.
        sentences_of_chunk: For each chunk ordinal the ordinals of its sentences.
        sentences_of_paragraph: The same for each (document id, paragraph number).
        names: What each document is called.
        named: For each name the ids of the documents that have it, in corpus order; in a view those of the
            whole corpus, so that a view of much of it is quickly made.
        lists: The enumerations of each document, found when first wanted.
    """

    document_by_id: dict[str, Document]
    first_rows: dict[str, tuple[range, range]]
    sentences_of_chunk: dict[int, tuple[int, ...]]
    sentences_of_paragraph: dict[tuple[str, int], tuple[int, ...]]
    names: dict[str, DocumentNames]
    named: dict[str, tuple[str, ...]]
    lists: dict[str, Once[DocumentLists]]

    @classmethod
    def empty(cls) -> RowMaps:
        """The maps of no rows."""
        return cls({}, {}, {}, {}, {}, {}, {})

    @classmethod
    def of(
        cls, documents: Sequence[Document], chunks: Sequence[Chunk], sentences: Sequence[Sentence]
    ) -> RowMaps:
        """The maps of rows that stand together document by document, in the order of the documents."""
        chunk_rows, sentence_rows = _stretches(documents, chunks), _stretches(documents, sentences)
        added: list[Rows] = []
        for document, of_chunks, of_sentences in zip(documents, chunk_rows, sentence_rows, strict=True):
            rows = tuple(chunks[row] for row in of_chunks), tuple(sentences[row] for row in of_sentences)
            added.append((document, *rows))
        return cls.empty().extended(added)

    def extended(self, added: Iterable[Rows], known: RowMaps | None = None) -> RowMaps:
        """With further documents; what `known` knows of them by id is taken over.

        Raises:
            ValueError: If one of that id is there already.
        """
        maps = self._copy()
        chunk_at = sentence_at = 0
        named: dict[str, list[str]] = {}
        for document, chunks, sentences in added:
            document_id = document.document_id
            if document_id in maps.document_by_id:
                raise ValueError(f"document {document_id} is in the corpus already")
            chunk_at = chunks[0].ordinal if chunks else chunk_at
            sentence_at = sentences[0].ordinal if sentences else sentence_at
            here = range(chunk_at, chunk_at + len(chunks)), range(sentence_at, sentence_at + len(sentences))
            chunk_at, sentence_at = here[0].stop, here[1].stop
            maps.document_by_id[document_id] = document
            maps.first_rows[document_id] = here
            maps.names[document_id] = known.names[document_id] if known else names_of(document)
            maps.lists[document_id] = known.lists[document_id] if known else Once()
            for name in maps.names[document_id].all:
                named.setdefault(name, []).append(document_id)
            of_chunk: dict[int, list[int]] = {row.ordinal: [] for row in chunks}
            of_paragraph: dict[tuple[str, int], list[int]] = {}
            for row in sentences:
                of_chunk[row.chunk_ordinal].append(row.ordinal)
                of_paragraph.setdefault((document_id, row.paragraph), []).append(row.ordinal)
            maps.sentences_of_chunk.update((key, tuple(rows)) for key, rows in of_chunk.items())
            maps.sentences_of_paragraph.update((key, tuple(rows)) for key, rows in of_paragraph.items())
        for name, ids in named.items():
            maps.named[name] = (*maps.named.get(name, ()), *ids)
        return maps

    def without(self, document_ids: Collection[str]) -> RowMaps:
        """Without some of its documents: costs a copy, and a look at what goes."""
        maps = self._copy()
        gone = frozenset(document_ids)
        for name in {name for document_id in gone for name in maps.names[document_id].all}:
            left = tuple(document_id for document_id in maps.named.pop(name) if document_id not in gone)
            if left:
                maps.named[name] = left
        for document_id in gone:
            chunks, _ = maps.first_rows.pop(document_id)
            for ordinal in chunks:
                del maps.sentences_of_chunk[ordinal]
            for key in _paragraphs(maps.document_by_id.pop(document_id)):
                maps.sentences_of_paragraph.pop(key, None)
            del maps.names[document_id], maps.lists[document_id]
        return maps

    def only(self, document_ids: Sequence[str]) -> RowMaps:
        """With some of its documents: costs a look at what stays."""
        documents = {name: self.document_by_id[name] for name in document_ids}
        first_rows = {name: self.first_rows[name] for name in document_ids}
        of_paragraph = self.sentences_of_paragraph
        return RowMaps(
            documents,
            first_rows,
            {row: self.sentences_of_chunk[row] for chunks, _ in first_rows.values() for row in chunks},
            {
                key: of_paragraph[key]
                for document in documents.values()
                for key in _paragraphs(document)
                if key in of_paragraph
            },
            {name: self.names[name] for name in document_ids},
            self.named,
            {name: self.lists[name] for name in document_ids},
        )

    def _copy(self) -> RowMaps:
        return RowMaps(
            dict(self.document_by_id),
            dict(self.first_rows),
            dict(self.sentences_of_chunk),
            dict(self.sentences_of_paragraph),
            dict(self.names),
            dict(self.named),
            dict(self.lists),
        )


def _paragraphs(document: Document) -> Iterable[tuple[str, int]]:
    return ((document.document_id, paragraph.number) for paragraph in document.paragraphs)


def _stretches(documents: Sequence[Document], rows: Sequence[Chunk] | Sequence[Sentence]) -> list[range]:
    """For each document where its rows stand; where the next ones begin for one without rows."""
    at = 0
    found: list[range] = []
    for document in documents:
        start = at
        while at < len(rows) and rows[at].document_id == document.document_id:
            at += 1
        found.append(range(start, at))
    return found
