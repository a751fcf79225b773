"""Cases from reading comprehension: questions to small corpora, whole, without their passage, or changed.

Only articles that neither ranking nor reader was trained on: those of the calibration or the test side of the
reader's split.
"""

from __future__ import annotations

from pathlib import Path

from evals.fit.cases import Case, no_scope, retrieve_all
from evals.fit.examples import Put, put_questions
from evals.fit.minicorpora import MiniCorpusMaker, group_articles
from evals.fit.ranking import row_vectors
from evals.fit.reader.pairs import Split
from evals.fit.reading import articles_of_split
from evals.fit.vectors import VectorCache
from rag.question import read_question
from rag.ranking.model import RankingModel
from rag.text.folding import squeeze


def _stands_elsewhere(put: Put) -> bool:
    """Whether an answer stands in what is left of the corpus after its passage was left out."""
    texts = [squeeze(chunk.text) for chunk in put.mini.corpus.chunks]
    return any(squeeze(answer) in text for answer in put.asked.answers for text in texts)


def reading_cases(
    path: Path, split: Split, cache: VectorCache, model: RankingModel, *, max_passages: int
) -> list[Case]:
    """Cases over the articles of one side of the split.

    Args:
        path: The reading set.
        split: Which side.
        cache: Encodes.
        model: Ranks.
        max_passages: How many passages to take, about.
    """
    articles = articles_of_split(path, split, max_passages)
    maker = MiniCorpusMaker(articles, row_vectors(articles, cache))
    cases: list[Case] = []
    for put in put_questions(articles, group_articles(articles), maker):
        question = read_question(put.text)
        if question.metadata is not None:
            continue
        (found,) = retrieve_all(
            put.mini.corpus, put.mini.index, [(put.text, no_scope(put.text))], cache, model
        )
        answerable = put.made == "answerable"
        if put.made == "left out" and _stands_elsewhere(put):
            continue
        trap = "" if answerable else "swapped" if put.made == "swapped" else "near" if put.near else "other"
        evidence = tuple(squeeze(answer) for answer in put.asked.answers) if answerable else ()
        name = f"reading-{put.corpus}"
        cases.append(Case(name, question, found, put.mini.index.chunk_terms, answerable, trap, evidence))
    return cases
