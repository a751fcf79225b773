"""Questions put to corpora, with what search finds for each: what reader and confidence are fitted on.

Every case goes through the product's own rows, arms, follow-up rules and retriever. Corpora come as folders
(`documents/`, `questions.jsonl` in the format of the evaluation) or as small corpora made of reading
passages.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evals.fit.examples import CANDIDATES_PER_ARM
from evals.fit.minicorpora import ArmSet
from evals.fit.reading import CHUNK_MAX_CHARS
from evals.fit.vectors import VectorCache
from evals.schema import Question as AskedQuestion
from evals.schema import load_questions
from index.lexical import LexicalIndex
from index.vectors import VectorIndex
from rag.answering.citations import SourceLinks
from rag.corpus import Corpus, build_corpus, read_folder, window_texts
from rag.dialogue.followup import resolve_followup
from rag.question import Question, read_question
from rag.ranking.model import RankingModel
from rag.records import Passage
from rag.retrieval import Retrieved, Retriever
from rag.scope import Scope, ScopeFinder
from rag.text.folding import squeeze
from rag.text.terms import index_terms

_NO_SCOPE: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One question put to one corpus.

    Attributes:
        corpus: The corpus's name; splits go by it.
        question: As asked, completed from the conversation.
        found: What search found.
        arm: The corpus's terms, by chunk.
        answerable: Whether the corpus answers it.
        trap: For an unanswerable one its sort: "near-topic", "false-premise", "off-topic" or how it was made.
        evidence: Spans without white space, of which a passage must hold one to answer.
    """

    corpus: str
    question: Question
    found: Retrieved
    arm: LexicalIndex
    answerable: bool
    trap: str
    evidence: tuple[str, ...]


class FixedVector:
    """An encoder that gives the vector it is told to; everything was encoded before."""

    def __init__(self, name: str, dimension: int) -> None:
        self.name, self.revision, self.dimension = name, "", dimension
        self.vector: npt.NDArray[np.float32] = np.zeros(dimension, np.float32)

    def encode_queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """The vector, once for each text."""
        return np.stack([self.vector] * len(texts))

    def encode_passages(self, texts: Sequence[str], progress: object = None) -> npt.NDArray[np.float32]:
        """Not to be asked."""
        raise NotImplementedError(f"{len(texts)} passages and {progress}: rows are encoded beforehand")

    def count_tokens(self, text: str) -> int:
        """Not to be asked."""
        raise NotImplementedError(f"tokens of {len(text)} characters: nothing here counts them")


def cases_of_folder(folder: Path, cache: VectorCache, model: RankingModel) -> list[Case]:
    """Every question of a folder but those about a document itself, which typed parts answer.

    Args:
        folder: Holds `documents/` and `questions.jsonl`.
        cache: Encodes.
        model: Ranks.
    """
    corpus = build_corpus(read_folder(folder / "documents"), chunk_max_chars=CHUNK_MAX_CHARS)
    index = build_arms(corpus, cache)
    scopes = ScopeFinder(corpus)
    questions = [asked for file in load_questions([folder / "questions.jsonl"]) for asked in file.questions]
    texts = [resolve_followup(asked.question, asked.history) for asked in questions]
    found = retrieve_all(corpus, index, [(text, scopes.find(text)) for text in texts], cache, model)
    return [
        Case(
            folder.name,
            read_question(text),
            result,
            index.chunk_terms,
            asked.answerable,
            _trap(asked),
            tuple(span for piece in asked.evidence for span in piece),
        )
        for asked, text, result in zip(questions, texts, found, strict=True)
        if read_question(text).metadata is None
    ]


def build_arms(corpus: Corpus, cache: VectorCache) -> ArmSet:
    """The five arms of a corpus, in memory."""
    chunks = [chunk.text for chunk in corpus.chunks]
    sentences = [sentence.text for sentence in corpus.sentences]
    return ArmSet(
        VectorIndex.build(cache.passages(chunks)),
        VectorIndex.build(cache.passages(sentences)),
        VectorIndex.build(cache.passages(window_texts(corpus))),
        LexicalIndex.build([index_terms(text) for text in chunks]),
        LexicalIndex.build([index_terms(text) for text in sentences]),
    )


def retrieve_all(
    corpus: Corpus,
    index: ArmSet,
    asked: Sequence[tuple[str, Scope]],
    cache: VectorCache,
    model: RankingModel,
) -> Iterator[Retrieved]:
    """What the product's retriever finds for each question."""
    vectors = cache.queries([scope.rest for _, scope in asked])
    encoder = FixedVector(cache.encoder_name, vectors.shape[1])
    retriever = Retriever(
        corpus, index, encoder, model, candidates_per_arm=CANDIDATES_PER_ARM, links=SourceLinks()
    )
    for (text, scope), vector in zip(asked, vectors, strict=True):
        encoder.vector = vector
        yield retriever.retrieve(replace(read_question(scope.rest), kind=read_question(text).kind), scope)


def no_scope(text: str) -> Scope:
    """The scope of a question in a corpus without names."""
    return Scope(_NO_SCOPE, text)


def holds_evidence(passage: Passage, evidence: Sequence[str]) -> bool:
    """Whether a passage holds at least half of one of the spans, from its start or to its end."""
    text = squeeze(passage.chunk.text)
    return any(
        span[: len(span) // 2 + 1] in text or span[-(len(span) // 2 + 1) :] in text for span in evidence
    )


def _trap(asked: AskedQuestion) -> str:
    traps = ("near-topic", "false-premise", "off-topic")
    return next((trap for trap in traps if trap in asked.slices), "")
