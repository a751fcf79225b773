"""An incremental parser of server-sent events: bytes, cut anywhere, to the data of each event.

After https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream, with two
differences: an event that the end of the stream cuts short is given by `finish` (many servers leave out the
last blank line), and a line that is no field at all is refused: it says that the reply is something else.
"""

from __future__ import annotations

from collections.abc import Iterator

from rag.llm.faults import fault

_FIELDS = frozenset({"data", "event", "id", "retry"})
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class EventParser:
    """Parses one stream.

    Args:
        max_line_bytes: Most bytes of one line, and of the data of one event.
    """

    def __init__(self, *, max_line_bytes: int) -> None:
        self._max = max_line_bytes
        self._line = bytearray()
        self._data: list[str] = []
        self._data_chars = 0
        self._after_return = False
        self._first_line = True

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of every event that this chunk completes.

        Raises:
            GeneratorError: With code `generator_invalid_reply` for a line too long, not UTF-8 or no field.
        """
        if self._after_return and chunk.startswith(b"\n"):
            chunk = chunk[1:]
            self._after_return = False
        if chunk:
            self._after_return = chunk.endswith(b"\r")
        # Only "\n", "\r" and "\r\n" split bytes. Only the new bytes are looked at: a slow drip costs no more.
        for piece in chunk.splitlines(keepends=True):
            self._line += piece
            if len(self._line) > self._max:
                raise fault("generator_invalid_reply", f"一行超过 {self._max} 字节")
            if piece.endswith((b"\n", b"\r")):
                line = bytes(self._line).rstrip(b"\r\n")
                self._line.clear()
                yield from self._take(line)

    def finish(self) -> Iterator[str]:
        """The data of an event that no blank line has ended, after the last chunk.

        Raises:
            GeneratorError: As `feed`.
        """
        if self._line:
            line = bytes(self._line)
            self._line.clear()
            yield from self._take(line)
        yield from self._take(b"")

    def _take(self, line: bytes) -> Iterator[str]:
        if self._first_line:
            line = line.removeprefix(_BYTE_ORDER_MARK)
            self._first_line = False
        if not line:
            if self._data:
                yield "\n".join(self._data)
            self._data, self._data_chars = [], 0
            return
        try:
            name, _, value = line.decode("utf-8").partition(":")
        except UnicodeDecodeError as error:
            raise fault("generator_invalid_reply", "不是 UTF-8 文字") from error
        if name and name not in _FIELDS:
            raise fault("generator_invalid_reply", "不是事件流，也不是 JSON")
        if name == "data":
            self._data.append(value.removeprefix(" "))
            self._data_chars += len(value)
            if self._data_chars > self._max:
                raise fault("generator_invalid_reply", f"一个事件超过 {self._max} 字")
