"""Small collections out of reading passages, each with questions that it answers and that it does not.

What calibrating one collection is measured on (`python -m evals.fit collections`). An article gives half of
its passages to the collection and keeps the others back. Questions about the first are answered; questions
about the others are not, though the article is there (near-topic); nor are those about articles of other
collections.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evals.fit.cases import Case, no_scope, retrieve_all
from evals.fit.minicorpora import MiniCorpus, MiniCorpusMaker
from evals.fit.ranking import row_vectors
from evals.fit.reader.pairs import Split
from evals.fit.reading import Article, Asked, articles_of_split
from evals.fit.vectors import VectorCache
from rag.question import read_question
from rag.ranking.model import RankingModel
from rag.text.folding import squeeze

_SEED = 29
_PASSAGES_EACH = 30
_ANSWERED_EACH, _NEAR_EACH, _OTHER_EACH = 60, 40, 20
_EVERY_PASSAGE = 10_000


def collection_cases(
    path: Path, split: Split, cache: VectorCache, model: RankingModel, *, collections: int
) -> list[list[Case]]:
    """The cases of each collection, answerable ones first.

    Args:
        path: The reading set.
        split: Which side of the reader's split; nothing that is shipped has seen any of "test".
        cache: Encodes.
        model: Ranks.
        collections: How many; as many as there are articles for, at most.
    """
    articles = [
        article
        for article in articles_of_split(path, split, _EVERY_PASSAGE)
        if len(article.passage_ids) > 1  # one passage alone leaves nothing near to ask about
    ]
    groups = _grouped(articles)[:collections]
    generator = random.Random(_SEED)
    halves = [[_halved(article, generator) for article in group] for group in groups]
    kept = [half for group in halves for half, _ in group]
    maker = MiniCorpusMaker(kept, row_vectors(kept, cache))
    found: list[list[Case]] = []
    first = 0
    for number, group in enumerate(halves):
        mini = maker.make(range(first, first + len(group)), ())
        first += len(group)
        elsewhere = [
            asked
            for other in (*groups[:number], *groups[number + 1 :])
            for article in other
            for asked in article.questions
        ]
        chosen = _chosen(mini, group, elsewhere, generator)
        found.append(
            [
                case
                for trap, asked in chosen.items()
                for case in _cases(f"collection-{number}", mini, asked, trap, cache, model)
            ]
        )
    return found


def _grouped(articles: Sequence[Article]) -> list[list[Article]]:
    """Articles, so many together that half of their passages make a collection."""
    groups: list[list[Article]] = [[]]
    passages = 0
    for article in articles:
        groups[-1].append(article)
        passages += len(article.passage_ids)
        if passages >= 2 * _PASSAGES_EACH:
            groups.append([])
            passages = 0
    return groups[:-1]  # the last one is not full


def _halved(article: Article, generator: random.Random) -> tuple[Article, list[Asked]]:
    """The article with half of its passages, and the questions about the others."""
    places = sorted(generator.sample(range(len(article.passage_ids)), len(article.passage_ids) // 2))
    ids = tuple(article.passage_ids[place] for place in places)
    passages = tuple(article.passages[place] for place in places)
    inside = tuple(asked for asked in article.questions if asked.passage_id in ids)
    half = replace(article, passage_ids=ids, passages=passages, questions=inside)
    return half, [asked for asked in article.questions if asked.passage_id not in ids]


def _chosen(
    mini: MiniCorpus,
    group: Sequence[tuple[Article, list[Asked]]],
    elsewhere: Sequence[Asked],
    generator: random.Random,
) -> dict[str, list[Asked]]:
    """Questions to put, by trap; "" for answerable ones."""
    texts = [squeeze(chunk.text) for chunk in mini.corpus.chunks]
    inside = [asked for half, _ in group for asked in half.questions]
    # What stands in the kept half as well may be answered by it.
    near = [asked for _, out in group for asked in out if not _stands_in(asked, texts)]
    return {
        "": _some(inside, _ANSWERED_EACH, generator),
        "near": _some(near, _NEAR_EACH, generator),
        "other": _some(elsewhere, _OTHER_EACH, generator),
    }


def _cases(
    name: str, mini: MiniCorpus, chosen: Sequence[Asked], trap: str, cache: VectorCache, model: RankingModel
) -> list[Case]:
    asked = [one for one in chosen if read_question(one.text).metadata is None]
    results = retrieve_all(
        mini.corpus, mini.index, [(one.text, no_scope(one.text)) for one in asked], cache, model
    )
    return [
        Case(
            name,
            read_question(one.text),
            found,
            mini.index.chunk_terms,
            not trap,
            trap,
            () if trap else tuple(squeeze(answer) for answer in one.answers),
        )
        for one, found in zip(asked, results, strict=True)
    ]


def _stands_in(asked: Asked, texts: Sequence[str]) -> bool:
    return any(squeeze(answer) in text for answer in asked.answers for text in texts)


def _some(asked: Sequence[Asked], count: int, generator: random.Random) -> list[Asked]:
    return generator.sample(asked, min(count, len(asked)))
