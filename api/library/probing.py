"""An index from disk, asked for what it must find: so that one of another tokeniser is not believed."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from index.built import self_test
from index.segments import LiveIndex
from rag.errors import IndexFileError
from rag.rows import DocumentRows
from rag.text.terms import index_terms, query_terms

_PROBED_CHUNKS, _PROBES = 32, 3
"""So many chunks are looked at; the richest of them are searched for."""


def probe(index: LiveIndex, rows: Sequence[DocumentRows]) -> None:
    """See whether the terms of an index are those that a question is made into today.

    Chunks with many terms are found by them, unless there are others with all of these terms and more; so
    one of a few that is found is enough.

    Args:
        index: From disk.
        rows: The documents in it, in its order.

    Raises:
        IndexFileError: If none is found.
    """
    starts = list(accumulate((one.chunk_count for one in rows), initial=0))
    probes: list[tuple[int, int, list[str]]] = []
    for ordinal in sorted({starts[-1] * step // _PROBED_CHUNKS for step in range(_PROBED_CHUNKS)}):
        document = bisect_right(starts, ordinal) - 1
        if document < len(rows):
            text = rows[document].chunks[ordinal - starts[document]].text
            probes.append((-len(set(index_terms(text))), ordinal, query_terms(text)))
    failure: IndexFileError | None = None
    for _, ordinal, terms in sorted(probe for probe in probes if probe[0])[:_PROBES]:
        try:
            self_test(index, terms, ordinal)
        except IndexFileError as error:
            failure = failure or error
        else:
            return
    if failure:
        raise failure
