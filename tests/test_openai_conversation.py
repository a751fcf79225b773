"""Messages of a chat client to a question and its history."""

from __future__ import annotations

from typing import Any

import pytest

from api.openai_chat.conversation import Conversation, read_conversation
from api.openai_chat.footnotes import footnotes
from api.openai_chat.refusals import FieldError
from api.openai_chat.schemas import ChatMessageIn
from rag.records import Turn
from tests.openai_fakes import citation


def read(*messages: tuple[str, Any]) -> Conversation:
    return read_conversation([ChatMessageIn(role=role, content=content) for role, content in messages])


def refused(*messages: tuple[str, Any]) -> FieldError:
    with pytest.raises(FieldError) as caught:
        read(*messages)
    return caught.value


def test_one_question() -> None:
    assert read(("user", " 灯塔多高？\n")) == Conversation(" 灯塔多高？\n", (), (" 灯塔多高？\n",))


def test_what_came_before_is_history() -> None:
    said = read(("user", "灯塔多高？"), ("assistant", "三十二米。[1]"), ("user", "谁建的？"))
    assert said.question == "谁建的？"
    assert said.history == (Turn("user", "灯塔多高？"), Turn("assistant", "三十二米。[1]"))


def test_other_roles_are_counted_but_not_used() -> None:
    said = read(
        ("system", "你是助手"),
        ("developer", "说中文"),
        ("user", "灯塔多高？"),
        ("assistant", None),
        ("tool", "{}"),
        ("function", "1"),
        ("user", "谁建的？"),
        ("critic", "好"),
    )
    assert said.history == (Turn("user", "灯塔多高？"),)
    assert said.texts == ("你是助手", "说中文", "灯塔多高？", "", "{}", "1", "谁建的？", "好")


def test_what_comes_after_the_question_is_not_history() -> None:
    said = read(("user", "灯塔多高？"), ("assistant", "灯塔"))
    assert (said.question, said.history) == ("灯塔多高？", ())


def test_text_parts_are_taken_and_others_ignored() -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:"}, "text": 5}
    parts = [
        {"type": "text", "text": "灯塔"},
        picture,
        {"type": "input_text", "text": "多高？"},
        "谁建的？",
        {},
    ]
    assert read(("user", parts)).question == "灯塔\n多高？\n谁建的？"


def test_the_last_message_with_text_is_the_question() -> None:
    said = read(
        ("user", "灯塔多高？"), ("user", [{"type": "image_url"}]), ("user", "\u3000\u200b"), ("user", None)
    )
    assert said.question == "灯塔多高？"


@pytest.mark.parametrize(
    "messages",
    [
        [("system", "灯塔多高？")],
        [("user", None)],
        [("user", "")],
        [("user", [])],
        [("user", " \u200b"), ("assistant", "好")],
    ],
)
def test_no_question(messages: list[tuple[str, Any]]) -> None:
    error = refused(*messages)
    assert (error.code, error.param) == ("empty_question", "messages")
    assert f"{len(messages)} 条消息" in error.message


@pytest.mark.parametrize(
    ("content", "param", "said"),
    [
        (5, "messages[1].content", "是数字，应为字符串、部分的数组或 null"),
        (True, "messages[1].content", "是真假值"),
        ({"type": "text", "text": "灯塔"}, "messages[1].content", "是对象"),
        ([5], "messages[1].content[0]", "是数字"),
        (["灯塔", None], "messages[1].content[1]", "是null，应为对象"),
        ([{"type": "text"}], "messages[1].content[0].text", "是null，应为字符串"),
        ([{"type": "text", "text": ["灯塔"]}], "messages[1].content[0].text", "是数组"),
    ],
)
def test_content_of_no_known_form(content: Any, param: str, said: str) -> None:
    error = refused(("system", "你是助手"), ("user", content))
    assert (error.code, error.param) == ("invalid_request", param)
    assert said in error.message
    assert param in error.message


def test_the_question_is_checked_as_everywhere() -> None:
    error = refused(("user", "灯" * 2001))
    assert (error.code, error.param) == ("question_too_long", "messages")
    error = refused(("user", "灯\x00塔"))
    assert (error.code, error.param) == ("invalid_text", "messages")
    assert len(read(("user", "灯" * 2000)).question) == 2000


def test_history_keeps_the_last_twenty_turns_that_have_text() -> None:
    turns = [("user" if n % 2 else "assistant", f"第{n}句" if n % 3 else "") for n in range(60)]
    said = read(*turns, ("user", "灯塔多高？"))
    assert [turn.content for turn in said.history] == [text for _, text in turns if text][-20:]


def test_a_long_turn_keeps_its_head() -> None:
    said = read(("user", "头" + "灯" * 9000), ("assistant", "头" + "塔" * 9000), ("user", "谁建的？"))
    assert [len(turn.content) for turn in said.history] == [8000, 8000]
    assert all(turn.content.startswith("头") for turn in said.history)


def test_control_characters_in_history_are_dropped_not_refused() -> None:
    said = read(("user", "灯\x1b塔\n多\t高"), ("assistant", "\x00"), ("user", "谁建的？"))
    assert said.history == (Turn("user", "灯塔\n多\t高"),)


def test_our_own_footnotes_are_taken_off_again() -> None:
    block = footnotes([citation(1), citation(2, "**引文出处** [1] 塔")], lambda url: f"http://x{url}")
    assert block.startswith("\n\n---\n\n**引文出处**\n\n[1] [望海角灯塔](http://x/documents/")
    for shown in (block, block.replace("\n\n", "\n"), block + "\n", block.replace("\n", "\r\n")):
        said = read(("user", "何时熄灯？"), ("assistant", f"清晨熄灯。[1][2]{shown}"), ("user", "谁建的？"))
        assert said.history[1] == Turn("assistant", "清晨熄灯。[1][2]")


@pytest.mark.parametrize(
    "text",
    [
        "清晨熄灯。\n\n---\n\n**引文出处**\n\n见文末",
        "清晨熄灯。**引文出处**\n[1] 塔",
        "---\n**引文出处**\n[1] 塔",
    ],
)
def test_what_only_resembles_our_footnotes_stays(text: str) -> None:
    assert read(("user", "何时？"), ("assistant", text), ("user", "谁？")).history[1].content == text


def test_only_answers_lose_footnotes() -> None:
    text = f"灯塔{footnotes([citation(1)], str)}"
    assert read(("user", text), ("user", "谁建的？")).history[0].content == text
