"""What is known of the rows of a corpus by document, chunk and paragraph; kept up to date, not made anew.

A corpus that changes hands these maps on: a document that is added adds its own entries, one that goes takes
its own along. Copying a map costs a pointer an entry; making it costs a look at every row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rag.names import DocumentNames, names_of
from rag.once import Findings
from rag.placed_rows import PlacedRows, SentencesOfChunks, SentencesOfParagraphs
from rag.reading.blanking import without_documents
from rag.records import Chunk, Document, Sentence, Source
from rag.rows import DocumentRows, moved_rows


@dataclass(frozen=True, slots=True)
class RowMaps:
    """The maps of one corpus, never changed: of its live documents and their rows (`named` apart).

    Attributes:
        document_by_id: In corpus order.
        first_rows: For each document the ordinals of its chunks and of its sentences.
        placed: For each document its rows.
        sentences_of_chunk: For each chunk ordinal the ordinals of its sentences.
        sentences_of_paragraph: The same for each (document id, paragraph number).
        names: What each document is called.
        named: For each name the ids of the documents that have it, in corpus order; in a view those of the
            whole corpus, so that a view of much of it is quickly made.
        findings: What is found in each document when first wanted: enumerations, candidates for examples.
    """

    document_by_id: dict[str, Document]
    first_rows: dict[str, tuple[range, range]]
    placed: dict[str, PlacedRows]
    sentences_of_chunk: SentencesOfChunks
    sentences_of_paragraph: SentencesOfParagraphs
    names: dict[str, DocumentNames]
    named: dict[str, tuple[str, ...]]
    findings: dict[str, Findings]

    @classmethod
    def empty(cls) -> RowMaps:
        """The maps of no rows."""
        return _maps({}, {}, {}, {}, {}, {})

    @classmethod
    def of(
        cls, documents: Sequence[Document], chunks: Sequence[Chunk], sentences: Sequence[Sentence]
    ) -> RowMaps:
        """The maps of rows that stand together document by document, in the order of the documents."""
        chunk_rows, sentence_rows = _stretches(documents, chunks), _stretches(documents, sentences)
        added: list[PlacedRows] = []
        for document, of_chunks, of_sentences in zip(documents, chunk_rows, sentence_rows, strict=True):
            rows = moved_rows(
                chunks[of_chunks.start : of_chunks.stop],
                sentences[of_sentences.start : of_sentences.stop],
                -of_chunks.start,
                -of_sentences.start,
            )
            added.append(PlacedRows(DocumentRows(document, *rows), of_chunks.start, of_sentences.start))
        return cls.empty().extended(added)

    def extended(self, added: Iterable[PlacedRows], known: RowMaps | None = None) -> RowMaps:
        """With further documents; what `known` knows of them by id is taken over.

        Raises:
            ValueError: If one of that id is there already.
        """
        documents, first_rows, placed = dict(self.document_by_id), dict(self.first_rows), dict(self.placed)
        names, findings = dict(self.names), dict(self.findings)
        named: dict[str, list[str]] = {}
        for rows in added:
            document = rows.rows.document
            document_id = document.document_id
            if document_id in documents:
                raise ValueError(f"document {document_id} is in the corpus already")
            documents[document_id] = document
            first_rows[document_id] = rows.ranges
            placed[document_id] = rows
            names[document_id] = known.names[document_id] if known else names_of(document)
            findings[document_id] = known.findings[document_id] if known else Findings()
            for name in names[document_id].all:
                named.setdefault(name, []).append(document_id)
        all_named = dict(self.named)
        for name, ids in named.items():
            all_named[name] = (*all_named.get(name, ()), *ids)
        return _maps(documents, first_rows, placed, names, all_named, findings)

    def without(self, document_ids: Collection[str]) -> RowMaps:
        """Without some of its documents: costs a copy, and a look at what goes.

        What they say is blank in the source of those that stand in the same one and are left.
        """
        documents, first_rows, placed = dict(self.document_by_id), dict(self.first_rows), dict(self.placed)
        names, named, findings = dict(self.names), dict(self.named), dict(self.findings)
        gone = frozenset(document_ids)
        for name in {name for document_id in gone for name in names[document_id].all}:
            left = tuple(document_id for document_id in named.pop(name) if document_id not in gone)
            if left:
                named[name] = left
        removed: dict[str, list[Document]] = {}
        for document_id in gone:
            document = documents.pop(document_id)
            removed.setdefault(document.source.sha256, []).append(document)
            del first_rows[document_id], placed[document_id], names[document_id], findings[document_id]
        for document_id, source in _blanked(removed, documents.values()):
            placed[document_id] = placed[document_id].standing_in(source)
            documents[document_id] = placed[document_id].rows.document
        return _maps(documents, first_rows, placed, names, named, findings)

    def only(self, document_ids: Sequence[str]) -> RowMaps:
        """With some of its documents, in corpus order: costs a look at what stays."""
        return _maps(
            {name: self.document_by_id[name] for name in document_ids},
            {name: self.first_rows[name] for name in document_ids},
            {name: self.placed[name] for name in document_ids},
            {name: self.names[name] for name in document_ids},
            self.named,
            {name: self.findings[name] for name in document_ids},
        )


def _maps(
    documents: dict[str, Document],
    first_rows: dict[str, tuple[range, range]],
    placed: dict[str, PlacedRows],
    names: dict[str, DocumentNames],
    named: dict[str, tuple[str, ...]],
    findings: dict[str, Findings],
) -> RowMaps:
    of_chunk, of_paragraph = SentencesOfChunks(tuple(placed.values())), SentencesOfParagraphs(placed)
    return RowMaps(documents, first_rows, placed, of_chunk, of_paragraph, names, named, findings)


def _blanked(
    removed: Mapping[str, Sequence[Document]], documents: Iterable[Document]
) -> Iterator[tuple[str, Source]]:
    """Ids of the documents that stand in a source with removed ones, and that source without those.

    Args:
        removed: Documents that go, by the checksum of their source.
        documents: Those that are left.
    """
    left: dict[str, list[Document]] = {}
    for document in documents:
        if document.source.sha256 in removed:
            left.setdefault(document.source.sha256, []).append(document)
    for sha256, staying in left.items():
        source = without_documents(staying[0].source, removed[sha256], staying)
        yield from ((document.document_id, source) for document in staying)


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
