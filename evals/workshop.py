"""Engines over one corpus and one encoder that differ in one thing, put together from the assembly's parts.

Questions are encoded once for all of them: what is broken is never the encoder.
"""

from __future__ import annotations

from collections.abc import Callable

from api.assembly import EngineParts, Progress, load_encoder, open_engine, open_snapshot
from evals.remembering import RememberingEncoder, remembering_reader
from evals.sabotage_index import ArmSet
from evals.service import Service
from evals.service_engine import EngineService
from rag.ranking.arms import SearchIndex
from rag.records import DEFAULT_COLLECTION
from rag.settings import Settings


class EngineWorkshop:
    """Builds the engines of `evals.sabotage`.

    Args:
        settings: Of the healthy engine.
        progress: Told of the encoding, where an index must be built.
    """

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        self._settings = settings
        inner = load_encoder(settings)
        self._encoder = RememberingEncoder(inner, keep=None)
        self._reader = remembering_reader(settings, inner)
        self.engine = open_engine(settings, encoder=self._encoder, reader=self._reader, progress=progress)

    def healthy(self) -> Service:
        """As it is served."""
        return EngineService(self.engine)

    def with_rate(self, rate: float) -> Service:
        """With another rate of false answers."""
        settings = self._settings.model_copy(update={"false_answer_rate": rate})
        return EngineService(
            open_engine(settings, encoder=self._encoder, reader=self._reader, rebuild="never")
        )

    def with_index(self, change: Callable[[SearchIndex, int, int], ArmSet]) -> Service:
        """On a changed index."""
        encoder, reader = self._encoder, self._reader
        state = open_snapshot(self._settings, encoder=encoder, reader=reader, rebuild="never")
        broken = change(state.index, len(state.corpus.chunks), len(state.corpus.sentences))
        maker = EngineParts(self._settings, encoder=encoder, reader=reader)
        model, fingerprint = maker.model(), state.fingerprint
        return EngineService(
            maker.engine(
                state.corpus, broken, model, collection=DEFAULT_COLLECTION, index_fingerprint=fingerprint
            )
        )
