"""Encoded texts and read pairs, kept on disk between runs under a hash over the texts and the model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.confidence.reader import Reader, passage_text
from rag.encoding.encoder import Encoder
from rag.records import Passage

Vectors = npt.NDArray[np.float32]


class VectorCache:
    """An encoder with a memory.

    Args:
        folder: Where rows are kept.
        encoder: What encodes.
    """

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self._folder = folder
        self._encoder = encoder
        self.encoder_name = encoder.name
        folder.mkdir(parents=True, exist_ok=True)

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors of questions, shape (len(texts), dimension)."""
        return self._kept("query", texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Vectors of passages, shape (len(texts), dimension)."""
        return self._kept("passage", texts)

    def _kept(self, kind: str, texts: Sequence[str]) -> Vectors:
        key = hashlib.sha256("\0".join([self._encoder.revision, kind, *texts]).encode()).hexdigest()[:16]
        path = self._folder / f"{kind}-{key}.npy"
        if not path.exists():
            encode = self._encoder.encode_queries if kind == "query" else self._encoder.encode_passages
            np.save(path, encode(texts))
        rows: Vectors = np.load(path)
        return rows


class LogitCache:
    """A reader with a memory on disk.

    Args:
        folder: Where logits are kept, in a file for each revision of the reader.
        reader: What reads.
    """

    def __init__(self, folder: Path, reader: Reader) -> None:
        self._reader = reader
        self.revision = reader.revision
        self._path = folder / f"logits-{reader.revision}.json"
        self._known: dict[str, float] = (
            json.loads(self._path.read_text(encoding="utf-8")) if self._path.exists() else {}
        )

    def read(self, question: str, passages: Sequence[Passage]) -> npt.NDArray[np.float64]:
        """As the reader, which reads one passage at a time anyway."""
        return np.array([self._logit(question, passage) for passage in passages])

    def save(self) -> None:
        """Write what is known, with what another run has written meanwhile."""
        if self._path.exists():
            self._known = json.loads(self._path.read_text(encoding="utf-8")) | self._known
        self._path.write_text(json.dumps(self._known), encoding="utf-8")

    def _logit(self, question: str, passage: Passage) -> float:
        text = passage_text(passage.document.authors, passage.document.title, passage.chunk.text)
        key = hashlib.sha256(f"{question}\0{text}".encode()).hexdigest()[:20]
        if key not in self._known:
            self._known[key] = float(self._reader.read(question, [passage])[0])
        return self._known[key]
