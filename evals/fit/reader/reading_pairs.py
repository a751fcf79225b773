"""Pairs from reading comprehension: passages that hold the answer, and four sorts of passages that do not.

*same*: another chunk of the article; *other*: the likest chunk of another article; *title*: the question with
its article's title replaced by that of another, put to that other article; *spoilt*: the right chunk, the
question changed (`perturbing`). An article stays on one side of every split.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evals.fit.reader.pairs import Pair, Split, split_of, title_key
from evals.fit.reader.perturbing import Perturber
from evals.fit.reading import CHUNK_MAX_CHARS
from rag.chunking import chunk_ranges
from rag.text.folding import fold, squeeze

_SEED = 11
_NEIGHBOURS = 40
_SAME, _OTHER, _TITLE, _SPOILT, _PRESUMING, _ENGLISH, _REWORDED = 0.5, 0.3, 0.5, 0.75, 0.15, 0.5, 0.6


@dataclass(frozen=True)
class _Chunk:
    passage_id: str
    title: str
    text: str
    squeezed: str


@dataclass(frozen=True)
class _Asked:
    text: str
    english: str | None
    title: str
    answers: tuple[str, ...]
    home: int


class ReadingPairs:
    """The pairs of a reading set.

    Args:
        path: Gzipped JSON lines (`title, passage_id, passage, question, question_en?, answers`).
        split: Whose articles.
    """

    def __init__(self, path: Path, split: Split = "train") -> None:
        self._random = random.Random(_SEED)
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [row for line in lines if split_of((row := json.loads(line))["title"]) == split]
        self._chunks = _chunks(rows)
        self._asked = self._questions(rows)
        self._perturber = Perturber([asked.text for asked in self._asked], self._random)
        self._near = self._neighbours([asked.text for asked in self._asked])
        self._named = self._renamed()

    def pairs(self) -> list[Pair]:
        """All pairs, in a fixed order."""
        made: list[Pair] = []
        for place, asked in enumerate(self._asked):
            home = self._chunks[asked.home]
            use_english = asked.english is not None and self._random.random() < _ENGLISH
            text = asked.english if use_english and asked.english else self._perturber.reworded(asked.text)
            made.append(Pair(text, self._shown(home), True, asked.answers))
            made += [Pair(question, passage, False) for question, passage in self._negatives(place, asked)]
        return made

    def _negatives(self, place: int, asked: _Asked) -> list[tuple[str, str]]:
        answers = [squeeze(fold(answer)) for answer in asked.answers]
        here = title_key(asked.title)
        near = [self._chunks[row] for row in self._near[place]]
        free = [chunk for chunk in near if not any(answer in chunk.squeezed for answer in answers)]
        same = [chunk for chunk in free if title_key(chunk.title) == here][:3]
        other = [chunk for chunk in free if title_key(chunk.title) != here][:5]
        chance, choose = self._random.random, self._random.choice
        made: list[tuple[str | None, _Chunk]] = []
        if same and chance() < _SAME:
            made.append((asked.text, choose(same)))
        if other and chance() < _OTHER:
            made.append((asked.text, choose(other)))
        if place in self._named and chance() < _TITLE:
            made.append(self._named[place])
        if chance() < _SPOILT:
            spoilt = self._perturber.spoilt(asked.text, "".join(answers))
            made.append((spoilt, self._chunks[asked.home]))
        if chance() < _PRESUMING:
            made.append((self._perturber.presuming(self._chunks[asked.home].text), self._chunks[asked.home]))
        return [(self._styled(question), self._shown(chunk)) for question, chunk in made if question]

    def _styled(self, question: str) -> str:
        return self._perturber.reworded(question) if self._random.random() < _REWORDED else question

    def _shown(self, chunk: _Chunk) -> str:
        """The chunk, every other time under its title, as passages of titled documents are read."""
        return f"《{title_key(chunk.title)}》{chunk.text}" if self._random.random() < 0.5 else chunk.text

    def _questions(self, rows: Sequence[dict[str, Any]]) -> list[_Asked]:
        of_passage: dict[str, list[int]] = defaultdict(list)
        for place, chunk in enumerate(self._chunks):
            of_passage[chunk.passage_id].append(place)
        made: list[_Asked] = []
        for row in rows:
            answers = [squeeze(fold(answer)) for answer in row["answers"]]
            homes = [
                place
                for place in of_passage[row["passage_id"]]
                if any(answer in self._chunks[place].squeezed for answer in answers)
            ]
            if homes:
                shared = set(squeeze(fold(row["question"])))
                home = max(homes, key=lambda place: len(shared & set(self._chunks[place].squeezed)))
                made.append(
                    _Asked(row["question"], row.get("question_en"), row["title"], tuple(row["answers"]), home)
                )
        return made

    def _neighbours(self, questions: Sequence[str]) -> list[list[int]]:
        """For each question the chunks that share most of its character pairs (tf-idf), best first."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(analyzer=_pairs_of, sublinear_tf=True)
        self._matrix = self._vectorizer.fit_transform([chunk.squeezed for chunk in self._chunks])
        asked = self._vectorizer.transform([squeeze(fold(question)) for question in questions])
        found: list[list[int]] = []
        for start in range(0, len(questions), 500):
            scores = (asked[start : start + 500] @ self._matrix.T).toarray()
            best = np.argsort(-scores, axis=1, kind="stable")[:, :_NEIGHBOURS]
            found += [row.tolist() for row in best]
        return found

    def _renamed(self) -> dict[int, tuple[str, _Chunk]]:
        """Questions that name their title, put to another article under its title."""
        named = [
            place
            for place, asked in enumerate(self._asked)
            if len(title_key(asked.title)) >= 2 and title_key(asked.title) in fold(asked.text)
        ]
        of_title: dict[str, list[int]] = defaultdict(list)
        for row, chunk in enumerate(self._chunks):
            of_title[title_key(chunk.title)].append(row)
        found: dict[int, tuple[str, _Chunk]] = {}
        for place in named:
            own = title_key(self._asked[place].title)
            other = title_key(self._asked[self._random.choice(named)].title)
            if other != own:
                text = fold(self._asked[place].text).replace(own, other)
                rows = of_title[other]
                scores = (
                    (self._matrix[rows] @ self._vectorizer.transform([squeeze(text)]).T).toarray().ravel()
                )
                found[place] = (text, self._chunks[rows[int(scores.argmax())]])
        return found


def _pairs_of(text: str) -> list[str]:
    return [text[place : place + 2] for place in range(len(text) - 1)]


def _chunks(rows: Sequence[dict[str, Any]]) -> list[_Chunk]:
    passages = {row["passage_id"]: row for row in reversed(rows)}
    made: list[_Chunk] = []
    for passage_id, row in sorted(passages.items()):
        text = row["passage"].replace("\n", " ")
        for start, end in chunk_ranges(text, CHUNK_MAX_CHARS):
            piece = text[start:end].strip()
            if len(piece) >= 8:
                made.append(_Chunk(passage_id, row["title"], piece, squeeze(fold(piece))))
    return made
