"""What speaks for and against an answer being there: one row of numbers a question. Nothing is fitted here.

Three groups. *dense* ones compare vectors and mean something only for the encoder whose general background is
known; *words* hold the question's wording against the corpus; *reader* ones are what a cross-encoder says of
the best passages. A model is fitted for each combination of groups that can be at hand.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag.confidence.claims import lacking_claims
from rag.confidence.wording import Wording, held_share, lacks_kind, list_agrees
from rag.question import Question
from rag.question_patterns import Kind
from rag.ranking.arms import LexicalArm
from rag.ranking.features import Evidence
from rag.retrieval import Retrieved
from rag.text.folding import fold

Floats = npt.NDArray[np.float64]

DENSE = ("near_sentence", "near_window", "near_corpus", "top_rank_value", "margin", "best_relevance")
WORDS = (
    "lexical_peak",
    "lacks_figure",
    "lacks_counted",
    "unknown_share",
    "unknown_name",
    "unknown_nouns",
    "unknown_verbs",
    "lacks_number",
    "lacks_date",
    "held_by_first",
    "held_by_three",
    "held_whole",
    "list_agrees",
    "asks_quantity",
    "asks_reason",
    "asks_way",
    "asks_several",
    "is_foreign",
    "length",
)
READER = ("reader_best", "reader_first", "reader_second", "reader_agrees")
READ_PASSAGES = 4
"""How many of the best passages the reader sees."""

_MOST_WORDS = 12
_LOOKED_AT = 4


def dense_features(found: Retrieved) -> Floats:
    """Values of `DENSE`; shape (len(DENSE),)."""
    ordered = np.sort(found.values)[::-1]
    rest = ordered[1:6]
    margin = ordered[0] - (float(rest.mean()) if len(rest) else 0.0)
    return np.array([*found.evidence.nearness, ordered[0], margin, found.ranked[0].relevance], np.float64)


def word_features(question: Question, found: Retrieved, wording: Wording, arm: LexicalArm) -> Floats:
    """Values of `WORDS`; shape (len(WORDS),).

    Args:
        question: As asked; the kind of thing it asks for counts.
        found: What was found for it; `found.question` is searched.
        wording: The searched question's words against the corpus.
        arm: The corpus's terms.
    """
    sentences = [ranked.sentence.text for ranked in found.ranked[:_LOOKED_AT]]
    chunks = [fold(passage.chunk.text) for passage in found.passages[:3]]
    lacking = lacking_claims(found.question, arm)
    words = wording.words
    lacks = lacks_kind(question, sentences)
    asks = _asks(question)
    return np.array(
        [
            found.evidence.lexical_peak,
            bool(lacking.figures),
            bool(lacking.nouns),
            len(wording.unknown) / len(words) if words else 0.0,
            bool(wording.names),
            min(2, len(wording.nouns)),
            min(2, len(wording.verbs)),
            lacks and question.kind == "number",
            lacks and question.kind == "date",
            held_share(words, chunks[0]),
            held_share(words, "\n".join(chunks)),
            all(word in chunks[0] for word in words),
            list_agrees(question, sentences),
            *asks,
            question.is_foreign,
            min(len(words), _MOST_WORDS) / _MOST_WORDS,
        ],
        np.float64,
    )


def reader_features(scores: Floats) -> Floats:
    """Values of `READER` from the reader's logits of the best passages, best first; shape (len(READER),)."""
    ordered = np.sort(scores)[::-1]
    second = ordered[1] if len(ordered) > 1 else ordered[0]
    return np.array([ordered[0], scores[0], second, float(int(scores.argmax()) == 0)], np.float64)


def topic_features(evidence: Evidence, wording: Wording) -> Floats:
    """What tells a question about the corpus's subject from any other; shape (4,)."""
    unknown = len(wording.unknown) / len(wording.words) if wording.words else 0.0
    return np.array([*evidence.nearness[:2], evidence.lexical_peak, unknown], np.float64)


_KINDS: Sequence[tuple[Kind, ...]] = (("number", "date"), ("why",), ("how",), ("list", "comparison"))


def _asks(question: Question) -> list[bool]:
    return [question.kind in kinds for kinds in _KINDS]
