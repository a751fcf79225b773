"""An incremental parser of server-sent events: bytes, cut anywhere, to named events. It knows no answers.

After https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream: lines end with
LF, CR or CRLF, comments and unknown fields are skipped, and an event that no blank line ends is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cewen.errors import InvalidReplyError

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""Most bytes of one event. Far above any answer; without it a stream without line ends would fill memory."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """One event as it came.

    Attributes:
        name: Its type; "message" where the stream names none.
        data: Its data lines joined by line feeds.
    """

    name: str
    data: str


class EventParser:
    """Parses one stream.

    Args:
        max_event_bytes: Most bytes of one event, its unfinished line included.
    """

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._line = bytearray()
        self._size = 0
        self._name = ""
        self._data: list[str] = []
        self._after_return = False
        self._first_line = True

    def feed(self, chunk: bytes) -> Iterator[ServerEvent]:
        """Every event that this chunk completes. To be read to its end before the next chunk is fed.

        Raises:
            InvalidReplyError: If an event is too long or not UTF-8.
        """
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_return = False
        if chunk:
            self._after_return = chunk.endswith(b"\r")
        # Only "\n", "\r" and "\r\n" split bytes. Only the new bytes are looked at: a slow drip costs no more.
        for piece in chunk.splitlines(keepends=True):
            self._line += piece
            self._size += len(piece)
            if self._size > self._max:
                raise InvalidReplyError(f"事件流里的一个事件超过 {self._max} 字节。请检查服务和中间的代理。")
            if piece.endswith((b"\n", b"\r")):
                line = bytes(self._line).rstrip(b"\r\n")
                self._line.clear()
                yield from self._take(line)

    def _take(self, line: bytes) -> Iterator[ServerEvent]:
        if self._first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._first_line = False
        if not line:
            if self._data:
                yield ServerEvent(self._name or "message", "\n".join(self._data))
            self._name, self._data, self._size = "", [], 0
            return
        try:
            field, _, value = line.decode("utf-8").partition(":")
        except UnicodeDecodeError as error:
            raise InvalidReplyError("事件流不是 UTF-8 文字。请检查 base_url 和中间的代理。") from error
        value = value.removeprefix(" ")
        if field == "data":
            self._data.append(value)
        elif field == "event":
            self._name = value
