"""From a question to ranked passages: encode, gather evidence, rank sentences, score chunks.

The unit that is ranked is the sentence. A passage is a chunk; its value is the soft maximum of its
sentences' ranking values v,

    T log sum_i exp(v_i / T),   T = 0.5

the best sentence and a little more where others speak of the matter too (on the held-out reading
questions of `evals.fit` chunk R@1 rises from .895 to .897, with T = 2 it falls to .887). Its relevance is
the one public score: of a search hit, and of every citation taken from that chunk.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
import numpy.typing as npt

from rag.answering.citations import SourceLinks
from rag.answering.generator import RankedSentence
from rag.corpus import Corpus
from rag.encoding.encoder import Encoder
from rag.question import Question, read_question
from rag.ranking.arms import SearchIndex
from rag.ranking.background import shipped_background
from rag.ranking.features import FEATURES, NO_EVIDENCE, Evidence, gather_evidence
from rag.ranking.model import RankingModel
from rag.records import Passage
from rag.scope import Scope

Vector = npt.NDArray[np.float32]

_TEMPERATURE = 0.5
_NAMED_BONUS = 2.0
"""Added to the ranking value of sentences of a document that the question names: enough to put them
first among equals, not enough to lift a sentence with no evidence."""


@dataclass(frozen=True)
class Retrieved:
    """What was found for one question.

    Attributes:
        ranked: Candidate sentences, best first.
        passages: Chunks of the candidates, best first.
        question: As searched: without the names of documents.
        evidence: What speaks for each candidate sentence.
        values: Their ranking values, in the order of `evidence.ordinals`, shape (n,).
            All of these are empty where there is no document to search.
        timings_ms: "encode" and "search".
        is_named: Whether the question names a document.
    """

    ranked: tuple[RankedSentence, ...]
    passages: tuple[Passage, ...]
    question: Question
    evidence: Evidence
    values: npt.NDArray[np.float64]
    timings_ms: dict[str, float]
    is_named: bool = False

    def best_document(self) -> str:
        """The document with the most relevant sentences: highest sum over the first ten (at least one)."""
        sums: dict[str, float] = {}
        for found in self.ranked[:10]:
            document = found.sentence.document_id
            sums[document] = sums.get(document, 0.0) + found.relevance
        return max(sums, key=lambda document: sums[document])


def soft_maximum(values: npt.NDArray[np.float64]) -> float:
    """T log sum exp(v / T) of at least one value, rounded like the values themselves."""
    top = float(values.max())
    return round(top + _TEMPERATURE * float(np.log(np.exp((values - top) / _TEMPERATURE).sum())), 6)


class Retriever:
    """Searches one corpus.

    Args:
        corpus: The rows.
        index: The arms over them.
        encoder: The encoder that made the index's vectors.
        model: Fitted weights.
        candidates_per_arm: How many rows each arm contributes.
        links: Lead to its documents.
    """

    def __init__(
        self,
        corpus: Corpus,
        index: SearchIndex,
        encoder: Encoder,
        model: RankingModel,
        *,
        candidates_per_arm: int,
        links: SourceLinks,
    ) -> None:
        self._corpus = corpus
        self._index = index
        self._encoder = encoder
        self._model = model
        self._background = shipped_background(encoder.name)
        self._k = candidates_per_arm
        self._links = links

    def retrieve(self, question: Question, scope: Scope) -> Retrieved:
        """Rank the corpus for one question.

        Args:
            question: As asked.
            scope: The documents it names; their names are not searched for.
        """
        return next(self.widening(question, scope))

    def widening(self, question: Question, scope: Scope) -> Iterator[Retrieved]:
        """Rank the corpus as `retrieve` does and then, unless that was all of it, every row of it.

        So there are one or two, each computed when it is asked for. What the first found, the second finds
        again with the same scores: no feature of a candidate depends on which others there are. A corpus
        without documents is not searched: nothing is found in it.
        """
        if scope.rest != question.text:
            question = replace(read_question(scope.rest), kind=question.kind)
        if not self._corpus.documents:
            yield Retrieved((), (), question, NO_EVIDENCE, np.zeros(0), {"encode": 0.0, "search": 0.0})
            return
        started = perf_counter()
        vector = self._encoder.encode_queries([question.text])[0]
        encode_ms = 1e3 * (perf_counter() - started)
        found = self._ranked(question, scope, vector, self._k, encode_ms)
        yield found
        if len(found.passages) < self._corpus.reachable_chunks:
            # The arm over chunks alone gives every chunk then, and a chunk brings all its sentences.
            yield self._ranked(question, scope, vector, self._corpus.live_count, encode_ms)

    def _ranked(
        self, question: Question, scope: Scope, vector: Vector, k: int, encode_ms: float
    ) -> Retrieved:
        started = perf_counter()
        evidence = gather_evidence(question, vector, self._index, self._corpus, self._background, k)
        values = self._model.rank_values(evidence.matrix)
        bare_values = values
        if scope.document_ids:
            named = [self._corpus.sentences[o].document_id in scope.document_ids for o in evidence.ordinals]
            values = values + _NAMED_BONUS * np.array(named)
        relevance = self._model.relevance(values)
        order = np.lexsort((evidence.ordinals, -values))
        ranked = tuple(
            RankedSentence(self._corpus.sentences[int(evidence.ordinals[i])], float(relevance[i]))
            for i in order
        )
        passages = self._passages(evidence, values)
        timings = {"encode": encode_ms, "search": 1e3 * (perf_counter() - started)}
        return Retrieved(ranked, passages, question, evidence, bare_values, timings, bool(scope.document_ids))

    def _passages(self, evidence: Evidence, values: npt.NDArray[np.float64]) -> tuple[Passage, ...]:
        rows_of: dict[int, list[int]] = {}
        for row, ordinal in enumerate(evidence.ordinals.tolist()):
            rows_of.setdefault(self._corpus.sentences[ordinal].chunk_ordinal, []).append(row)
        chunk_values = {chunk: soft_maximum(values[rows]) for chunk, rows in rows_of.items()}
        order = sorted(rows_of, key=lambda chunk: (-chunk_values[chunk], chunk))
        relevance = self._model.relevance(np.array([chunk_values[chunk] for chunk in order]))
        passages: list[Passage] = []
        for rank, ordinal in enumerate(order, 1):
            row = max(rows_of[ordinal], key=lambda row: (values[row], -row))
            chunk = self._corpus.chunks[ordinal]
            cosine = round(float(evidence.cosine[row]), 4)
            raw = {
                name: round(float(value), 4)
                for name, value in zip(FEATURES, evidence.matrix[row], strict=True)
            }
            passages.append(
                Passage(
                    rank,
                    float(relevance[rank - 1]),
                    chunk,
                    self._corpus.document_by_id[chunk.document_id],
                    self._links.to(chunk.document_id, chunk.span),
                    raw | {"rank_value": chunk_values[ordinal], "cosine": cosine},
                )
            )
        return tuple(passages)
