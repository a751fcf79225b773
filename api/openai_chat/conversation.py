"""From the messages of a chat client to one question and the conversation before it.

Tolerant of what clients send: parts that are not text, roles that play no part here, empty messages. The
question alone is checked as on every surface; earlier turns only help to understand it, so what is odd in
them is left out instead of being refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NoReturn, cast

from api.openai_chat.footnotes import without_footnotes
from api.openai_chat.refusals import FieldError
from api.openai_chat.schemas import TEXT_PARTS, ChatMessageIn
from rag.errors import InputError
from rag.inputs import CONTROL, MAX_HISTORY_TURNS, MAX_TURN_CHARS, check_question, excerpt, is_blank
from rag.records import Turn


@dataclass(frozen=True, slots=True)
class Conversation:
    """What was asked, and after what.

    Attributes:
        question: The last message of the user that has text, as sent.
        history: The turns before it, oldest first: the last 20 at most.
        texts: The texts of all messages, for counting.
    """

    question: str
    history: tuple[Turn, ...]
    texts: tuple[str, ...]


def read_conversation(messages: Sequence[ChatMessageIn]) -> Conversation:
    """Find the question in the messages.

    Raises:
        FieldError: If a content has no known form, no user message has text, or the question is refused.
    """
    texts = [
        _text_of(message.content, f"messages[{place}].content") for place, message in enumerate(messages)
    ]
    asked = [
        place
        for place, message in enumerate(messages)
        if message.role == "user" and not is_blank(texts[place])
    ]
    if not asked:
        raise FieldError(
            f"{len(messages)} 条消息里没有一条 role 是 user 且有文字的，不知道要问什么。"
            "请把问题写在最后一条 user 消息里。",
            code="empty_question",
            param="messages",
        )
    last = asked[-1]
    try:
        question = check_question(texts[last])
    except InputError as error:
        raise FieldError(error.message, code=error.code, param="messages") from error
    turns = list(_turns_back(messages[:last], texts))
    return Conversation(question, tuple(reversed(turns)), tuple(texts))


def _turns_back(messages: Sequence[ChatMessageIn], texts: Sequence[str]) -> Iterator[Turn]:
    """The turns before the question, latest first."""
    left = MAX_HISTORY_TURNS
    for place in range(len(messages) - 1, -1, -1):
        role = messages[place].role
        if not left:
            return
        if role in {"user", "assistant"} and (content := _content(role, texts[place])):
            left -= 1
            yield Turn(cast("Literal['user', 'assistant']", role), content)


def _content(role: str, text: str) -> str:
    """A turn as far as it helps to understand what comes after it; "" if it does not.

    The head is kept: it names the subject, and lists are counted from their beginning.
    """
    said = without_footnotes(text) if role == "assistant" else text
    said = CONTROL.sub("", said)[:MAX_TURN_CHARS]
    return "" if is_blank(said) else said


def _text_of(content: Any, param: str) -> str:
    """The text of a message's content: a string, or the text parts of a list on lines of their own."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        _refuse(content, "字符串、部分的数组或 null", param)
    parts = (_part_text(part, f"{param}[{place}]") for place, part in enumerate(content))
    return "\n".join(part for part in parts if part)


def _part_text(part: Any, param: str) -> str:
    if isinstance(part, str):  # not OpenAI's format, but LangChain's
        return part
    if not isinstance(part, dict):
        _refuse(part, "对象，例如 {type: text, text: …}", param)
    if part.get("type") not in TEXT_PARTS:
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else _refuse(text, "字符串", f"{param}.text")


_KINDS = {bool: "真假值", int: "数字", float: "数字", str: "字符串", list: "数组", dict: "对象"}


def _refuse(value: Any, allowed: str, param: str) -> NoReturn:
    kind = _KINDS.get(type(value), "null")
    raise FieldError(
        f"{excerpt(param)}是{kind}，应为{allowed}。请改正后再发。", code="invalid_request", param=param
    )
