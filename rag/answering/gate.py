"""The one gate for every generator: a draft goes in, checked sentences with citations come out.

A sentence passes if its text stands verbatim (white space aside) in the corpus: at the sentence the
generator names, or inside one of the passages it cites. What does not pass is dropped and its verdict
kept for `explain`. Nothing is searched for beyond what the draft claims.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.answering.citations import cite_sentence
from rag.answering.generator import Draft, DraftSentence
from rag.corpus import Corpus
from rag.errors import CitationError
from rag.reading.lines import LineTable
from rag.records import AnswerSentence, Citation, Passage, Sentence
from rag.text.folding import squeeze


@dataclass(frozen=True)
class Checked:
    """What passed the gate.

    Attributes:
        sentences: Sentences with the numbers of their citations.
        citations: Numbered from 1 in order of use.
        verdicts: One line per draft sentence: its match, or why it was dropped.
    """

    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    verdicts: tuple[str, ...]


def check_draft(draft: Draft, passages: Sequence[Passage], corpus: Corpus, *, public_url: str) -> Checked:
    """Check every sentence of a draft.

    Args:
        draft: What the generator wrote.
        passages: The passages it was given, by number from 1.
        corpus: The rows, for sentences that it names.
        public_url: Prefix of citation links.
    """
    scores = {passage.chunk.ordinal: passage.score for passage in passages}
    sentences: list[AnswerSentence] = []
    citations: list[Citation] = []
    verdicts: list[str] = []
    for claimed in draft.sentences:
        found = _locate(claimed, passages)
        if found is None:
            verdicts.append("rejected: not found verbatim in the passages it cites")
            continue
        number = len(citations) + 1
        document = corpus.document_by_id[found.document_id]
        score = scores.get(found.chunk_ordinal, 0.0)
        try:
            citation = cite_sentence(number, found, document, score=score, public_url=public_url)
        except CitationError as error:
            verdicts.append(f"rejected: {error.message}")
            continue
        citations.append(citation)
        sentences.append(AnswerSentence(found.text, (number,), "exact"))
        verdicts.append("exact")
    return Checked(tuple(sentences), tuple(citations), tuple(verdicts))


def _locate(claimed: DraftSentence, passages: Sequence[Passage]) -> Sentence | None:
    """The stretch of the corpus that a draft sentence repeats."""
    if claimed.sentence is not None:
        return claimed.sentence if squeeze(claimed.text) == squeeze(claimed.sentence.text) else None
    wanted = squeeze(claimed.text)
    for number in claimed.passages:
        if wanted and 1 <= number <= len(passages):
            found = _inside(wanted, passages[number - 1])
            if found is not None:
                return found
    return None


def _inside(wanted: str, passage: Passage) -> Sentence | None:
    chunk = passage.chunk
    kept = [i for i, char in enumerate(chunk.text) if not char.isspace()]
    at = "".join(chunk.text[i] for i in kept).find(wanted)
    if at < 0:
        return None
    start, end = chunk.start + kept[at], chunk.start + kept[at + len(wanted) - 1] + 1
    paragraph = passage.document.paragraphs[chunk.paragraph - 1]
    span = LineTable(passage.document.source.text).span(*paragraph.block.offsets.source_range(start, end))
    text = paragraph.text[start:end]
    return Sentence(-1, chunk.document_id, chunk.paragraph, chunk.ordinal, text, start, end, span)
