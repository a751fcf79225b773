"""A chat endpoint whose model is a function of the messages that it is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from tests.llm_server import ChatServer, Connection, serving, streaming

Model = Callable[[Sequence[Mapping[str, str]]], str]


@contextmanager
def serving_model(model: Model) -> Iterator[ChatServer]:
    """A running server of this model; for callers that ask one at a time."""
    running: list[ChatServer] = []

    def script(connection: Connection) -> None:
        asked = running[0].requests[-1].json()
        streaming(model(asked["messages"]))(connection)

    with serving(script) as server:
        running.append(server)
        yield server
