"""Encode a collection anew beside the live index, and swap it in whole.

Vectors made with the new model go to the store as they are made, some thousand texts at a time, so a kill
loses little and the next attempt goes on from there. The collection answers from the old ones until, in one
step under its lock, what came meanwhile is encoded too, the store switches over and the new state is loaded.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Sequence

from api.engine_parts import EngineParts, Model
from api.library.collection import LiveCollection
from api.library.preparing import batches, count_texts, encode
from api.library.snapshots import encoder_key
from api.library.storing import forget_unused_models, live_rows, stored_vectors
from api.library.tasks import Report
from index.store import Store
from rag.encoding.encoder import BUNDLED_ENCODER, shown_name
from rag.errors import CewenError, EncoderError
from rag.inputs import excerpt
from rag.rows import DocumentRows

_log = logging.getLogger(__name__)


class Reindexing:
    """One change of encoder.

    Args:
        store: The truth.
        collection: Which.
        parts: Load the model.
        encoder: Its name; None for the one of the settings.
        report: Told how far it is; what it raises ends it, and nothing has changed for those who ask.
    """

    def __init__(
        self,
        store: Store,
        collection: LiveCollection,
        parts: EngineParts,
        encoder: str | None,
        report: Report,
    ) -> None:
        self._store = store
        self._collection = collection
        self._parts = parts
        self._encoder = encoder
        self._report = report
        self._done = 0

    def run(self) -> int:
        """Do it; how many texts were encoded.

        Raises:
            EncoderError: If the model cannot be loaded.
            IndexFileError: If the store cannot be written.
        """
        try:
            return self._run()
        finally:
            # The one that was used before, or the new one if it came to nothing.
            with contextlib.suppress(CewenError):
                forget_unused_models(self._store, self._parts)

    def _run(self) -> int:
        model = self._model()
        self._complete(model)
        self._collection.swap_encoder(self._encoder, lambda: self._complete(model), self._report.decide)
        self._collection.write_generation(always=True)
        return self._done

    def _model(self) -> Model:
        """The model that was asked for; why it cannot be loaded goes to the log, as it may name paths."""
        try:
            return self._parts.model(self._encoder)
        except EncoderError as error:
            _log.warning("the encoder for %r cannot be used: %s", self._collection.name, error.message)
            wanted = f"编码模型{excerpt(self._encoder)}" if self._encoder else "设置里的编码模型"
            now = shown_name(self._collection.snapshot.model.encoder.name)
            raise EncoderError(
                f"{wanted}找不到或打不开，没有改动，文库照旧用 {now}。encoder 可以写 {BUNDLED_ENCODER}"
                "（自带的）、服务所在机器上模型文件夹的路径，或已经下载到那里的模型的名字；不写就用设置里的。"
            ) from error

    def _complete(self, model: Model) -> None:
        """Make the vectors that are missing."""
        missing = self._missing(model)
        total = self._done + sum(map(count_texts, missing))
        for batch in batches(missing):
            before = self._done

            def told(done: int, _: int, before: int = before) -> None:
                self._report(before + done, total)

            made = encode(batch, model.encoder, told)
            self._store.put_vectors(
                self._collection.name, encoder_key(model.encoder), list(map(stored_vectors, made))
            )
            self._done = before + sum(map(count_texts, batch))
        self._report(self._done, self._done)

    def _missing(self, model: Model) -> Sequence[DocumentRows]:
        name = self._collection.name
        have = {
            one.document_id: one.rows_sha256 for one in self._store.stamps(name, encoder_key(model.encoder))
        }
        return [
            row
            for stored in self._store.sources(name)
            for row in live_rows(stored, self._parts)
            if have.get(row.document.document_id) != row.sha256
        ]
