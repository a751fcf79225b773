"""An encoder that does not encode the same question twice, so that an evaluation takes half the time.

A question is asked and then searched, and both encode it. Remembering a few texts saves the second time
and nothing else: a second run, which asks in another order, encodes everything anew.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from rag.encoding.encoder import Encoder

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

    def _vector(self, text: str) -> Vectors:
        if text not in self._known:
            self._known[text] = self._inner.encode_queries([text])[0]
            if self._keep is not None and len(self._known) > self._keep:
                self._known.popitem(last=False)
        return self._known[text]
