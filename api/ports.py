"""What this package needs from outside: a library of engines. What they look like, not how they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from api.calibration_records import Calibration
from api.library_changes import LibraryChanges
from api.library_records import CitationClaim, CollectionInfo, Entry, Job, Resolution
from rag.metadata import Filters
from rag.records import DEFAULT_COLLECTION, Answer, AnswerEvent, Document, Example, Passage, Turn

InTurn = Callable[[], AbstractContextManager[object]]


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

    def examples(self, in_turn: InTurn = ...) -> tuple[Example, ...]:
        """Questions that this corpus answers; may take seconds. For each one tried it enters `in_turn`."""
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


class Library(LibraryChanges, Protocol):
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

    def engine_holding(self, document_id: str, collection: str | None = None) -> Engine:
        """A state of a collection that holds this document; of "default" if none does.

        Ids are made from the text, and no other text gets one that is taken, so whichever it is, the document
        reads the same. What is said of it, its title and authors, is each collection's own, and what stands
        beside it in its source may have been removed from one of them.

        Args:
            document_id: Of the document.
            collection: Which is tried first; one that does not hold it, or does not exist, is passed over.
                Then come those from whose text nothing was removed, "default" first, and then the others.
        """
        ...

    def collections(self) -> tuple[CollectionInfo, ...]:
        """All collections; "default" first, then by name."""
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

    def calibration(self, collection: str) -> Calibration | None:
        """The calibration that a collection has for its encoder; None if there is none.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        ...


EngineFactory = Callable[[], Engine]
LibraryFactory = Callable[[], Library]
Factory = Callable[[], Engine | Library]
"""Opens what a service answers from; an engine counts as a library of one collection that never changes."""
