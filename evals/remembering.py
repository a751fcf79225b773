"""An encoder and a reader that do nothing twice, so that an evaluation takes half the time.

A question is asked and then searched, and both encode it. Remembering a few texts saves the second time
and nothing else: a second run, which asks in another order, encodes everything anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from rag.confidence.reader import Reader
from rag.encoding.encoder import Encoder
from rag.records import Passage
from rag.settings import Settings

Vectors = npt.NDArray[np.float32]


class RememberingEncoder:
    """Another encoder with a memory for questions.

    Args:
        inner: What encodes.
        keep: How many texts to remember, the latest; None for all.
    """

    def __init__(self, inner: Encoder, keep: int | None = 2) -> None:
        self._inner = inner
        self._keep = keep
        self._known: OrderedDict[str, Vectors] = OrderedDict()
        self.name, self.revision, self.dimension = inner.name, inner.revision, inner.dimension

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """As the inner encoder, one text at a time."""
        return np.stack([self._vector(text) for text in texts])

    def encode_passages(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> Vectors:
        """As the inner encoder."""
        return self._inner.encode_passages(texts, progress)

    def count_tokens(self, text: str) -> int:
        """As the inner encoder."""
        return self._inner.count_tokens(text)

    def _vector(self, text: str) -> Vectors:
        if text not in self._known:
            self._known[text] = self._inner.encode_queries([text])[0]
            if self._keep is not None and len(self._known) > self._keep:
                self._known.popitem(last=False)
        return self._known[text]


def remembering_reader(settings: Settings, encoder: Encoder) -> Reader | None:
    """The reader that the settings name, with a memory; it shares the bundled encoder's transformer."""
    from api.assembly import open_reader

    reader = open_reader(settings, encoder)
    return None if reader is None else RememberingReader(reader)


class RememberingReader:
    """Another reader with a memory for pairs of question and passage.

    Args:
        inner: What reads.
    """

    def __init__(self, inner: Reader) -> None:
        self._inner = inner
        self._known: dict[tuple[str, str, str], float] = {}
        self.revision = inner.revision

    def read(self, question: str, passages: Sequence[Passage]) -> npt.NDArray[np.float64]:
        """As the inner reader, which reads one passage at a time anyway."""
        return np.array([self._logit(question, passage) for passage in passages])

    def _logit(self, question: str, passage: Passage) -> float:
        key = (question, passage.document.document_id, passage.chunk.text)
        if key not in self._known:
            self._known[key] = float(self._inner.read(question, [passage])[0])
        return self._known[key]
