"""Server-sent events as a client reads them; see the HTML standard. It knows no answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from api.doctor.connection import Reply
from api.doctor.model import LostError, shortened

DONE = "[DONE]"
_LINE_END = re.compile(r"\r\n|\n|\r")


def events_of(reply: Reply) -> list[tuple[str, str]]:
    """Name and data of every finished event.

    Raises:
        LostError: If the reply is no stream of events.
    """
    if reply.media_type != "text/event-stream":
        seen = f"{reply.path} 答的是 {reply.media_type or '没有 Content-Type 的内容'}"
        raise LostError("stream", "流式返回", seen, "代理改了 Content-Type，或把流换成了别的答复。")
    return list(_events(reply.text))


def _events(text: str) -> Iterator[tuple[str, str]]:
    name, data = "", list[str]()
    # What no line end and no blank line closes is not an event.
    for line in _LINE_END.split(text.removeprefix("\ufeff"))[:-1]:
        if not line:
            if data:
                yield name or "message", "\n".join(data)
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value


def json_of(data: str) -> Any:
    """The JSON of an event.

    Raises:
        LostError: If it is none.
    """
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        seen = f"事件里不是 JSON：{shortened(data, 80)}"
        raise LostError("stream", "流式返回", seen, "代理改了流的内容。") from error
