"""From the bytes of a reply to pieces of text.

A reply is an event stream or, from a server that ignores `stream`, one JSON body. Which of them it is, is
read off the first byte: servers label both in every way. Unknown fields, null contents, role-only pieces,
empty choices (usage) and `reasoning_content` are passed over.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from rag.errors import GeneratorError
from rag.llm.faults import fault
from rag.llm.sse import EventParser

_DONE = "[DONE]"
_CUT_OFF = {"length": "到了长度上限", "content_filter": "被内容过滤截断"}
_BLANK = b" \t\r\n"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Delta:
    """What one event says.

    Attributes:
        text: A piece of the answer; may be empty.
        alive: Whether the model wrote something, be it reasoning that nobody sees.
        ended: Whether the answer is finished with this piece.
        cut_off: Why a finished answer is not whole, in Chinese; "" if it is.
    """

    text: str = ""
    alive: bool = False
    ended: bool = False
    cut_off: str = ""


class ReplyReader:
    """Reads one reply.

    Args:
        max_bytes: Most bytes of the whole reply.
        max_line_bytes: Most bytes of one line of an event stream.
    """

    def __init__(self, *, max_bytes: int, max_line_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._form: Literal["unknown", "events", "json"] = "unknown"
        self._body = bytearray()
        self._events = EventParser(max_line_bytes=max_line_bytes)

    def feed(self, chunk: bytes) -> Iterator[Delta]:
        """What this chunk says.

        Raises:
            GeneratorError: With code `generator_invalid_reply` if the reply is too large or something else;
                with `generator_failed` if it is an error.
        """
        self._bytes += len(chunk)
        if self._bytes > self._max_bytes:
            raise fault("generator_invalid_reply", f"超过 {self._max_bytes} 字节")
        if self._form != "events":
            self._body += chunk
        if self._form == "unknown":
            begun = bytes(self._body).removeprefix(_BYTE_ORDER_MARK).lstrip(_BLANK)
            if not begun or _BYTE_ORDER_MARK.startswith(begun):
                return
            self._form = "json" if begun.startswith(b"{") else "events"
            chunk = begun
        if self._form == "events":
            for data in self._events.feed(chunk):
                yield _delta_of(data)

    def finish(self) -> Iterator[Delta]:
        """What only the end of the bytes completes.

        Raises:
            GeneratorError: As `feed`; with code `generator_incomplete` if the last event is cut off.
        """
        if self._form == "json":
            yield _delta_of(bytes(self._body).removeprefix(_BYTE_ORDER_MARK).strip(_BLANK))
        elif self._form == "events":
            for data in self._events.finish():
                try:
                    yield _delta_of(data)
                except GeneratorError as error:
                    if error.code == "generator_failed":
                        raise
                    raise fault("generator_incomplete", "最后一个事件没有传完") from error


def _delta_of(data: str | bytes) -> Delta:
    """The meaning of one event's data, or of a whole JSON body."""
    if data == _DONE:
        return Delta(ended=True)
    try:
        reply = json.loads(data)
    except (ValueError, RecursionError) as error:  # also a number of too many digits, and a thousand brackets
        raise fault("generator_invalid_reply", "JSON 有误") from error
    if not isinstance(reply, dict):
        raise fault("generator_invalid_reply", "不是 JSON 对象")
    if reply.get("error") is not None:
        raise fault("generator_failed", "它在回复里报告了错误")
    choices = reply.get("choices", [])
    if choices is None or choices == []:
        return Delta()
    if not isinstance(choices, list) or not isinstance(choices[0], dict):
        raise fault("generator_invalid_reply", "choices 的样子不对")
    return _delta_of_choice(choices[0])


def _delta_of_choice(choice: dict[str, Any]) -> Delta:
    part = choice["delta"] if "delta" in choice else choice.get("message")
    part = {} if part is None else part
    if not isinstance(part, dict):
        raise fault("generator_invalid_reply", "delta 的样子不对")
    text = _text_of(part.get("content"))
    reasoning = part.get("reasoning_content") or part.get("reasoning")
    finish = choice.get("finish_reason")
    if finish is not None and not isinstance(finish, str):
        raise fault("generator_invalid_reply", "finish_reason 的样子不对")
    return Delta(text, bool(text or reasoning), bool(finish), _CUT_OFF.get(finish or "", ""))


def _text_of(content: Any) -> str:
    """The text of a content field: a string, null, or a list of typed parts."""
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(_text_of(part.get("text")) for part in content if isinstance(part, dict))
    if not isinstance(content, str):
        raise fault("generator_invalid_reply", "content 不是文字")
    # JSON can spell half a character ("\ud83d"), which no UTF-8 output could carry further.
    return content.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
