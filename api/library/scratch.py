"""Vectors of a long text on its way in, kept as they are made, so that a restart goes on from there.

Files beside the store, one for some thousand texts. They are a help and nothing more: one that cannot be
written is done without, one that is not what it should be is made again. They go with the job.
"""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

FOLDER_NAME = "encoding"
_DIGEST_BYTES = 32

_log = logging.getLogger(__name__)


class Scratch:
    """The vectors that one job has made.

    Args:
        folder: Of this job alone; made when first needed.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(
        self, number: int, encoder: str, texts: Sequence[str], dimension: int
    ) -> npt.NDArray[np.float32] | None:
        """The vectors that were kept for a batch of texts.

        Args:
            number: Of the batch, from 0.
            encoder: Name and revision of what makes them.
            texts: What they are made of.
            dimension: Length of a vector.

        Returns:
            Shape (texts, dimension); None if there are none, or they are of something else.
        """
        try:
            stored = self._path(number).read_bytes()
        except OSError:
            return None
        data = stored[_DIGEST_BYTES:]
        if stored[:_DIGEST_BYTES] != _digest(encoder, texts, data):
            return None
        found: npt.NDArray[np.float32] = np.load(io.BytesIO(data), allow_pickle=False)
        return found if found.shape == (len(texts), dimension) and found.dtype == np.float32 else None

    def write(
        self, number: int, encoder: str, texts: Sequence[str], vectors: npt.NDArray[np.float32]
    ) -> None:
        """Keep the vectors of a batch; as for `read`."""
        buffer = io.BytesIO()
        np.save(buffer, vectors, allow_pickle=False)
        data = buffer.getvalue()
        path = self._path(number)
        beside = path.with_suffix(".new")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(_digest(encoder, texts, data) + data)
            beside.replace(path)
        except (FileNotFoundError, FileExistsError):  # the latter of a folder that goes while it is looked at
            pass  # the job was called off at this moment, and the folder is gone; its worker notices, too
        except OSError as error:
            _log.warning("the vectors made so far could not be kept: %s", error)

    def drop(self) -> None:
        """Forget all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:06}.vectors"


def scratch_of(store_folder: Path, job_id: str) -> Scratch:
    """The scratch of a job."""
    return Scratch(store_folder / FOLDER_NAME / job_id)


def keep_scratch_of(store_folder: Path, job_ids: Collection[str]) -> None:
    """Forget what jobs have left that are no more."""
    folder = store_folder / FOLDER_NAME
    try:
        left = [one for one in folder.iterdir() if one.name not in job_ids]
    except OSError:
        return
    for one in left:
        shutil.rmtree(one, ignore_errors=True)


def _digest(encoder: str, texts: Sequence[str], data: bytes) -> bytes:
    digest = hashlib.sha256(f"{len(texts)} {encoder}\n".encode())
    for text in texts:
        digest.update(f"{len(text)} {text}\n".encode())
    digest.update(data)
    return digest.digest()
