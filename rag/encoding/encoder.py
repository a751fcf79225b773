"""Text to unit vectors: the `Encoder` seam and its one implementation, over `SentenceTransformer`.

Every model, the offline default included, is loaded by `SentenceTransformer`; a model's own prompts for
queries and passages are used where its folder names them, so asymmetric models (E5, BGE, GTE, Qwen)
work by naming their folder. Torch is imported when an encoder is built, not before.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.encoding.e5_folder import e5_folder, folder_revision, unpacked_e5_folder
from rag.errors import EncoderError
from rag.text.folding import fold_for_encoder

Vectors = npt.NDArray[np.float32]
Progress = Callable[[int, int], None]
"""Called with (rows done, rows in all)."""

BUNDLED_ENCODER = "bundled:multilingual-e5-small"
_BATCH = 32
_MODEL_FILES = ("modules.json", "config.json")
"""Any folder that sentence-transformers can load holds one of these."""


class Encoder(Protocol):
    """Turns text into unit vectors. Two methods, because questions and passages are encoded differently."""

    @property
    def name(self) -> str:
        """The model's name, as set."""

    @property
    def revision(self) -> str:
        """Changes when the weights do."""

    @property
    def dimension(self) -> int:
        """Length of a vector."""

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Shape (len(texts), dimension), float32, rows of unit length."""

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Shape (len(texts), dimension), float32, rows of unit length."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, without those that mark its ends."""


class SentenceTransformerEncoder:
    """An encoder over any sentence-transformers model.

    Args:
        model: `bundled:multilingual-e5-small`, a local folder, or a hub name (which needs network or a
            filled cache).
        cache_dir: Where the bundled model is unpacked.
        threads: Torch threads for passages; the result does not depend on it.
        offline: Whether a hub name must be in the cache already.

    Raises:
        EncoderError: If the model cannot be found or loaded.
    """

    def __init__(self, model: str, cache_dir: Path, threads: int, *, offline: bool = False) -> None:
        self._name = model
        self._threads = threads
        folder = unpacked_e5_folder(cache_dir) if model == BUNDLED_ENCODER else _folder_named(model)
        self._revision = folder_revision(folder) if folder is not None else model
        self._model = (
            _load(model, local_only=offline) if folder is None else _load(str(folder), local_only=True)
        )
        self._dimension = int(self._model.get_embedding_dimension() or 0)

    def under(self, model: str) -> SentenceTransformerEncoder:
        """The same model, loaded once, under another name that means it."""
        other = copy.copy(self)
        other._name = model
        return other

    @property
    def name(self) -> str:
        """The model's name, as set."""
        return shown_name(self._name)

    @property
    def revision(self) -> str:
        """Changes when the weights do."""
        return self._revision

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        return self._dimension

    @property
    def transformer(self) -> Any:
        """The transformer inside, for what shares its layers; not to be changed."""
        return self._model[0].model

    @property
    def tokenizer(self) -> Any:
        """Its `tokenizers.Tokenizer`."""
        return self._model.tokenizer.backend_tokenizer

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """Encode questions, one at a time: a batch's padding would change the last bits of a vector.

        On one thread: a question is too short to share out, and requests side by side would fight for
        the cores.
        """
        _use_threads(1)
        rows = [self._model.encode_query([fold_for_encoder(text)], **_QUIET)[0] for text in texts]
        return np.asarray(rows, np.float32).reshape(len(rows), self._dimension)

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Encode passages in batches of similar length."""
        _use_threads(self._threads)
        folded = [fold_for_encoder(text) for text in texts]
        order = sorted(range(len(folded)), key=lambda i: (-len(folded[i]), i))
        vectors = np.empty((len(folded), self._dimension), np.float32)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            vectors[rows] = self._model.encode_document([folded[i] for i in rows], **_QUIET)
            if progress:
                progress(min(start + _BATCH, len(order)), len(order))
        return vectors

    def count_tokens(self, text: str) -> int:
        """Tokens of `text` as this model's tokenizer cuts it, however long it is."""
        # Not `verbose`, which warns of texts longer than the model takes; nothing is encoded here.
        return len(self._model.tokenizer.encode(text, add_special_tokens=False, verbose=False))


def shown_name(model: str) -> str:
    """What a model is called in keys and lists: its name as set, or the last part of its folder's path."""
    return model if model == BUNDLED_ENCODER else Path(model).name


def model_place(model: str, cache_dir: Path) -> str:
    """What a model's name means: the resolved path of its folder, or its name on the hub. Loads nothing.

    Raises:
        EncoderError: If the folder holds no model, or the bundled one is not installed.
    """
    folder = e5_folder(cache_dir) if model == BUNDLED_ENCODER else _folder_named(model)
    return model if folder is None else str(folder.resolve())


def stored_revision(model: str, cache_dir: Path) -> str | None:
    """A model's revision without loading it; None for the bundled one before it has been unpacked.

    Raises:
        EncoderError: As `model_place`.
    """
    place = Path(model_place(model, cache_dir))
    if place.is_dir():
        return folder_revision(place)
    return None if model == BUNDLED_ENCODER else model


_QUIET: dict[str, Any] = {"normalize_embeddings": True, "show_progress_bar": False, "convert_to_numpy": True}


def _use_threads(threads: int) -> None:
    """Set torch's threads for the calling thread (OpenMP keeps the number per thread)."""
    import torch

    torch.set_num_threads(threads)


def _folder_named(model: str) -> Path | None:
    """The local model folder of that name; None if there is no folder, whatever the name is made of.

    Raises:
        EncoderError: If the folder holds no model. Its revision would be looked for all through "/".
    """
    try:
        folder = Path(model).expanduser()
        if not folder.is_dir():
            return None
        is_model = any((folder / name).is_file() for name in _MODEL_FILES)
    except (OSError, ValueError, RuntimeError):  # too long for a name, a NUL in it, no such person's home
        return None
    if not is_model:
        raise EncoderError(
            f"文件夹 {model!r} 里没有编码模型（没有 {'、'.join(_MODEL_FILES)}）。"
            "请检查 CEWEN_ENCODER（本地文件夹或模型名）。"
        )
    return folder


def _load(path: str, *, local_only: bool) -> Any:
    if local_only:
        # Without this the hub client asks the network for newer files even for what is local.
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # OpenMP reads it when torch brings it in. By default a thread that has done its share spins until the
    # others have: on busy cores passages took twice the processor time, and up to twice as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        return SentenceTransformer(path, device="cpu", local_files_only=local_only)
    except (OSError, ValueError, ImportError, RuntimeError) as error:
        raise EncoderError(
            f"无法加载编码模型 {path!r}：{error}。请检查 CEWEN_ENCODER（本地文件夹或模型名）。"
        ) from error
