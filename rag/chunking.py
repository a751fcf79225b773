"""Cut paragraphs into chunks with langchain-text-splitters, each a verbatim slice with its offsets.

`SentenceSplitter` is a langchain `TextSplitter`: our sentence ranges are its splits and its own merging
packs them. A sentence is only cut where it alone is longer than a chunk, by langchain's recursive
splitter at clauses. Sizes are evened out over a paragraph so that it does not end in a scrap.
"""

from __future__ import annotations

import math
from typing import Any

from langchain_text_splitters import RecursiveCharacterTextSplitter, TextSplitter

from rag.text.sentences import sentence_ranges

_CLAUSE_ENDS = ["[；;]", "[，,：:]", "[、 ]", ""]


class SentenceSplitter(TextSplitter):
    """Packs whole sentences into chunks.

    Args:
        max_chars: Longest chunk, in code points (at least 20).
    """

    def __init__(self, max_chars: int) -> None:
        super().__init__(chunk_size=max_chars, chunk_overlap=0, strip_whitespace=False)
        self._max_chars = max_chars
        self._clauses = RecursiveCharacterTextSplitter(
            _CLAUSE_ENDS,
            keep_separator="end",
            is_separator_regex=True,
            chunk_size=max_chars,
            chunk_overlap=0,
            strip_whitespace=False,
        )

    def split_text(self, text: str) -> list[str]:
        """Chunks of `text` (none if it is blank); joined they equal it."""
        pieces: list[str] = []
        for start, end in sentence_ranges(text):
            pieces += self._fitting_pieces(text[start:end])
        if not pieces:
            return []
        wanted = math.ceil(len(text) / self._max_chars)
        chunks: list[str] = []
        for size in self._sizes(len(text), wanted, max(map(len, pieces))):
            self._chunk_size = size
            chunks = self._merge_splits(pieces, "")
            if len(chunks) <= wanted:
                break
        return chunks

    def _fitting_pieces(self, sentence: str) -> list[str]:
        """The sentence if it fits, else its clauses; white space after it does not make it too long."""
        if len(sentence) <= self._max_chars:
            return [sentence]
        bare = sentence.rstrip()
        if len(bare) <= self._max_chars:
            return [bare, *self._clauses.split_text(sentence[len(bare) :])]
        return self._clauses.split_text(sentence)

    def _sizes(self, length: int, wanted: int, longest_piece: int) -> list[int]:
        """Chunk sizes to try, from nearly even up to the longest allowed."""
        smallest = max(math.ceil(length / wanted), longest_piece)
        step = max(1, self._max_chars // 10)
        return [*range(smallest, self._max_chars, step), self._max_chars]


def chunk_ranges(text: str, max_chars: int) -> list[tuple[int, int]]:
    """Half-open ranges of the chunks of one paragraph; together they cover it without overlap."""
    ranges: list[tuple[int, int]] = []
    at = 0
    splitter: Any = SentenceSplitter(max_chars)
    for chunk in splitter.split_text(text):
        ranges.append((at, at + len(chunk)))
        at += len(chunk)
    return ranges
