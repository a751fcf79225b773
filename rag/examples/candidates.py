"""Candidate questions of a corpus, with the stretch of source that has to be cited for each.

A big corpus is sampled, evenly and always alike: examples are for a first impression, not a survey. Which
documents are in the sample is decided by a checksum of their ids, so that a document that comes or goes
changes it by one; and what is found in a document is kept with the corpus (`Corpus.findings`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from heapq import nsmallest
from typing import TypeVar
from zlib import crc32

from rag.corpus import Corpus
from rag.examples.clauses import Text
from rag.examples.drafts import Draft, Kind, is_traditional, question_of
from rag.examples.lists import lists
from rag.examples.naturalness import appeal, reads_well
from rag.examples.numbers import numbers, years
from rag.examples.patterns import definitions, own_questions, people_and_places, reasons, relations
from rag.examples.words import TRADITIONAL
from rag.records import Document, Sentence
from rag.text.enumeration import item_mark

MAX_DOCUMENTS = 60
MAX_SENTENCES = 80
"""At most so many documents, and sentences of each, are looked at."""
_SENTENCE_MAX_CHARS = 240
_TOPIC_COUNT = 3
_TITLE_MAX_CHARS = 26
_AUTHOR_WORTH = 0.9
_PATTERNS: tuple[Callable[[Text], Iterator[Draft]], ...] = (
    own_questions, definitions, relations, lists, reasons, people_and_places, numbers, years,
)  # fmt: skip
_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question and where its answer stands.

    Attributes:
        question: Complete, in the script of the text.
        kind: What it asks for.
        document_id: The document it was made from.
        start_char, end_char: The stretch of its source that has to be cited.
        score: Higher is better; from about 0 to 1.5.
    """

    question: str
    kind: Kind
    document_id: str
    start_char: int
    end_char: int
    score: float


def candidates(corpus: Corpus) -> list[Candidate]:
    """Every candidate of a sample of the corpus, best first, each question once."""
    found: dict[str, Candidate] = {}
    for document in _sampled(corpus.documents):
        kept = corpus.findings[document.document_id]
        for made in kept.get("examples", partial(_made_from, corpus, document)):
            known = found.get(made.question)
            if known is None or made.score > known.score:
                found[made.question] = made
    return sorted(found.values(), key=lambda made: (-made.score, made.question))


def _sampled(documents: Sequence[Document]) -> Sequence[Document]:
    """Some of many documents, in their order."""
    if len(documents) <= MAX_DOCUMENTS:
        return documents
    by_checksum = ((crc32(document.document_id.encode()), n) for n, document in enumerate(documents))
    return [documents[n] for n in sorted(n for _, n in nsmallest(MAX_DOCUMENTS, by_checksum))]


def _made_from(corpus: Corpus, document: Document) -> tuple[Candidate, ...]:
    _, place = corpus.first_rows[document.document_id]
    return (*_of_document(document), *_of_text(document, corpus.sentences[place.start : place.stop]))


def _sample(rows: Sequence[_Row], most: int) -> Sequence[_Row]:
    if len(rows) <= most:
        return rows
    return [rows[place * len(rows) // most] for place in range(most)]


def _of_document(document: Document) -> Iterator[Candidate]:
    """Who wrote it, where its page prints title and author."""
    byline = document.typed_block("byline")
    title = document.printed_title
    if (
        byline is None
        or not document.printed_authors
        or not title
        or len(title) > _TITLE_MAX_CHARS
        or "《" in title
    ):
        return
    question = f"《{title}》的作者是谁？"
    if is_traditional(title):
        question = f"《{title}》" + "的作者是谁？".translate(TRADITIONAL)
    span = byline.span
    yield Candidate(question, "author", document.document_id, span.start_char, span.end_char, _AUTHOR_WORTH)


def _of_text(document: Document, rows: Sequence[Sentence]) -> Iterator[Candidate]:
    body = "".join(paragraph.text for paragraph in document.paragraphs)
    traditional = is_traditional(body[:1000])
    chosen = _sample(range(len(rows)), MAX_SENTENCES)
    topic = _topic_words(document, [rows[place].text for place in chosen])
    for place in chosen:
        sentence = rows[place]
        skipped = _opening(sentence.text)
        try:
            text = Text(sentence.text[skipped:].rstrip())
        except ValueError:
            continue
        if not text.original or len(text.original) > _SENTENCE_MAX_CHARS:
            continue
        for draft in _drafts(text):
            answer = _answering(rows, place, draft)
            question = question_of(draft.pieces, text, traditional=traditional)
            if answer is None or not reads_well(question):
                continue
            span = answer.span
            score = draft.worth + appeal(question, draft.kind, topic)
            yield Candidate(question, draft.kind, document.document_id, span.start_char, span.end_char, score)


def _drafts(text: Text) -> Iterator[Draft]:
    for pattern in _PATTERNS:
        yield from pattern(text)


def _opening(sentence: str) -> int:
    """How many characters at the beginning only number an item ("一是", "其二，")."""
    bare = sentence.lstrip()
    skipped = len(sentence) - len(bare)
    if item_mark(bare) is None:
        return skipped
    for mark in ("，", "、", "是", "）", ")", "．", ".", "要"):
        place = bare.find(mark, 0, 6)
        if place >= 0:
            return skipped + place + 1
    return skipped


def _answering(rows: Sequence[Sentence], place: int, draft: Draft) -> Sentence | None:
    """The sentence that answers; for a list announced before it, its first item."""
    other = place + draft.answered_by
    if other == place:
        return rows[place]
    if other >= len(rows) or rows[other].paragraph != rows[place].paragraph:
        return None
    if (
        draft.kind == "list"
        and not rows[place].text.rstrip().endswith("？")
        and not item_mark(rows[other].text)
    ):
        return None
    return rows[other]


def _topic_words(document: Document, sentences: Sequence[str]) -> frozenset[str]:
    """Nouns that these sentences of the document use again and again, or that its title has."""
    counted: Counter[str] = Counter()
    for sentence in sentences:
        text = _text_or_none(sentence)
        if text is not None:
            counted.update({t.word for t in text.tokens(0, len(text.plain)) if t.is_noun and len(t.word) > 1})
    title = _text_or_none(document.title or "")
    if title is not None:
        for token in title.tokens(0, len(title.plain)):
            counted[token.word] += _TOPIC_COUNT
    return frozenset(word for word, count in counted.items() if count >= _TOPIC_COUNT)


def _text_or_none(text: str) -> Text | None:
    if len(text) > _SENTENCE_MAX_CHARS:
        return None
    try:
        return Text(text)
    except ValueError:
        return None
