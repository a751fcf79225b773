"""The events of a streamed answer, from the bytes of the stream. Events of unknown names are skipped."""

from __future__ import annotations

from collections.abc import Iterator

from cewen.errors import ConnectionFailedError
from cewen.models import Answer, AnswerEvent, CitationsKnown, TextAdded
from cewen.replies import error_in_stream, parse
from cewen.sse import EventParser, ServerEvent


class AnswerReader:
    """Reads one stream.

    Attributes:
        done: Whether the whole answer, the last event, has come.
    """

    def __init__(self) -> None:
        self._parser = EventParser()
        self.done = False

    def feed(self, chunk: bytes) -> Iterator[AnswerEvent]:
        """Every event that this chunk completes. To be read to its end before the next chunk is fed.

        Raises:
            ServiceError: If the stream says that something went wrong.
            InvalidReplyError: If it is not what the service promises.
        """
        for event in self._parser.feed(chunk):
            if self.done:
                return
            read = self._read(event)
            if read is not None:
                yield read

    def finish(self) -> None:
        """Say that no bytes follow.

        Raises:
            ConnectionFailedError: With code `incomplete_reply` if the answer is not whole.
        """
        if not self.done:
            raise ConnectionFailedError(
                "事件流在答完之前结束，已收到的文字可能不全。请重新提问；若常如此，请检查中间的代理。",
                code="incomplete_reply",
            )

    def _read(self, event: ServerEvent) -> AnswerEvent | None:
        if event.name == "citations":
            return parse(CitationsKnown, event.data)
        if event.name == "delta":
            return parse(TextAdded, event.data)
        if event.name == "done":
            answer = parse(Answer, event.data)
            self.done = True
            return answer
        if event.name == "error":
            raise error_in_stream(event.data)
        return None
