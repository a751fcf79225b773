"""A filter that few rows pass finds all of them, with the scores they have without it; work is bounded."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.assembly import open_engine
from rag.engine import Engine
from rag.errors import GeneratorError
from rag.question import read_question
from rag.reading.decoding import source_from_text
from rag.records import Passage, Source
from rag.retrieval import Retrieved
from rag.scope import Scope
from tests.counting_encoder import CountingEncoder
from tests.tea_corpus import tea_engine, tea_settings

COUNT = 300
QUERIES = ("春天的茶怎么采？", "船过灯塔要看什么？", "盐和米的价钱")
THINGS = ("茶", "船", "星", "水", "山", "火", "风", "雨", "书", "灯", "米", "盐")
SURNAMES = "赵钱孙李周吴郑王冯陈褚蒋沈韩杨朱"


def author_of(number: int) -> str:
    return f"{SURNAMES[number % 16]}{SURNAMES[number // 16 % 16]}{SURNAMES[number // 256]}"


def sources() -> Iterator[Source]:
    chance = random.Random(7)  # noqa: S311 -- invented text, not a secret
    for number in range(COUNT):
        sentences = [
            f"第{number}号渔村的{'和'.join(chance.choices(THINGS, k=2))}在{chance.randint(1, 28)}日运到。"
            for _ in range(4)
        ]
        paragraphs = "".join(sentences[:2]), "".join(sentences[2:])
        text = "\n\n".join((f"第{number}号见闻", f"■{author_of(number)}", *paragraphs, ""))
        yield source_from_text(f"{number:03}.txt", text)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    settings = tea_settings(tmp_path_factory.mktemp("filtering"), candidates_per_arm=10)
    return open_engine(settings, encoder=CountingEncoder(), sources=tuple(sources()))


@pytest.fixture(scope="module")
def everything(engine: Engine) -> dict[str, tuple[Passage, ...]]:
    """For each query every passage of the corpus, from a search that stops for nothing."""
    return {query: engine.search(query, top_k=10_000) for query in QUERIES}


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[TestClient]:
    app = create_app(lambda: engine)
    with TestClient(app) as opened:
        assert app.state.engine_slot.wait(10)
        yield opened


def facts(passage: Passage) -> tuple[str, float, dict[str, float]]:
    return passage.chunk.chunk_id, passage.score, dict(passage.raw)


def test_every_row_is_reached(engine: Engine, everything: dict[str, tuple[Passage, ...]]) -> None:
    assert len(engine.documents()) == COUNT
    for found in everything.values():
        assert len({passage.chunk.chunk_id for passage in found}) == len(found) == 2 * COUNT
        assert [passage.rank for passage in found] == list(range(1, 2 * COUNT + 1))


def test_no_score_depends_on_the_number_of_candidates(engine: Engine) -> None:
    for query in QUERIES:
        rounds = list(engine._retriever.widening(read_question(query), Scope((), query)))
        assert len(rounds) == 2
        assert 10 <= len(rounds[0].passages) < len(rounds[1].passages) == 2 * COUNT
        first = engine._retriever.retrieve(read_question(query), Scope((), query))
        assert list(map(facts, first.passages)) == list(map(facts, rounds[0].passages))
        whole = {passage.chunk.chunk_id: facts(passage) for passage in rounds[-1].passages}
        relevance = {found.sentence.ordinal: found.relevance for found in rounds[-1].ranked}
        for found in rounds:
            for passage in found.passages:
                assert facts(passage) == whole[passage.chunk.chunk_id]
            for sentence in found.ranked:
                assert sentence.relevance == relevance[sentence.sentence.ordinal]


def test_without_a_filter_nothing_changes(engine: Engine) -> None:
    for query in QUERIES:
        found = engine.search(query, top_k=10)
        rounds = engine._retriever.widening(read_question(query), Scope((), query))
        assert list(map(facts, found)) == list(map(facts, next(rounds).passages[:10]))
        assert engine.search(query, top_k=10, keep=lambda _: True) == found


def test_as_many_candidates_as_there_are_chunks_are_all(engine: Engine) -> None:
    retriever = engine._retriever
    chunks, sentences = len(retriever._corpus.chunks), len(retriever._corpus.sentences)
    assert chunks < sentences
    for query in QUERIES:
        vector = retriever._encoder.encode_queries([query])[0]
        few, many = (
            retriever._ranked(read_question(query), Scope((), query), vector, k, 0.0)
            for k in (chunks, sentences)
        )
        assert list(map(facts, few.passages)) == list(map(facts, many.passages))
        assert few.ranked == many.ranked


class Counted:
    """An engine's rankings and the questions to a filter, counted."""

    def __init__(self, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rankings = 0
        self.asked: list[str] = []
        ranked = engine._retriever._ranked

        def counted(*args: Any) -> Retrieved:
            self.rankings += 1
            return ranked(*args)

        monkeypatch.setattr(engine._retriever, "_ranked", counted)

    def keeping(self, chunk_ids: set[str]) -> Callable[[Passage], bool]:
        def keep(passage: Passage) -> bool:
            self.asked.append(passage.chunk.chunk_id)
            return passage.chunk.chunk_id in chunk_ids

        return keep


@pytest.fixture
def counted(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Counted:
    return Counted(engine, monkeypatch)


@pytest.mark.parametrize("places", [(), (599,), (0, 300), (0, 1, 2), (40, 41, 500, 501)])
def test_a_filter_is_asked_once_about_a_passage_and_two_rankings_are_enough(
    engine: Engine, everything: dict[str, tuple[Passage, ...]], counted: Counted, places: tuple[int, ...]
) -> None:
    for query in QUERIES:
        counted.rankings, counted.asked = 0, []
        order = [passage.chunk.chunk_id for passage in everything[query]]
        wanted = [order[place] for place in places]
        found = engine.search(query, top_k=3, keep=counted.keeping(set(wanted)))
        assert [passage.chunk.chunk_id for passage in found] == wanted[:3]
        assert [passage.rank for passage in found] == list(range(1, len(found) + 1))
        assert len(counted.asked) == len(set(counted.asked))
        assert counted.rankings == (1 if places == (0, 1, 2) else 2)
        if places == (0, 1, 2):  # nobody asks about what comes after the last that is wanted
            assert counted.asked == wanted
        elif len(places) < 3:
            assert set(counted.asked) == set(order)


def test_a_search_without_a_filter_ranks_once_where_that_is_all_it_takes(
    engine: Engine,
    tmp_path: Path,
    counted: Counted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine.search(QUERIES[0], top_k=10)
    assert counted.rankings == 1
    engine.search(QUERIES[0], top_k=2 * COUNT + 1)
    assert counted.rankings == 3
    small = tea_engine(tmp_path)
    of_small = Counted(small, monkeypatch)
    assert 0 < len(small.search("茶汤为什么发苦？", top_k=50)) < 50
    assert of_small.rankings == 1
    assert small.search("茶汤为什么发苦？", top_k=50, keep=of_small.keeping(set())) == ()
    assert of_small.rankings == 2  # one for each search


def test_typed_parts_are_asked_about_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = tea_engine(tmp_path)
    (byline, *rest) = small.search("《制茶三法》的作者是谁？", top_k=50)
    assert byline.chunk.ordinal == -1
    assert rest
    counting = Counted(small, monkeypatch)
    keep = counting.keeping({byline.chunk.chunk_id})
    assert small.search("《制茶三法》的作者是谁？", top_k=50, keep=keep) == (byline,)
    assert sorted(counting.asked) == sorted(one.chunk.chunk_id for one in (byline, *rest))


def test_who_leaves_stops_the_search(engine: Engine, counted: Counted) -> None:
    def stopped(after: int) -> None:
        """Leave at this look of the engine, the first being number 0."""
        counted.rankings, counted.asked = 0, []
        looks = iter([*[False] * after, True])
        with pytest.raises(GeneratorError, match="已经离开") as caught:
            engine.search(QUERIES[0], keep=counted.keeping(set()), cancelled=lambda: next(looks))
        assert caught.value.code == "generator_cancelled"

    stopped(0)
    assert (counted.rankings, counted.asked) == (0, [])
    stopped(1)
    assert (counted.rankings, counted.asked) == (1, [])
    asked, looks, went_on = [0], 2, True
    while went_on:
        stopped(looks)
        # Never more than a hundred questions from one look to the next.
        assert asked[-1] <= len(counted.asked) <= asked[-1] + 100
        asked.append(len(counted.asked))
        looks, went_on = looks + 1, len(counted.asked) < 2 * COUNT
    assert counted.rankings == 2


@pytest.mark.parametrize("number", [0, 17, 123, 299])
def test_the_passages_of_one_author_are_found(
    client: TestClient, everything: dict[str, tuple[Passage, ...]], number: int
) -> None:
    for query in QUERIES:
        records = retrieve(client, query, {"name": "authors", "operator": "is", "value": author_of(number)})
        wanted = [passage for passage in everything[query] if author_of(number) in passage.document.authors]
        assert [(record["metadata"]["chunk_id"], record["score"]) for record in records] == [
            (passage.chunk.chunk_id, passage.score) for passage in wanted
        ]
        assert len(records) == 2


@pytest.mark.parametrize(
    ("name", "operator", "value"),
    [
        ("source", "in", [f"{number:03}.txt" for number in range(0, COUNT, 14)]),
        ("title", "start with", "第29"),
        ("authors", "start with", "朱朱"),
        ("start_line", "<", 1),
        ("affiliation", "not contains", "学院"),
    ],
)
def test_a_filter_with_fewer_rows_than_asked_for_gives_all_of_them(
    client: TestClient,
    everything: dict[str, tuple[Passage, ...]],
    name: str,
    operator: str,
    value: Any,
) -> None:
    tests: dict[str, Callable[[Passage], bool]] = {
        "source": lambda passage: passage.document.source.name in value,
        "title": lambda passage: passage.document.label.startswith("第29"),
        "authors": lambda passage: passage.document.authors[0].startswith("朱朱"),
        "start_line": lambda _: False,
        "affiliation": lambda _: False,
    }
    for query in QUERIES:
        records = retrieve(client, query, {"name": name, "operator": operator, "value": value})
        wanted = [passage.chunk.chunk_id for passage in everything[query] if tests[name](passage)]
        assert len(wanted) < 50
        assert [record["metadata"]["chunk_id"] for record in records] == wanted


def test_top_k_is_filled_where_enough_rows_pass(client: TestClient) -> None:
    for query in QUERIES:
        records = retrieve(client, query, {"name": "paragraph", "operator": "=", "value": 2})
        assert len(records) == 50
        assert {record["metadata"]["paragraph"] for record in records} == {2}
        scores = [record["score"] for record in records]
        assert scores == sorted(scores, reverse=True)


def test_the_threshold_holds_beside_a_filter(
    client: TestClient, everything: dict[str, tuple[Passage, ...]]
) -> None:
    (query, *_) = QUERIES
    condition = {"name": "title", "operator": "start with", "value": "第29"}
    scores = [record["score"] for record in retrieve(client, query, condition)]
    threshold = scores[len(scores) // 2]
    kept = retrieve(client, query, condition, score_threshold=threshold)
    assert [record["score"] for record in kept] == [score for score in scores if score >= threshold]


def retrieve(
    client: TestClient, query: str, condition: dict[str, Any], **setting: Any
) -> list[dict[str, Any]]:
    body = {
        "knowledge_id": "default",
        "query": query,
        "retrieval_setting": {"top_k": 50, "score_threshold": 0.0} | setting,
        "metadata_condition": {
            "conditions": [
                {
                    "name": condition["name"],
                    "comparison_operator": condition["operator"],
                    "value": condition["value"],
                }
            ]
        },
    }
    reply = client.post("/retrieval", json=body)
    assert reply.status_code == 200, reply.text
    records: list[dict[str, Any]] = reply.json()["records"]
    return records
