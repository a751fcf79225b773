"""Services that are broken on purpose, in the one way that their name says, around a healthy one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from evals.service import Hit, Reply, Service
from rag.records import Turn

_INVENTED = "共7319个"


class _Around:
    """Passes everything on; the broken ones override one method."""

    def __init__(self, inner: Service) -> None:
        self._inner = inner

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """As the healthy service."""
        return self._inner.ask(question, history)

    def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
        """As the healthy service."""
        return self._inner.search(query, top_k)


class ShiftedCitations(_Around):
    """Every citation points one character too far."""

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """The healthy reply with its offsets shifted."""
        reply = super().ask(question, history)
        shifted = (
            replace(citation, start_char=citation.start_char + 1, end_char=citation.end_char + 1)
            for citation in reply.citations
        )
        return replace(reply, citations=tuple(shifted))


class InventedNumber(_Around):
    """Every answer's first sentence names a number that no source holds; its citations stay as they are."""

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """The healthy reply with a number put in."""
        reply = super().ask(question, history)
        if not reply.sentences:
            return reply
        first, *rest = reply.sentences
        told = replace(first, text=f"{first.text[:-1]}，{_INVENTED}{first.text[-1:]}")
        answer = reply.answer.replace(first.text, told.text, 1)
        return replace(reply, sentences=(told, *rest), answer=answer)


class Flickering(_Around):
    """Its confidence depends on how often it was asked before."""

    def __init__(self, inner: Service) -> None:
        super().__init__(inner)
        self._asked = 0

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """The healthy reply with another confidence."""
        reply = super().ask(question, history)
        self._asked += 1
        return replace(reply, confidence=reply.confidence / self._asked)


class DriftingScores(_Around):
    """Search gives other scores than asking does."""

    def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
        """The healthy hits with their scores halved."""
        return tuple(replace(hit, score=hit.score / 2) for hit in super().search(query, top_k))
