"""A service in this process, built at the same assembly point as the REST service.

Answers take the way through the published JSON (`api.wire.convert`), so a field that is lost there is lost
here too. Texts to judge against are read from the folder anew, not asked of the engine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.resources import files

from evals.service import Hit, Reply, Service, Subject, read_document, read_hit, read_reply
from evals.sources import read_untouched
from rag.engine import Engine
from rag.records import Turn
from rag.settings import Settings

Progress = Callable[[str, int, int], None]
"""Called with (what is being encoded, rows done, rows in all)."""


class EngineService:
    """An engine behind the seam.

    Args:
        engine: A ready one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """Answer a question."""
        from api.wire.convert import ask_reply

        answer = self._engine.ask(question, history=history, explain=True)
        return read_reply(ask_reply(answer).model_dump(mode="json"))

    def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
        """The best passages, best first."""
        from api.wire.convert import hit

        found = self._engine.search(query, top_k=top_k)
        return tuple(read_hit(hit(passage).model_dump(mode="json")) for passage in found)


def open_subject(settings: Settings, progress: Progress | None = None) -> Subject:
    """The service that the settings describe.

    Raises:
        ConfigError: If seeds, model or settings are unusable.
        IndexFileError: If the index cannot be built.
    """
    from api.assembly import load_encoder, open_engine
    from evals.remembering import RememberingEncoder, remembering_reader

    inner = load_encoder(settings)
    encoder, reader = RememberingEncoder(inner), remembering_reader(settings, inner)
    return subject_of(open_engine(settings, encoder=encoder, reader=reader, progress=progress), settings)


def subject_of(engine: Engine, settings: Settings) -> Subject:
    """An engine that is open already, with its texts read anew from the settings' folder."""
    from api.wire.convert import document_detail

    weights = (files("rag.ranking") / "weights.json").read_bytes()
    return Subject(
        service=EngineService(engine),
        sources=read_untouched(settings.seeds_dir),
        documents=tuple(
            read_document(document_detail(document).model_dump(mode="json"))
            for document in engine.documents()
        ),
        described={
            "fingerprint": engine.fingerprint,
            "encoder": settings.encoder.rsplit("/", 1)[-1],
            "ranking_weights_sha256": hashlib.sha256(weights).hexdigest(),
            "generator": settings.generator,
            "chunk_max_chars": settings.chunk_max_chars,
            "candidates_per_arm": settings.candidates_per_arm,
            "false_answer_rate": settings.false_answer_rate,
            "reader": settings.reader,
            "answer_max_chars": settings.answer_max_chars,
        },
    )


def with_service(subject: Subject, service: Service) -> Subject:
    """The same corpus behind another service."""
    return replace(subject, service=service)
