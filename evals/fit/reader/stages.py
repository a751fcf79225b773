"""The two stages of training the reader, in order, with what each is given.

The first stage learns to read on encyclopaedia passages, the second what people ask of essays and what essays
leave open, with some of the first stage's pairs among them so that it forgets nothing. A finished first stage
is kept in the cache folder and not trained again.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.fit.reader.pairs import Pair
from evals.fit.reader.training import FIRST_LAYER, Progress, ReaderTraining, Stage

READING = Stage(epochs=1, rate=1e-4, warm_up=80, with_spans=True)
ESSAYS = Stage(epochs=2, rate=7e-5, warm_up=20, with_spans=False)
MIXED_IN = 1_500
_SEED = 3


def train_reader(
    reading: Sequence[Pair],
    essays: Sequence[Pair],
    transformer: Any,
    tokenizer: Any,
    cache: Path,
    progress: Progress,
) -> ReaderTraining:
    """A reader trained in both stages."""
    training = ReaderTraining(transformer, tokenizer, seed=_SEED)
    kept = cache / f"reader-reading-{_key(reading)}.pt"
    if kept.exists():
        _load(training, kept)
    else:
        training.run(reading, READING, progress)
        _save(training, kept)
    training.reseed(_SEED)  # so that it makes no difference whether the first stage was kept
    mixed = random.Random(_SEED).sample(list(reading), min(MIXED_IN, len(reading)))
    training.run([*essays, *mixed], ESSAYS, progress)
    return training


def _key(pairs: Sequence[Pair]) -> str:
    text = "\0".join(f"{pair.question}\t{pair.passage}\t{pair.answers}\t{pair.spans}" for pair in pairs)
    return hashlib.sha256(f"{READING}{FIRST_LAYER}{text}".encode()).hexdigest()[:12]


def _save(training: ReaderTraining, path: Path) -> None:
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    layers = training.model.encoder.layer[FIRST_LAYER:].state_dict()
    torch.save({"layers": layers, "head": training.head.state_dict()}, path)


def _load(training: ReaderTraining, path: Path) -> None:
    import torch

    state = torch.load(path, weights_only=True)
    training.model.encoder.layer[FIRST_LAYER:].load_state_dict(state["layers"])
    training.head.load_state_dict(state["head"])
