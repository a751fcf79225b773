from __future__ import annotations

import pytest

from rag.llm.faults import fault
from rag.llm.rewriting import FollowupRewriter, Rewriting
from rag.records import Turn
from tests.llm_server import event, failing, hanging, refusing, serving, streaming, whole_json
from tests.test_llm_chat_client import client
from tests.test_llm_openai import FakeClient
from tests.test_llm_prompting import NONCE

HISTORY = (Turn("user", "茶园有多少茶树？"), Turn("assistant", "茶树1200株。[1]"))


def rewritten(*pieces: str, question: str = "那工人呢？") -> Rewriting:
    return FollowupRewriter(FakeClient(*pieces), nonce=lambda: NONCE).rewrite(question, HISTORY)


@pytest.mark.parametrize(
    "pieces",
    [
        ("茶园有多少采茶工人？",),
        ("茶园有多少", "采茶工人？\n"),
        ("“茶园有多少采茶工人？”",),
        (" 「茶园有多少采茶工人？」 ",),
    ],
)
def test_a_good_rewriting_is_taken(pieces: tuple[str, ...]) -> None:
    assert rewritten(*pieces) == Rewriting("茶园有多少采茶工人？")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("“”", "empty"),
        ("茶园有多少工人？\n解释：……", "not_one_line"),
        ("茶园\u2028工人", "not_one_line"),
        ("茶园" * 101, "too_long"),
        ("茶园" * 9999, "too_long"),
        ("茶园\x00有多少工人", "not_text"),
        ("茶园\u202e有多少工人", "not_text"),
        ("今天股票涨了吗？", "unrelated"),
        ("？？？", "unrelated"),
    ],
)
def test_a_bad_one_is_not(text: str, problem: str) -> None:
    assert rewritten(text) == Rewriting(None, problem)


def test_a_rewriting_of_exactly_200_characters() -> None:
    assert rewritten("茶园" * 100).question == "茶园" * 100


def test_a_model_that_goes_on_is_not_listened_to() -> None:
    talker = FakeClient(*["茶园有多少工人" * 10] * 100)
    assert FollowupRewriter(talker).rewrite("那工人呢？", HISTORY) == Rewriting(None, "too_long")
    assert len(talker.said) == 6  # 70 characters each, until there are more than 400
    assert talker.closed


def test_words_of_the_answer_before_count_too() -> None:
    assert rewritten("1200株是哪年种下的？", question="哪年？").question == "1200株是哪年种下的？"


@pytest.mark.parametrize("history", [(), (Turn("assistant", "茶"),), (Turn("user", "  "),)])
def test_without_an_earlier_question_the_model_is_not_asked(history: tuple[Turn, ...]) -> None:
    asked = FakeClient("茶园？")
    assert FollowupRewriter(asked).rewrite("茶园？", history) == Rewriting(None, None)
    assert asked.said == []


def test_an_error_is_its_code() -> None:
    broken = FakeClient("茶园", error=fault("generator_incomplete"))
    assert FollowupRewriter(broken).rewrite("那工人呢？", HISTORY) == Rewriting(None, "generator_incomplete")


def test_over_the_wire() -> None:
    with serving(streaming("茶园有多少", "工人？")) as server:
        ours = FollowupRewriter(client(server.url), nonce=lambda: NONCE)
        assert ours.prompt_version == "rewrite.v1"
        assert ours.rewrite("那工人呢？", HISTORY) == Rewriting("茶园有多少工人？")
    assert f"<<追问 {NONCE}>>" in server.requests[0].json()["messages"][1]["content"]


def test_errors_over_the_wire() -> None:
    def problem(url: str, cancelled: bool = False) -> str | None:
        ours = FollowupRewriter(client(url, first_token_timeout_seconds=0.2))
        rewriting = ours.rewrite("那工人呢？", HISTORY, cancelled=lambda: cancelled)
        assert rewriting.question is None
        return rewriting.problem

    with refusing() as nowhere:
        assert problem(nowhere) == "generator_unreachable"
    for script, code in (
        (failing("401 Unauthorized"), "generator_refused"),
        (failing("429 Too Many"), "generator_rate_limited"),
        (hanging(), "generator_timeout"),
        (whole_json("茶园", finish="length"), "generator_incomplete"),
        (hanging("HTTP/1.1 200 OK\r\n\r\nno", event("茶")), "generator_invalid_reply"),
    ):
        with serving(script) as server:
            assert problem(server.url) == code
    with serving(streaming("茶园")) as server:
        assert problem(server.url, cancelled=True) == "generator_cancelled"
