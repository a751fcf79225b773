"""The one thing this package needs from outside: an engine. What it looks like, not how it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

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


EngineFactory = Callable[[], Engine]
