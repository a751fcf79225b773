"""What `ask`, `search` and `documents` talk to: an engine opened here, or a service running elsewhere.

Both give the bodies of the REST replies, so that `--json` prints the same and people are shown the same,
wherever the answer came from. The remote one is the client library `cewen`; its errors become ours here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rag.errors import ConfigError, InputError, UnavailableError

if TYPE_CHECKING:
    from api.ports import Engine
    from rag.records import Document
    from rag.settings import Settings


class Service(Protocol):
    """Answers with the JSON bodies of the REST interface, in one line each."""

    def ask_json(
        self, question: str, *, top_k: int | None = None, generator: str | None = None, explain: bool = False
    ) -> str:
        """The body of an answer."""
        ...

    def search_json(
        self, query: str, *, top_k: int | None = None, score_threshold: float | None = None
    ) -> str:
        """The body of a search."""
        ...

    def documents_json(self) -> str:
        """The body of the list of documents."""
        ...


class LocalService:
    """An engine of this process.

    Args:
        engine: Opens it, when it is first needed.
        documents: Reads the documents, which needs no engine.
    """

    def __init__(self, engine: Callable[[], Engine], documents: Callable[[], Sequence[Document]]) -> None:
        self._engine = engine
        self._documents = documents

    def ask_json(
        self, question: str, *, top_k: int | None = None, generator: str | None = None, explain: bool = False
    ) -> str:
        """The body of an answer."""
        from api.convert import ask_reply

        answer = self._engine().ask(question, top_k=top_k or 8, generator=generator, explain=explain)
        return ask_reply(answer).model_dump_json(exclude_unset=True)

    def search_json(
        self, query: str, *, top_k: int | None = None, score_threshold: float | None = None
    ) -> str:
        """The body of a search."""
        from api.convert import hit
        from api.schemas import SearchReply

        engine = self._engine()
        found = engine.search(query, top_k=top_k or 10, score_threshold=score_threshold)
        hits = [hit(passage) for passage in found]
        return SearchReply(hits=hits, fingerprint=engine.fingerprint).model_dump_json()

    def documents_json(self) -> str:
        """The body of the list of documents."""
        from api.convert import document_out
        from api.schemas import DocumentListReply

        documents = [document_out(document) for document in self._documents()]
        return DocumentListReply(documents=documents).model_dump_json()


@contextmanager
def service_at(url: str, settings: Settings) -> Iterator[Service]:
    """A service running elsewhere; the access key is the settings' own.

    Raises:
        InputError: If it refuses what was asked.
        ConfigError: If address or key cannot be used.
        UnavailableError: If it cannot be reached, or cannot answer.
    """
    import cewen

    try:
        with cewen.Client(url, api_key=settings.api_key.get_secret_value() or None) as client:
            yield client
    except cewen.CewenError as error:
        told = error.message + (f"请求编号 {error.request_id}。" if error.request_id else "")
        if isinstance(error, cewen.BadRequestError | cewen.NotFoundError):
            raise InputError(told, code=error.code) from error
        if isinstance(error, cewen.ConfigError | cewen.AuthenticationError):
            raise ConfigError(told, code=error.code) from error
        raise UnavailableError(told, code=error.code) from error
