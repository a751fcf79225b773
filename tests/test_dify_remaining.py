"""What a filter keeps out is not told by the answer either."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.dify.remaining import remaining_answer
from rag.answering.gate import Checked
from rag.answering.rendering import answer_parts
from rag.records import Answer, AnswerSentence, Citation
from tests.api_fakes import LIGHTHOUSE, TEA, FakeEngine, client_for

QUOTE = "守塔人每天傍晚点灯，清晨熄灯。"


def sentence(text: str, *numbers: int) -> AnswerSentence:
    return AnswerSentence(text, numbers, "supported")


SAID = (
    sentence("一是点灯。", 1),
    sentence("二是看潮。", 2, 3),
    sentence("三是熄灯。", 1),
    sentence("One is dry.", 4),
    sentence("Two is wet.", 3),
    sentence("一是点灯。", 3),
    sentence("Three.", 4),
)
LAYOUT = (False, True, False, False, False, True, False)
TEXT = "一是点灯。[1]\n二是看潮。[2][3]三是熄灯。[1]One is dry.[4] Two is wet.[3]\n一是点灯。[3]Three.[4]"


def answer_of(
    sentences: tuple[AnswerSentence, ...], layout: tuple[bool, ...], citations: tuple[Citation, ...] = ()
) -> Answer:
    """An answer whose text is put together as the product does it."""
    numbers = sorted({number for said in sentences for number in said.citations})
    (cited,) = FakeEngine().ask(QUOTE).citations
    return replace(
        FakeEngine().ask(QUOTE),
        answer="".join(answer_parts(Checked(sentences, (), (), layout))),
        sentences=sentences,
        citations=citations or tuple(replace(cited, number=number) for number in numbers),
    )


def test_the_example_is_what_the_product_makes_of_it() -> None:
    assert answer_of(SAID, LAYOUT).answer == TEXT


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ({1, 2, 3, 4}, TEXT),
        ({1, 3, 4}, "一是点灯。[1]\n三是熄灯。[1]One is dry.[4] Two is wet.[3]\n一是点灯。[3]Three.[4]"),
        ({1, 4}, "一是点灯。[1]\n三是熄灯。[1]One is dry.[4]\nThree.[4]"),
        ({2, 3}, "二是看潮。[2][3]Two is wet.[3]\n一是点灯。[3]"),
        ({3}, "Two is wet.[3]\n一是点灯。[3]"),
        ({4}, "One is dry.[4]\nThree.[4]"),
        ({1}, "一是点灯。[1]\n三是熄灯。[1]"),
        ({2}, None),
        (set(), None),
    ],
)
def test_sentences_stay_if_all_their_citations_do(numbers: set[int], expected: str | None) -> None:
    assert remaining_answer(answer_of(SAID, LAYOUT), numbers) == expected


WORDS = st.sampled_from(["灯塔。", "潮水！", "Tea.", "盐", "灯塔。[9]"])
ROWS = st.lists(
    st.tuples(WORDS, st.lists(st.integers(1, 5), min_size=1, max_size=3, unique=True), st.booleans()),
    min_size=1,
    max_size=6,
)


@given(rows=ROWS, numbers=st.sets(st.integers(1, 5)))
def test_what_stays_is_joined_as_an_answer_of_it_alone(
    rows: list[tuple[str, list[int], bool]], numbers: set[int]
) -> None:
    whole = answer_of(tuple(sentence(text, *marks) for text, marks, _ in rows), tuple(row[2] for row in rows))
    if numbers.issuperset(number for _, marks, _ in rows for number in marks):
        assert remaining_answer(whole, numbers) == whole.answer
        return
    kept, layout, starts = [], [], False
    for place, said in enumerate(whole.sentences):
        starts = starts or (place > 0 and rows[place][2])
        if numbers.issuperset(said.citations):
            kept.append(said)
            layout.append(starts)
            starts = False
    if not kept:
        assert remaining_answer(whole, numbers) is None
    else:
        assert remaining_answer(whole, numbers) == answer_of(tuple(kept), tuple(layout)).answer


class TwoSources(FakeEngine):
    """Answers with a sentence of each document, and one that rests on both."""

    def ask(self, question: str, **options: Any) -> Answer:  # noqa: ARG002
        lighthouse = FakeEngine().ask("清晨熄灯").citations[0]
        tea = replace(FakeEngine().ask("制二两干茶").citations[0], number=2, score=0.5)
        said = (sentence("灯熄了。", 1), sentence("茶干了。", 2), sentence("都好。", 1, 2))
        return answer_of(said, (False, False, True), (lighthouse, tea))


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for(TwoSources()) as opened:
        yield opened


def answers(client: TestClient, **changes: Any) -> list[tuple[int, str | None]]:
    """The number and the answer of each record."""
    body = {"knowledge_id": "default.answer", "query": "灯和茶", "retrieval_setting": {"top_k": 4}} | changes
    reply = client.post("/retrieval", json=body)
    assert reply.status_code == 200, reply.text
    held = [record["metadata"] for record in reply.json()["records"]]
    return [(metadata["number"], metadata.get("answer", "none")) for metadata in held]


def test_all_citations_come_with_the_whole_answer(client: TestClient) -> None:
    whole = "灯熄了。[1]茶干了。[2]\n都好。[1][2]"
    assert answers(client) == [(1, whole), (2, whole)]


@pytest.mark.parametrize(
    "changes",
    [
        {"retrieval_setting": {"top_k": 1}},
        {"retrieval_setting": {"score_threshold": 0.6}},
        *(
            {"metadata_condition": {"conditions": [{"comparison_operator": "is"} | condition]}}
            for condition in (
                {"name": "document_id", "value": LIGHTHOUSE},
                {"name": "number", "value": 1},
            )
        ),
    ],
)
def test_a_citation_that_is_left_out_takes_its_sentences_with_it(
    client: TestClient, changes: dict[str, Any]
) -> None:
    assert answers(client, **changes) == [(1, "灯熄了。[1]")]


def test_a_filter_on_the_answer_sees_all_of_it(client: TestClient) -> None:
    conditions = [
        {"name": "answer", "comparison_operator": "contains", "value": "灯熄了"},
        {"name": "document_id", "comparison_operator": "is", "value": TEA},
    ]
    assert answers(client, metadata_condition={"conditions": conditions}) == [(2, "茶干了。[2]")]


def test_no_answer_where_no_sentence_is_left() -> None:
    class Both(TwoSources):
        def ask(self, question: str, **options: Any) -> Answer:
            citations = super().ask(question, **options).citations
            return answer_of((sentence("都好。", 1, 2),), (False,), citations)

    with client_for(Both()) as client:
        assert answers(client) == [(1, "都好。[1][2]"), (2, "都好。[1][2]")]
        assert answers(client, retrieval_setting={"top_k": 1}) == [(1, "none")]
