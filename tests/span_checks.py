"""An independent count of where a row of a corpus stands in its source."""

from __future__ import annotations

from rag.corpus import Corpus
from rag.records import SourceSpan


def rows_of(corpus: Corpus) -> list[tuple[str, SourceSpan]]:
    """Text and span of every chunk and sentence."""
    chunks = [(row.text, row.span) for row in corpus.chunks]
    return chunks + [(row.text, row.span) for row in corpus.sentences]


def check_span(text: str, span: SourceSpan, source: str) -> None:
    """The span holds the text (white space aside) with none around it, and its lines are the printed ones."""
    held = source[span.start_char : span.end_char]
    assert "".join(held.split()) == "".join(text.split()) != ""
    assert held == held.strip()
    lines = source.split("\n")
    for offset, number in ((span.start_char, span.start_line), (span.end_char - 1, span.end_line)):
        before = sum(len(line) + 1 for line in lines[: number - 1])
        assert before <= offset < before + len(lines[number - 1])
