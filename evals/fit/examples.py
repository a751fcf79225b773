"""Examples for the two models: questions whose evidence is known, and questions made unanswerable.

Unanswerable questions are made in two ways. *Left out*: the passage that holds the answer is not in the
corpus (others of its article are: near-topic; or none: off-topic). *Swapped*: one rare word of an
answerable question is replaced by a rare word of the same length from another article's question.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from evals.fit.minicorpora import MiniCorpus, MiniCorpusMaker
from evals.fit.reading import Article, Asked
from rag.question import read_question
from rag.ranking.background import Background
from rag.ranking.features import Evidence, gather_evidence
from rag.text.folding import squeeze

Made = Literal["answerable", "left out", "swapped"]
Encode = Callable[[Sequence[str]], npt.NDArray[np.float32]]
CANDIDATES_PER_ARM = 50

_SEED = 5
_LEFT_OUT_SHARE, _SWAPPED_SHARE, _ENGLISH_SHARE = 0.5, 0.3, 0.5
_RARE_IDF = 1.5


@dataclass(frozen=True)
class Example:
    """One question put to one corpus.

    Attributes:
        corpus: Number of the corpus; splits go by it.
        made: How it came about.
        near: Whether other passages of its article are in the corpus.
        positive: Which candidates hold the answer, bool, shape (n,).
        chunks: Chunk ordinal of each candidate.
    """

    corpus: int
    made: Made
    near: bool
    evidence: Evidence
    positive: npt.NDArray[np.bool_]
    chunks: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Put:
    """A question to be put to a small corpus; see `Example` for the fields."""

    corpus: int
    made: Made
    near: bool
    text: str
    asked: Asked
    mini: MiniCorpus


def make_examples(
    articles: Sequence[Article],
    groups: Sequence[Sequence[int]],
    maker: MiniCorpusMaker,
    background: Background,
    encode: Encode,
) -> list[Example]:
    """All examples, in a fixed order."""
    put = put_questions(articles, groups, maker)
    vectors = encode([each.text for each in put])
    return [_example(each, vector, background) for each, vector in zip(put, vectors, strict=True)]


def put_questions(
    articles: Sequence[Article], groups: Sequence[Sequence[int]], maker: MiniCorpusMaker
) -> list[Put]:
    """Every question as it is or changed, to its corpus whole or without its passage; in a fixed order."""
    generator = random.Random(_SEED)
    everything = [asked for article in articles for asked in article.questions]
    put: list[Put] = []
    for number, positions in enumerate(groups):
        passages = [passage for position in positions for passage in articles[position].passage_ids]
        left_out = {passage for passage in passages if generator.random() < _LEFT_OUT_SHARE}
        for missing in (set[str](), left_out):
            mini = maker.make(positions, missing)
            for position in positions:
                near = any(passage not in missing for passage in articles[position].passage_ids)
                for asked in articles[position].questions:
                    if missing and asked.passage_id not in missing:
                        continue
                    made, text = _variant(asked, mini, everything, generator, answerable=not missing)
                    if text:
                        put.append(Put(number, made, near, text, asked, mini))
    return put


def _variant(
    asked: Asked, mini: MiniCorpus, everything: Sequence[Asked], generator: random.Random, *, answerable: bool
) -> tuple[Made, str]:
    if answerable and generator.random() < _SWAPPED_SHARE:
        return "swapped", _swapped(asked, mini, everything, generator)
    text = asked.english if asked.english and generator.random() < _ENGLISH_SHARE else asked.text
    return ("answerable" if answerable else "left out"), text


def _swapped(asked: Asked, mini: MiniCorpus, everything: Sequence[Asked], generator: random.Random) -> str:
    """The question with one rare word exchanged, or "" if it has none to exchange."""
    answers = "".join(asked.answers)
    rare = [
        word
        for word in read_question(asked.text).words
        if len(word) >= 2
        and word in asked.text
        and word not in answers
        and mini.index.chunk_terms.idf(word) > _RARE_IDF
    ]
    if not rare:
        return ""
    old = generator.choice(rare)
    for _ in range(60):
        other = generator.choice(everything)
        words = [
            word
            for word in read_question(other.text).words
            if len(word) == len(old) and not set(word) & set(old) and word.isdigit() == old.isdigit()
        ]
        if words and other.passage_id != asked.passage_id:
            return asked.text.replace(old, generator.choice(words))
    return ""


def _example(put: Put, vector: npt.NDArray[np.float32], background: Background) -> Example:
    mini = put.mini
    question = read_question(put.text)
    evidence = gather_evidence(question, vector, mini.index, mini.corpus, background, CANDIDATES_PER_ARM)
    answers = [squeeze(answer) for answer in put.asked.answers]
    rows = evidence.ordinals.tolist()
    positive = np.array(
        [
            put.made == "answerable"
            and mini.passage_of[row] == put.asked.passage_id
            and any(answer in squeeze(mini.corpus.sentences[row].text) for answer in answers)
            for row in rows
        ]
    )
    chunks = np.array([mini.corpus.sentences[row].chunk_ordinal for row in rows], np.int64)
    return Example(put.corpus, put.made, put.near, evidence, positive, chunks)
