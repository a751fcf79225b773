"""What this package needs from outside: a library of engines. What they look like, not how they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from api.library_records import (
    DEFAULT_COLLECTION,
    CitationClaim,
    CollectionInfo,
    Entry,
    Job,
    Removed,
    Resolution,
    Upload,
)
from rag.metadata import Filters
from rag.records import Answer, AnswerEvent, Document, Passage, Turn


class Engine(Protocol):
    """Answers and searches over one immutable corpus. Synchronous, CPU-bound, safe to call from threads."""

    @property
    def fingerprint(self) -> str:
        """Names corpus, index, model and settings."""
        ...

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        top_k: int = 8,
        generator: str | None = None,
        explain: bool = False,
        cancelled: Callable[[], bool] = ...,
    ) -> Answer:
        """Answer with checked citations, or abstain.

        Raises:
            NotFoundError: With code `generator_not_found` if there is no generator of that name.
            GeneratorError: With code `generator_cancelled` once `cancelled()` is true.
        """
        ...

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        top_k: int = 8,
        generator: str | None = None,
        explain: bool = False,
        cancelled: Callable[[], bool] = ...,
    ) -> Iterator[AnswerEvent]:
        """The same answer part by part, the whole `Answer` last; a wrong request is refused at once."""
        ...

    def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        score_threshold: float | None = None,
        keep: Callable[[Passage], bool] | None = None,
        cancelled: Callable[[], bool] = ...,
    ) -> tuple[Passage, ...]:
        """The passages nearest to `query` for which `keep` says yes, best first, ranked from 1.

        `keep` is asked once about a passage, at most, and not about its rank, which is given at the end.

        Raises:
            GeneratorError: With code `generator_cancelled` once `cancelled()` is true.
        """
        ...

    def examples(self) -> tuple[str, ...]:
        """Questions that this corpus answers, for people who do not know what to ask; may take seconds."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens the encoder makes of `text`."""
        ...

    def documents(self) -> tuple[Document, ...]:
        """Every document, in reading order."""
        ...

    def document(self, document_id: str) -> Document:
        """One document.

        Raises:
            NotFoundError: With code `document_not_found` if there is none.
        """
        ...


class Library(Protocol):
    """Collections of documents that come and go while others ask. Synchronous, safe to call from threads."""

    def engine(self, collection: str = DEFAULT_COLLECTION, filters: Filters | None = None) -> Engine:
        """One consistent state of a collection, which later changes do not touch; ask once for each request.

        Args:
            collection: Its name.
            filters: Only the documents that match.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        ...

    def engine_holding(self, document_id: str) -> Engine:
        """A state of the first collection that holds this document, "default" first; of that if none does.

        Ids are made from the text, so whichever it is, the document reads the same.
        """
        ...

    def collections(self) -> tuple[CollectionInfo, ...]:
        """All collections; "default" first, then by name."""
        ...

    def create_collection(self, name: str) -> CollectionInfo:
        """Make an empty collection.

        Raises:
            InputError: With code `invalid_collection_name`, or `collection_exists`.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def remove_collection(self, name: str) -> CollectionInfo:
        """Remove a collection with all it holds; what it was. "default" is emptied and stays.

        Raises:
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        """Begin to add a text, or to put it in the place of another; see `Job`. `wait` for its end.

        Args:
            collection: Where.
            upload: The text.
            replaces: Id of a document or source; all documents of that source give way in the same change.

        Raises:
            NotFoundError: With code `collection_not_found`, or `document_not_found` for `replaces`.
            InputError: With code `document_without_text` or `document_conflict`.
            UnavailableError: With code `library_read_only`, or `overloaded` if too many wait.
        """
        ...

    def jobs(self) -> tuple[Job, ...]:
        """The jobs of all collections that have not ended, and the last of those that have; oldest first."""
        ...

    def job(self, job_id: str) -> Job:
        """A job as it stands.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        ...

    def wait(self, job_id: str, seconds: float) -> Job:
        """A job once it has ended, or as it stands after so long.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        ...

    def remove(self, collection: str, identifier: str) -> Removed:
        """Remove a document, or all documents of a source: when this returns, no request finds them.

        Raises:
            NotFoundError: With code `collection_not_found` or `document_not_found`.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def entries(self, collection: str, filters: Filters | None = None) -> tuple[Entry, ...]:
        """The documents of a collection, in the order of their coming.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        ...

    def resolve(self, collection: str | None, claim: CitationClaim) -> Resolution:
        """What became of a cited place; without a collection, in the first that knows the document.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        ...

    def reindex(self, collection: str, encoder: str | None) -> Job:
        """Begin to encode a collection anew beside the live index; it is swapped in whole at the end.

        Args:
            collection: Which.
            encoder: The model to change to; None for the one that the settings name.

        Raises:
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_read_only`.
        """
        ...


EngineFactory = Callable[[], Engine]
LibraryFactory = Callable[[], Library]
Factory = Callable[[], Engine | Library]
"""Opens what a service answers from; an engine counts as a library of one collection that never changes."""
