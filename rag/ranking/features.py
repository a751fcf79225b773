"""Evidence features of candidate sentences: numbers that mean the same on any corpus.

Nothing here is fitted. Dense evidence is given as a standard score against all rows of the corpus
(z = (q·v - mean) / std), because E5's cosines crowd into a narrow band whose place depends on the
question. Lexical evidence is the share of the question's idf mass that stands in the text
(Σ idf(t) [t in text] / Σ idf(t) over the question's terms t), because BM25 sums grow with the question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.corpus import Corpus
from rag.question import Question
from rag.ranking.arms import Floats, LexicalArm, Ordinals, SearchIndex, VectorArm
from rag.ranking.asked_units import amount_test
from rag.ranking.background import Background
from rag.text.digits import in_digits
from rag.text.folding import fold
from rag.text.numbers import has_date, has_quantity
from rag.text.terms import query_terms

FEATURES = (
    "z_sentence",
    "z_window",
    "z_chunk",
    "cover_sentence",
    "cover_window",
    "cover_chunk",
    "bm25_chunk",
    "kind_match",
    "is_short",
)
"""Names of the columns, in order."""

_SHORT_CHARS = 14
KIND_TESTS = {"number": has_quantity, "date": has_date}
_Z_CAP = 6.0

Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Evidence:
    """Candidates and what speaks for them.

    Attributes:
        ordinals: Sentence ordinals, ascending, int64, shape (n,).
        matrix: float64, shape (n, len(FEATURES)).
        cosine: Raw inner product of question and sentence, shape (n,).
        nearness: Best sentence's and best window's inner product as standard scores against text in
            general, and the corpus average's (is this the corpus's subject at all?), shape (3,).
        lexical_peak: Largest `cover_window` among the candidates, 0-1: how much the words can be trusted.
    """

    ordinals: Ordinals
    matrix: Matrix
    cosine: Matrix
    nearness: Matrix
    lexical_peak: float


NO_EVIDENCE = Evidence(
    np.zeros(0, np.int64), np.zeros((0, len(FEATURES))), np.zeros(0), np.zeros(3), lexical_peak=0.0
)
"""What speaks for no candidates."""


def candidate_sentences(
    question_terms: Sequence[str], vector: Floats, index: SearchIndex, corpus: Corpus, k: int
) -> Ordinals:
    """Ordinals of the sentences of every chunk that any arm ranks among its first `k`, ascending."""
    chunks: set[int] = set(index.chunk_vectors.search(vector, k)[0].tolist())
    chunks.update(index.chunk_terms.search(question_terms, k)[0].tolist())
    for arm in (index.sentence_vectors, index.window_vectors):
        chunks.update(corpus.sentences[row].chunk_ordinal for row in arm.search(vector, k)[0].tolist())
    rows = index.sentence_terms.search(question_terms, k)[0].tolist()
    chunks.update(corpus.sentences[row].chunk_ordinal for row in rows)
    live = corpus.sentences_of_chunk
    sentences = [ordinal for chunk in chunks for ordinal in live.get(chunk, ())]
    return np.array(sorted(sentences), np.int64)


def gather_evidence(
    question: Question, vector: Floats, index: SearchIndex, corpus: Corpus, background: Background, k: int
) -> Evidence:
    """Features of the candidates for one question, put to a corpus that has documents.

    Args:
        question: The question as searched.
        vector: Its unit vector, float32, shape (dimension,).
        index: The arms.
        corpus: The rows they stand for.
        background: How near text in general is to a question.
        k: How many rows each arm contributes.
    """
    terms = query_terms(question.text)
    ordinals = candidate_sentences(terms, vector, index, corpus, k)
    homes = np.array([corpus.sentences[i].chunk_ordinal for i in ordinals], np.int64)
    z_sentence = _standard(index.sentence_vectors, vector, ordinals)
    z_window = _standard(index.window_vectors, vector, ordinals)
    z_chunk = _standard(index.chunk_vectors, vector, homes)
    present, weights = _presence(terms, index.sentence_terms)
    in_sentence = _share(present[:, ordinals], weights)
    in_window = _share(_neighbours(present, corpus, ordinals), weights)
    chunk_present, chunk_weights = _presence(terms, index.chunk_terms)
    in_chunk = _share(chunk_present[:, homes], chunk_weights)
    bm25_chunk = index.chunk_terms.scores(terms)[homes] / max(float(chunk_weights.sum()), 1e-9)
    kind_match, is_short = _form(question, corpus, ordinals)
    columns = [
        z_sentence,
        z_window,
        z_chunk,
        in_sentence,
        in_window,
        in_chunk,
        bm25_chunk,
        kind_match,
        is_short,
    ]
    return Evidence(
        ordinals,
        np.stack([np.asarray(column, np.float64) for column in columns], axis=1),
        np.asarray(index.sentence_vectors.scores(vector, ordinals), np.float64),
        _nearness(vector, index, background),
        float(in_window.max(initial=0.0)),
    )


def _nearness(vector: Floats, index: SearchIndex, background: Background) -> Matrix:
    best = [float(arm.search(vector, 1)[1][0]) for arm in (index.sentence_vectors, index.window_vectors)]
    average, _ = index.window_vectors.background(vector)
    return background.standard(vector, np.array([*best, average], np.float64))


def _standard(arm: VectorArm, vector: Floats, ordinals: Ordinals) -> Matrix:
    mean, std = arm.background(vector)
    scores = np.asarray(arm.scores(vector, ordinals), np.float64)
    return np.clip((scores - mean) / max(std, 1e-6), -_Z_CAP, _Z_CAP)


def _presence(terms: Sequence[str], arm: LexicalArm) -> tuple[npt.NDArray[np.bool_], Matrix]:
    """Which term stands in which row, shape (terms, rows), and each term's idf, shape (terms,)."""
    rows = [arm.scores([term]) > 0 for term in terms] or [arm.scores([]) > 0]
    weights = [arm.idf(term) for term in terms] or [0.0]
    return np.stack(rows), np.array(weights, np.float64)


def _share(present: npt.NDArray[np.bool_], weights: Matrix) -> Matrix:
    total = float(weights.sum())
    return (weights @ present) / total if total > 0 else np.zeros(present.shape[1])


def _neighbours(present: npt.NDArray[np.bool_], corpus: Corpus, ordinals: Ordinals) -> npt.NDArray[np.bool_]:
    """Presence in a sentence or in the one before or after it in the same paragraph."""
    found = present[:, ordinals].copy()
    for column, ordinal in enumerate(ordinals.tolist()):
        here = corpus.sentences[ordinal]
        # A dead copy of the same document may stand just before its first row.
        rows = corpus.sentences_of_paragraph[here.document_id, here.paragraph]
        for other in (ordinal - 1, ordinal + 1):
            if rows[0] <= other <= rows[-1]:
                found[:, column] |= present[:, other]
    return found


def _form(question: Question, corpus: Corpus, ordinals: Ordinals) -> tuple[Matrix, Matrix]:
    """Kind of thing asked for present (1), absent (-1) or untested (0); too short to inform (1) or not."""
    test = amount_test(question.folded) if question.kind == "number" else KIND_TESTS.get(question.kind)
    match, short = np.zeros(len(ordinals)), np.zeros(len(ordinals))
    for row, ordinal in enumerate(ordinals.tolist()):
        text = corpus.sentences[ordinal].text
        if test:
            match[row] = 1.0 if test(without_numbers_of(fold(text), question)) else -1.0
        short[row] = len(text) < _SHORT_CHARS
    return match, short


def without_numbers_of(folded: str, question: Question) -> str:
    """The sentence without the numbers that the question itself names: they are no answer."""
    named = [word for word in question.words if any(char.isdigit() for char in word)]
    if named:
        folded = in_digits(folded)
    for word in named:
        folded = folded.replace(word, " ")
    return folded
