"""Write a trained reader as the file that ships: its difference to the encoder, int8 rows with a scale.

    change[i, j] ~ q[i, j] * s[i],   s[i] = max_j |change[i, j]| / 127

Vectors (biases, layer norms) and the head are kept as float16 and float32.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.fit.reader.training import FIRST_LAYER, ReaderTraining

Arrays = dict[str, npt.NDArray[Any]]


def packed(training: ReaderTraining, transformer: Any) -> Arrays:
    """The arrays of the file.

    Args:
        training: What was trained.
        transformer: What it was trained from.
    """
    before = dict(transformer.encoder.layer[FIRST_LAYER:].named_parameters())
    arrays: Arrays = {"first_layer": np.array(FIRST_LAYER)}
    for name, after in training.model.encoder.layer[FIRST_LAYER:].named_parameters():
        change = (after.detach() - before[name].detach()).numpy()
        if change.ndim == 1:
            arrays[name] = change.astype(np.float16)
            continue
        scale = np.maximum(np.abs(change).max(axis=1), 1e-12) / 127
        arrays[name] = np.round(change / scale[:, None]).astype(np.int8)
        arrays[f"{name}.scale"] = scale.astype(np.float32)
    arrays["head.weight"] = training.head.weight.detach().numpy()[0].astype(np.float32)
    arrays["head.bias"] = training.head.bias.detach().numpy()[0].astype(np.float32)
    digest = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest()
    return arrays | {"revision": np.array(digest[:16])}


def write_reader(path: Path, arrays: Arrays) -> None:
    """Write the file."""
    np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
