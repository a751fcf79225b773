"""A library of one collection that never changes, over an engine that is given: for embedding, for tests."""

# ruff: noqa: ARG002 -- it has all methods of a library, and refuses most

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol, cast, runtime_checkable

from api.calibration_records import Calibration
from api.cited_places import place_of, unknown_place
from api.library_records import CitationClaim, CollectionInfo, Entry, Job, Removed, Resolution, Said, Upload
from api.ports import Engine, Library
from rag.errors import InputError, NotFoundError, UnavailableError
from rag.inputs import excerpt
from rag.metadata import Filters
from rag.records import DEFAULT_COLLECTION


@runtime_checkable
class Narrowable(Protocol):
    """An engine that can be asked about some of its documents."""

    def only(self, document_ids: Collection[str]) -> Engine:
        """The same engine, over these documents."""
        ...


class FixedLibrary:
    """One engine as a library that can only be read.

    Args:
        engine: Of the collection "default".
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._opened_at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def engine(self, collection: str = DEFAULT_COLLECTION, filters: Filters | None = None) -> Engine:
        """The engine, or a part of it.

        Raises:
            NotFoundError: With code `collection_not_found`.
            InputError: With code `invalid_filters` if the engine cannot be narrowed.
        """
        self._check(collection)
        if filters is None or filters.is_empty:
            return self._engine
        if not isinstance(self._engine, Narrowable):
            raise InputError(
                "这个服务的文库是固定的，不能按文档筛选。请去掉 filters 再问。", code="invalid_filters"
            )
        documents = self._engine.documents()
        return self._engine.only({each.document_id for each in documents if filters.matches(each)})

    def engine_holding(self, document_id: str, collection: str | None = None) -> Engine:
        """The engine; there is no other."""
        return self._engine

    def collections(self) -> tuple[CollectionInfo, ...]:
        """The one collection; what only a real library knows is "" or 0."""
        documents = self._engine.documents()
        return (
            CollectionInfo(
                name=DEFAULT_COLLECTION,
                created_at=self._opened_at,
                documents=len(documents),
                sources=len({document.source.sha256 for document in documents}),
                chunks=0,
                encoder="",
                calibration="general",
                sequence=0,
            ),
        )

    def create_collection(self, name: str) -> CollectionInfo:
        """Refuse.

        Raises:
            UnavailableError: With code `library_read_only`.
        """
        _refuse()

    def remove_collection(self, name: str) -> CollectionInfo:
        """Refuse.

        Raises:
            UnavailableError: With code `library_read_only`.
        """
        _refuse()

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        """Refuse.

        Raises:
            UnavailableError: With code `library_read_only`.
        """
        _refuse()

    def jobs(self) -> tuple[Job, ...]:
        """None: nothing is ever begun."""
        return ()

    def job(self, job_id: str) -> Job:
        """None.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        raise NotFoundError(f"没有编号为{excerpt(job_id)}的任务。", code="job_not_found")

    def cancel(self, job_id: str) -> Job:
        """None.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        return self.job(job_id)

    def retry(self, job_id: str) -> Job:
        """None.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        return self.job(job_id)

    def describe(self, collection: str, identifier: str, said: Said) -> tuple[str, ...]:
        """Refuse.

        Raises:
            UnavailableError: With code `library_read_only`.
        """
        _refuse()

    def wait(self, job_id: str, seconds: float) -> Job:
        """None.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        return self.job(job_id)

    def remove(self, collection: str, identifier: str) -> Removed:
        """Refuse.

        Raises:
            UnavailableError: With code `library_read_only`.
        """
        _refuse()

    def entries(self, collection: str, filters: Filters | None = None) -> tuple[Entry, ...]:
        """The documents of the engine.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        self._check(collection)
        return tuple(
            Entry(document, document.source.source_id, "seeds", self._opened_at, 0)
            for document in self._engine.documents()
            if filters is None or filters.matches(document)
        )

    def resolve(self, collection: str | None, claim: CitationClaim) -> Resolution:
        """Whether the engine still has the cited place.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        if collection is not None:
            self._check(collection)
        try:
            document = self._engine.document(claim.document_id)
        except NotFoundError:
            return unknown_place(claim, "没有这个编号的文档。")
        return place_of(document, claim)

    def reindex(self, collection: str, encoder: str | None) -> Job:
        """Refuse.

        Raises:
            UnavailableError: With code `library_read_only`.
        """
        _refuse()

    def calibrate(self, collection: str, questions: Sequence[Any], *, keep: bool) -> Job:
        """Refuse.

        Raises:
            UnavailableError: With code `library_read_only`.
        """
        _refuse()

    def calibration(self, collection: str) -> Calibration | None:
        """None is kept.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        self._check(collection)
        return None

    def forget_calibration(self, collection: str) -> bool:
        """Refuse.

        Raises:
            UnavailableError: With code `library_read_only`.
        """
        _refuse()

    def _check(self, collection: str) -> None:
        if collection != DEFAULT_COLLECTION:
            raise NotFoundError(
                f"没有名为{excerpt(collection)}的文库，现有的是 {DEFAULT_COLLECTION}。",
                code="collection_not_found",
            )


def as_library(opened: Engine | Library) -> Library:
    """What was opened, as a library: an engine becomes one of a single collection."""
    if hasattr(opened, "engine_holding"):  # which no engine has
        return cast("Library", opened)
    return FixedLibrary(opened)


def _refuse() -> NoReturn:
    raise UnavailableError(
        "这个服务的文库是固定的，不能增删。请用 cewen serve 启动的服务来添加和删除文档。",
        code="library_read_only",
    )
