"""Cases over news: 60 articles in three small corpora, with questions written for them.

The articles are not part of the project: they are read from a file of news (gzipped JSON lines, `id,
text`) by the ids in `news/articles.json`. The questions are, and say only whether the articles answer
them. Nothing is fitted on these; they measure how confidence carries to another kind of text.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from evals.fit.cases import Case, build_arms, retrieve_all
from evals.fit.reading import CHUNK_MAX_CHARS
from evals.fit.vectors import VectorCache
from rag.corpus import build_corpus
from rag.question import read_question
from rag.ranking.model import RankingModel
from rag.reading.decoding import source_from_text
from rag.scope import ScopeFinder

_HERE = Path(__file__).resolve().parent / "news"


def news_cases(path: Path, cache: VectorCache, model: RankingModel) -> list[Case]:
    """All cases, in file order.

    Args:
        path: The file of news.
        cache: Encodes.
        model: Ranks.
    """
    articles: dict[str, list[str]] = json.loads((_HERE / "articles.json").read_text(encoding="utf-8"))
    lines = (_HERE / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    questions = [json.loads(line) for line in lines]
    texts = _texts(path, {article for ids in articles.values() for article in ids})
    cases: list[Case] = []
    for name, ids in articles.items():
        sources = [source_from_text(f"{article}.txt", texts[article]) for article in ids]
        corpus = build_corpus(sources, chunk_max_chars=CHUNK_MAX_CHARS)
        index = build_arms(corpus, cache)
        scopes = ScopeFinder(corpus)
        asked = [question for question in questions if question["corpus"] == name]
        found = retrieve_all(
            corpus,
            index,
            [(question["question"], scopes.find(question["question"])) for question in asked],
            cache,
            model,
        )
        for question, result in zip(asked, found, strict=True):
            read = read_question(question["question"])
            if read.metadata is None:
                case = Case(
                    name, read, result, index.chunk_terms, question["answerable"], question["trap"], ()
                )
                cases.append(case)
    return cases


def _texts(path: Path, wanted: set[str]) -> dict[str, str]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = (json.loads(line) for line in lines)
        return {row["id"]: row["text"] for row in rows if row["id"] in wanted}
