"""The data that weights are fitted on: reading-comprehension passages grouped by article.

Input is gzipped JSON lines with `source, title, passage_id, passage, question, question_en?, answers`
(CMRC 2018, DRCD, XQuAD; see `evals/fit/README.md`). An article stays on one side of every split.
"""

from __future__ import annotations

import gzip
import json
import random
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from evals.fit.reader.pairs import Split, split_of
from rag.corpus import Corpus, build_corpus
from rag.reading.decoding import source_from_text

_WANTED = (("cmrc", 520), ("drcd", 300), ("xqua", 160))
"""Passages to take from each source, by the first four letters of its name."""
_SEED = 7
CHUNK_MAX_CHARS = 200


@dataclass(frozen=True)
class Asked:
    """One question: its text, its English twin if there is one, its passage and its answers."""

    text: str
    english: str | None
    passage_id: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Article:
    """Passages of one article as one document, and the questions about them.

    Attributes:
        passage_ids: In order; paragraph n of the document is passage n - 1.
    """

    source: str
    title: str
    passage_ids: tuple[str, ...]
    passages: tuple[str, ...]
    questions: tuple[Asked, ...]

    @cached_property
    def corpus(self) -> Corpus:
        """The article's rows."""
        text = "\n".join(" ".join(passage.split("\n")) for passage in self.passages)
        return build_corpus([source_from_text(self.title, text)], chunk_max_chars=CHUNK_MAX_CHARS)


def articles_of_split(path: Path, split: Split, max_passages: int) -> list[Article]:
    """The articles of one side of the reader's split, in a fixed random order, up to a number of passages."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [row for line in lines if split_of((row := json.loads(line))["title"]) == split]
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        grouped.setdefault((row["source"][:4], row["title"]), []).append(row)
    keys = sorted(grouped)
    random.Random(_SEED).shuffle(keys)
    articles: list[Article] = []
    for key in keys:
        if sum(len(article.passage_ids) for article in articles) >= max_passages:
            break
        articles.append(_article(key, grouped[key]))
    return articles


def read_articles(path: Path) -> list[Article]:
    """A fixed random sample of the articles of a reading set, about 980 passages."""
    grouped: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            grouped.setdefault((row["source"][:4], row["title"]), []).append(row)
    generator = random.Random(_SEED)
    articles: list[Article] = []
    for source, wanted in _WANTED:
        keys = [key for key in grouped if key[0] == source]
        generator.shuffle(keys)
        taken = 0
        for key in keys:
            articles.append(_article(key, grouped[key]))
            taken += len(articles[-1].passage_ids)
            if taken >= wanted:
                break
    return articles


def _article(key: tuple[str, str], rows: list[dict[str, Any]]) -> Article:
    passages: dict[str, str] = {}
    for row in rows:
        passages.setdefault(row["passage_id"], row["passage"])
    asked = tuple(
        Asked(row["question"], row.get("question_en"), row["passage_id"], tuple(row["answers"]))
        for row in rows
    )
    return Article(key[0], key[1], tuple(passages), tuple(passages.values()), asked)
