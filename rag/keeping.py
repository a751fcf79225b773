"""Columns of documents, to be kept: nothing is believed.

Only documents that come back from their columns (`rag.kept_rows`) exactly as they were are taken, so whatever
is not provided for there is cut anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from rag.kept_rows import BLOCK_KINDS, WIDTHS, Columns, Kept, KeptRows, as_columns
from rag.records import Document, SourceSpan
from rag.rows import DocumentRows

_IN_BODY = ("heading", "rule")
"""Kinds of typed blocks that stand among the paragraphs."""


class Keeper:
    """Collects the columns of documents."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Columns]] = {name: [as_columns(name, ())] for name in WIDTHS}

    @property
    def tables(self) -> dict[str, Columns]:
        """For each of `WIDTHS` its rows so far: int32, shape (rows, its width)."""
        return {name: np.concatenate(parts) for name, parts in self._parts.items()}

    def keep(self, rows: DocumentRows) -> bool:
        """Take a document in; False if it would not come back as it is, and so was not taken."""
        if isinstance(rows, KeptRows):  # that is how it came back
            self._take({name: rows.columns(name) for name in WIDTHS})
            return True
        document = rows.document
        for alone in (True, False):
            made = _tables_of(rows, alone=alone)
            tables = {name: as_columns(name, made[name]) for name in WIDTHS}
            back = Kept(tables).rows(0, document.source, document.document_id, "")
            if back is not None and (back.document, back.placed(0, 0)) == (document, rows.placed(0, 0)):
                self._take(tables)
                return True
        return False

    def _take(self, tables: Mapping[str, Columns]) -> None:
        for name, table in tables.items():
            self._parts[name].append(table)


def _tables_of(rows: DocumentRows, *, alone: bool) -> dict[str, list[tuple[int, ...]]]:
    """The columns of one document."""
    document, chunks, sentences = rows.document, rows.chunks, rows.sentences
    typed = [block for block in document.typed_blocks if block.kind not in _IN_BODY]
    body = [block for block in document.typed_blocks if block.kind in _IN_BODY]
    body += [paragraph.block for paragraph in document.paragraphs]
    blocks = [*typed, *sorted(body, key=lambda block: block.span.start_char)]
    authors = _authors(document)
    counts = (len(authors), len(blocks), len(typed), len(chunks), len(sentences))
    number = int(document.document_id.rpartition("-")[2])
    return {
        "documents": [(int(alone), *counts, number)],
        "authors": authors,
        "blocks": [
            (
                BLOCK_KINDS.index(block.kind),
                len(block.offsets.text_starts),
                len(block.text),
                *_span(block.span),
            )
            for block in blocks
        ],
        "runs": [
            run
            for block in blocks
            for run in zip(block.offsets.text_starts, block.offsets.source_starts, strict=True)
        ],
        "chunks": [(row.paragraph, row.start, row.end, *_span(row.span)) for row in chunks],
        "sentences": [
            (row.paragraph, row.chunk_ordinal, row.start, row.end, *_span(row.span)) for row in sentences
        ],
    }


def _authors(document: Document) -> list[tuple[int, ...]]:
    """Where the printed authors stand in the source, and whether white space stands inside the name."""
    byline = document.typed_block("byline")
    if byline is None:
        return []
    text, at = document.source.text, byline.span.start_char
    found: list[tuple[int, ...]] = []
    for author in document.printed_authors:
        match = re.compile(r"\s*".join(map(re.escape, author))).search(text, at, byline.span.end_char)
        if match is None:
            return []
        found.append((match.start(), match.end(), int(match[0] != author)))
        at = match.end()
    return found


def _span(span: SourceSpan) -> tuple[int, int, int, int]:
    return span.start_char, span.end_char, span.start_line, span.end_line
