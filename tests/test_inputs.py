from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import InputError
from rag.inputs import MAX_ECHO_CHARS, MAX_QUESTION_CHARS, check_question, check_text, excerpt, is_blank

ODD = st.sampled_from("灯塔\x00\x1f\ud800\udfff\u200b\u3000𠮷\U000e0100\n")
BROKEN = st.text(ODD | st.characters(categories=["L", "M", "N", "P", "S", "Z", "C"]))

REFUSED = [
    pytest.param("灯塔\x00在哪", "invalid_text", "第 3 个字符是控制字符 U\\+0000", id="nul"),
    pytest.param("\x1b[31m灯", "invalid_text", "U\\+001B", id="escape sequence"),
    pytest.param("灯\x0b塔", "invalid_text", "U\\+000B", id="vertical tab"),
    pytest.param("灯\ud800塔", "invalid_text", "第 2 个字符是不成对的代理码位 U\\+D800", id="high surrogate"),
    pytest.param("\udfff", "invalid_text", "U\\+DFFF", id="low surrogate alone"),
    pytest.param("", "empty_question", "收到 0 个", id="empty"),
    pytest.param("  \t\r\n", "empty_question", "收到 5 个", id="ASCII space"),
    pytest.param("\u3000\u3000", "empty_question", "空白或不可见", id="ideographic space"),
    pytest.param("\u200b\u200d\u2060\ufeff", "empty_question", "收到 4 个", id="zero width"),
    pytest.param("\u00a0\u2003\u202f", "empty_question", "收到 3 个", id="other widths"),
    pytest.param("\u3164\u115f\u1160\uffa0", "empty_question", "收到 4 个", id="Hangul fillers"),
    pytest.param("\u2800", "empty_question", "收到 1 个", id="blank Braille"),
    pytest.param("\ufe0f\U000e0100\u034f", "empty_question", "收到 3 个", id="variation selectors"),
    pytest.param("\u202e\u2066\u00ad", "empty_question", "收到 3 个", id="direction marks, soft hyphen"),
    pytest.param("字" * 2001, "question_too_long", "有 2001 个字符，最多 2000 个", id="one too many"),
    pytest.param("𠮷" * 2001, "question_too_long", "有 2001 个字符", id="one too many, astral"),
    pytest.param(" " * 10_001, "question_too_long", "有 10001 个字符", id="10,001 spaces"),
]

ACCEPTED = [
    pytest.param("灯塔是哪一年建成的？", id="a question"),
    pytest.param("第一行\n第二行\r\n\t缩进", id="tab and line ends"),
    pytest.param("𠮷" * MAX_QUESTION_CHARS, id="as long as allowed, astral"),
    pytest.param("？", id="punctuation alone is for the engine to judge"),
    pytest.param("\u200b灯\u200b", id="invisible characters around a visible one"),
    pytest.param("👨‍👩‍👧", id="an emoji joined by zero-width joiners"),
    pytest.param("\U0002ebf0", id="a character newer than Python's tables"),
    pytest.param("\ue000", id="private use"),
    pytest.param("a\x7f", id="DEL is no C0 control"),
]


@pytest.mark.parametrize(("text", "code", "message"), REFUSED)
def test_refused(text: str, code: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        check_question(text)
    assert caught.value.code == code


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted_unchanged(text: str) -> None:
    assert check_question(text) is text


@pytest.mark.parametrize(("name", "label"), [("query", "检索词"), ("content", "历史消息")])
def test_the_field_names_the_code(name: str, label: str) -> None:
    with pytest.raises(InputError, match=f"{label}有 3 个字符，最多 2 个") as long:
        check_text("三个字", name=name, max_chars=2)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=label) as empty:
        check_text(" ", name=name, max_chars=2)  # type: ignore[arg-type]
    assert [long.value.code, empty.value.code] == [f"{name}_too_long", f"empty_{name}"]


@given(BROKEN)
def test_any_text_passes_unchanged_or_is_refused_in_plain_unicode(text: str) -> None:
    error = refusal_of(text)
    if error is None:
        assert not is_blank(text)
        text.encode("utf-8")
    else:
        assert error.code in {"invalid_text", "empty_question", "question_too_long"}
        error.message.encode("utf-8")


def refusal_of(text: str) -> InputError | None:
    try:
        check_question(text)
    except InputError as error:
        return error
    return None


@given(BROKEN)
def test_an_excerpt_is_short_and_plain(text: str) -> None:
    quoted = excerpt(text)
    quoted.encode("utf-8")
    assert quoted.isprintable()
    assert len(quoted) <= 2 + MAX_ECHO_CHARS * len("\\U0010ffff")


def test_an_excerpt_shows_ordinary_text_as_it_is() -> None:
    assert excerpt("灯塔") == "“灯塔”"
    assert excerpt("a\nb\ud800") == "“a\\nb\\ud800”"
    assert excerpt("长" * 41) == f"“{'长' * 39}…”"
