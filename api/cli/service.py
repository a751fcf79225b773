"""What `ask`, `search` and `ls` talk to: a library opened here, or a service running elsewhere.

Both give the bodies of the REST replies, so that `--json` prints the same and people are shown the same,
wherever the answer came from. The remote one is the client library `cewen`; its errors become ours here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypedDict

from api.cli.console import progress_bar, stderr_console
from rag.errors import CewenError, ConfigError, InputError, NotFoundError, UnavailableError

if TYPE_CHECKING:
    import cewen
    from api.cli.parts import Parts
    from api.ports import Engine
    from rag.metadata import Filters
    from rag.settings import Settings


_KEY_STEP = "请把密钥写在环境变量 CEWEN_API_KEY 里，再运行一次；密钥由服务的维护者建（cewen keys create）。"
_KEY_ADVICE = {
    "api_key_missing": f"--url 的服务要访问密钥，而这里没有设。{_KEY_STEP}",
    "api_key_invalid": f"--url 的服务不认这里设的访问密钥。{_KEY_STEP}",
}
"""Said in the place of the service's own words, which speak of headers to programmers."""


@dataclass(frozen=True, slots=True)
class Where:
    """What is looked through: a collection, of which only documents that match."""

    collection: str
    filters: Filters | None


class AskOptions(TypedDict):
    """How a question is answered; as for `api.ports.Engine.ask`."""

    top_k: int
    generator: str | None
    explain: bool


class SearchOptions(TypedDict):
    """How a query is looked for; as for `api.ports.Engine.search`."""

    top_k: int
    score_threshold: float | None


class Service(Protocol):
    """Answers with the JSON bodies of the REST interface, in one line each."""

    def ask_json(self, question: str, where: Where, options: AskOptions) -> str:
        """The body of an answer."""
        ...

    def search_json(self, query: str, where: Where, options: SearchOptions) -> str:
        """The body of a search."""
        ...

    def documents_json(self, where: Where, limit: int | None) -> str:
        """The body of the list of documents."""
        ...


class LocalService:
    """A library of this process, opened when it is first needed; listing needs none.

    Args:
        parts: Open it.
        settings: All of them.
    """

    def __init__(self, parts: Parts, settings: Settings) -> None:
        self._parts = parts
        self._settings = settings
        self._opened: object = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        close = getattr(self._opened, "close", None)
        if close is not None:
            close()

    def ask_json(self, question: str, where: Where, options: AskOptions) -> str:
        """The body of an answer."""
        from api.wire.convert import ask_reply

        answer = self._engine(where).ask(question, **options)
        return ask_reply(answer, where.collection).model_dump_json(exclude_unset=True)

    def search_json(self, query: str, where: Where, options: SearchOptions) -> str:
        """The body of a search."""
        from api.wire.convert import hit
        from api.wire.schemas import SearchReply

        engine = self._engine(where)
        hits = [hit(passage) for passage in engine.search(query, **options)]
        reply = SearchReply(hits=hits, collection=where.collection, fingerprint=engine.fingerprint)
        return reply.model_dump_json()

    def documents_json(self, where: Where, limit: int | None) -> str:
        """The body of the list of documents."""
        from api.wire.document_convert import entry_out
        from api.wire.document_schemas import EntryListReply

        entries = self._parts.list_entries(self._settings, where.collection, where.filters)
        end = len(entries) if limit is None else limit
        reply = EntryListReply(
            documents=[entry_out(entry) for entry in entries[:end]],
            total=len(entries),
            next_offset=end if end < len(entries) else None,
        )
        return reply.model_dump_json()

    def _engine(self, where: Where) -> Engine:
        from api.fixed_library import as_library

        with progress_bar(stderr_console()) as told:
            self._opened = self._parts.open_engine(self._settings, told)
        return as_library(self._opened).engine(where.collection, where.filters)


class RemoteService:
    """A service running elsewhere.

    Args:
        client: A client of it.
    """

    def __init__(self, client: cewen.Client) -> None:
        self._client = client

    def ask_json(self, question: str, where: Where, options: AskOptions) -> str:
        """The body of an answer."""
        return self._client.ask_json(question, **options, **_sent(where))

    def search_json(self, query: str, where: Where, options: SearchOptions) -> str:
        """The body of a search."""
        return self._client.search_json(query, **options, **_sent(where))

    def documents_json(self, where: Where, limit: int | None) -> str:
        """The body of the list of documents."""
        return self._client.documents_json(limit=limit, **_sent(where))


def _sent(where: Where) -> dict[str, Any]:
    from cewen import Filters as SentFilters

    filters = where.filters
    fields = {} if filters is None else {name: getattr(filters, name) for name in SentFilters.model_fields}
    given = {name: value for name, value in fields.items() if value}
    return {"collection": where.collection, "filters": given or None}


@contextmanager
def client_at(url: str, settings: Settings) -> Iterator[cewen.Client]:
    """A client of a service running elsewhere; the access key is the settings' own.

    Raises:
        InputError: If it refuses what was asked.
        ConfigError: If address or key cannot be used.
        UnavailableError: If it cannot be reached, or cannot do it.
    """
    import cewen

    with as_our_errors(), cewen.Client(url, api_key=settings.api_key.get_secret_value() or None) as client:
        yield client


@contextmanager
def as_our_errors() -> Iterator[None]:
    """Turn what the client library raises into our own errors, which decide the exit code.

    Raises:
        CewenError: Then.
    """
    import cewen

    try:
        yield
    except cewen.CewenError as error:
        told = _KEY_ADVICE.get(error.code, error.message)
        told += f"请求编号 {error.request_id}。" if error.request_id else ""
        raise _kind_of(error)(told, code=error.code) from error


def _kind_of(error: cewen.CewenError) -> type[CewenError]:
    import cewen
    from api.errors.codes import CODES

    if isinstance(error, cewen.NotFoundError):
        return NotFoundError
    row = CODES.get(error.code)
    of_the_text = isinstance(error, cewen.JobFailedError) and row is not None and row.status < 500
    if of_the_text or isinstance(error, cewen.BadRequestError):
        return InputError
    if isinstance(error, cewen.ConfigError | cewen.AuthenticationError):
        return ConfigError
    return UnavailableError
