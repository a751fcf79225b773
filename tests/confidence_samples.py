"""What tests of confidence share: the tea corpus as found, models of known numbers, a computable reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from evals.fit.minicorpora import ArmSet
from index.lexical import LexicalIndex
from index.vectors import VectorIndex
from rag.answering.citations import SourceLinks
from rag.answering.generator import RankedSentence
from rag.confidence.model import GROUPS, ConfidenceModel, ConfidenceModels
from rag.corpus import Corpus, build_corpus, window_texts
from rag.question import Question, read_question
from rag.ranking.features import FEATURES, Evidence
from rag.ranking.model import RankingModel
from rag.records import Passage
from rag.retrieval import Retrieved, Retriever
from rag.scope import Scope
from rag.text.terms import index_terms
from tests.counting_encoder import CountingEncoder
from tests.tea_corpus import tea_sources

Floats = npt.NDArray[np.float64]


class SharedCharacters:
    """A reader whose logit is how many different characters of the question stand in the passage."""

    def __init__(self, revision: str = "shared-1") -> None:
        self.revision = revision
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def read(self, question: str, passages: Sequence[Passage]) -> Floats:
        self.asked.append((question, tuple(passage.chunk.text for passage in passages)))
        return np.array([len(set(question) & set(passage.chunk.text)) for passage in passages], np.float64)


@lru_cache(maxsize=1)
def tea_rows() -> Corpus:
    """Four chunks: making tea, its taste, sailing, the lighthouse."""
    return build_corpus(tea_sources(), chunk_max_chars=200)


def arms_of(corpus: Corpus) -> ArmSet:
    """The five arms of a corpus over the counting encoder, in memory."""
    encode = CountingEncoder().encode_passages
    chunks = [chunk.text for chunk in corpus.chunks]
    sentences = [sentence.text for sentence in corpus.sentences]
    return ArmSet(
        VectorIndex.build(encode(chunks)),
        VectorIndex.build(encode(sentences)),
        VectorIndex.build(encode(window_texts(corpus))),
        LexicalIndex.build([index_terms(text) for text in chunks]),
        LexicalIndex.build([index_terms(text) for text in sentences]),
    )


def ranking_by_hand(**weights: float) -> RankingModel:
    """A ranking model with these weights, 0 for the other features, and relevance 1 / (1 + exp(-r))."""
    return RankingModel(np.array([weights.get(name, 0.0) for name in FEATURES]), 1.0, 0.0, {})


def search(
    corpus: Corpus, text: str, *, ranking: RankingModel | None = None, scope: Scope | None = None
) -> Retrieved:
    """What the product's retriever finds, by words alone unless told otherwise."""
    retriever = Retriever(
        corpus,
        arms_of(corpus),
        CountingEncoder(),
        ranking or ranking_by_hand(cover_sentence=2.0, cover_chunk=1.0),
        candidates_per_arm=50,
        links=SourceLinks(),
    )
    return retriever.retrieve(read_question(text), scope or Scope((), text))


def passages_of(corpus: Corpus, chunks: Sequence[int]) -> tuple[Passage, ...]:
    """Chunks as passages, in the order given."""
    return tuple(
        Passage(
            rank,
            0.5,
            corpus.chunks[ordinal],
            corpus.document_by_id[corpus.chunks[ordinal].document_id],
            "",
        )
        for rank, ordinal in enumerate(chunks, 1)
    )


def found_by_hand(
    corpus: Corpus,
    question: Question,
    *,
    sentences: Sequence[int] = (0,),
    chunks: Sequence[int] = (0,),
    relevances: Sequence[float] = (0.5,),
    values: Sequence[float] = (0.0,),
    nearness: Sequence[float] = (0.0, 0.0, 0.0),
    peak: float = 0.0,
) -> Retrieved:
    """A finding in which every number is chosen; `relevances` are repeated as needed."""
    evidence = Evidence(
        np.arange(len(values), dtype=np.int64),
        np.zeros((len(values), len(FEATURES))),
        np.zeros(len(values)),
        np.array(nearness, np.float64),
        peak,
    )
    ranked = tuple(
        RankedSentence(corpus.sentences[ordinal], relevances[place % len(relevances)])
        for place, ordinal in enumerate(sentences)
    )
    return Retrieved(
        ranked, passages_of(corpus, chunks), question, evidence, np.array(values, np.float64), {}
    )


def models_by_hand(
    offsets: Mapping[str, float],
    *,
    points: Sequence[tuple[float, float]] = ((0.1, 0.8), (0.2, 0.6), (0.5, 0.4)),
    weights: Mapping[str, float] | None = None,
    topic: tuple[Sequence[float], float] = ((0.0, 0.0, 1.0, 0.0), -0.5),
    provenance: Mapping[str, str] | None = None,
) -> ConfidenceModels:
    """Models of every group: an offset by the model's name (0 if none), weights by the feature's name."""
    chosen = weights or {}
    return ConfidenceModels(
        {
            name: ConfidenceModel(
                name,
                np.array([chosen.get(feature, 0.0) for feature in features]),
                offsets.get(name, 0.0),
                tuple(points),
            )
            for name, features in GROUPS.items()
        },
        np.array(topic[0]),
        topic[1],
        provenance or {"made": "by hand"},
    )
