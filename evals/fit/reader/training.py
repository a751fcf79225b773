"""Train the reader's upper layers: cross-entropy on answers-or-not, and at first on where the answer stands.

    loss = BCE(w · h[0] + b, answers) + 0.25 (CE(starts) + CE(ends))

The second term (BERT's question answering heads, with the first token standing for "no answer"; Devlin et al.
2019) is used in the first stage only, whose pairs know where their answers stand, and thrown away afterwards.
Everything below `FIRST_LAYER` stays as it is, so that reader and encoder share it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.fit.reader.pairs import Pair
from rag.confidence.reader import pair_tokens
from rag.text.folding import fold_for_encoder

FIRST_LAYER = 6
_BATCH = 32
_SPAN_WEIGHT = 0.25
_IGNORED = -100

Progress = Callable[[int, int, float], None]
"""Called with (steps done, steps in all, mean loss since the last call)."""


@dataclass(frozen=True)
class Stage:
    """How to train.

    Attributes:
        epochs: Passes over the pairs.
        rate: Highest learning rate; it rises over `warm_up` steps and falls linearly.
        warm_up: Steps.
        with_spans: Whether the places of answers are learned too.
    """

    epochs: int
    rate: float
    warm_up: int
    with_spans: bool


@dataclass(frozen=True)
class _Item:
    tokens: list[int]
    answers: bool
    start: int
    end: int


class ReaderTraining:
    """A reader under training.

    Args:
        transformer: The encoder's transformer; a copy of it is trained.
        tokenizer: Its `tokenizers.Tokenizer`.
        seed: Of shuffling, initial heads and drop-out.
    """

    def __init__(self, transformer: Any, tokenizer: Any, *, seed: int = 3) -> None:
        import copy

        import torch

        self.reseed(seed)
        self._tokenizer = tokenizer
        self.model = copy.deepcopy(transformer)
        width = self.model.config.hidden_size
        self.head = torch.nn.Linear(width, 1)
        self._span_heads = torch.nn.Linear(width, 2)
        for name, parameter in self.model.named_parameters():
            parameter.requires_grad = _is_trained(name)

    def reseed(self, seed: int) -> None:
        """Begin shuffling and drop-out anew."""
        import torch

        torch.manual_seed(seed)
        self._random = random.Random(seed)

    def run(self, pairs: Sequence[Pair], stage: Stage, progress: Progress) -> None:
        """Train on pairs."""
        import torch

        items = [self._item(pair) for pair in pairs]
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        heads = [*self.head.parameters(), *self._span_heads.parameters()]
        optimiser = torch.optim.AdamW(
            [{"params": trained, "lr": stage.rate}, {"params": heads, "lr": 5 * stage.rate}],
            weight_decay=0.01,
        )
        steps = stage.epochs * math.ceil(len(items) / _BATCH)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimiser, lambda step: min(1, (step + 1) / stage.warm_up) * max(0.02, 1 - step / steps)
        )
        self.model.train()
        losses: list[float] = []
        done = 0
        for _ in range(stage.epochs):
            for batch in self._batches(items):
                loss = self._loss(batch, with_spans=stage.with_spans)
                loss.backward()
                torch.nn.utils.clip_grad_norm_([*trained, *heads], 1.0)
                optimiser.step()
                optimiser.zero_grad()
                schedule.step()
                losses.append(float(loss.item()))
                done += 1
                if done % 50 == 0 or done == steps:
                    progress(done, steps, float(np.mean(losses)))
                    losses = []
        self.model.eval()

    def scores(self, pairs: Sequence[Pair]) -> npt.NDArray[np.float64]:
        """Logits of pairs, shape (len(pairs),)."""
        import torch

        self.model.eval()
        items = [self._item(pair) for pair in pairs]
        order = sorted(range(len(items)), key=lambda place: len(items[place].tokens))
        found = np.zeros(len(items))
        with torch.no_grad():
            for at in range(0, len(order), _BATCH):
                places = order[at : at + _BATCH]
                hidden = self._hidden([items[place] for place in places])
                found[places] = self.head(hidden[:, 0]).squeeze(-1).numpy()
        return found

    def _loss(self, batch: Sequence[_Item], *, with_spans: bool) -> Any:
        import torch
        from torch.nn import functional

        with torch.autocast("cpu", dtype=torch.bfloat16):
            hidden = self._hidden(batch)
        hidden = hidden.float()
        first = functional.dropout(hidden[:, 0], 0.1)
        answers = torch.tensor([float(item.answers) for item in batch])
        loss = functional.binary_cross_entropy_with_logits(self.head(first).squeeze(-1), answers)
        if not with_spans:
            return loss
        lengths = torch.tensor([len(item.tokens) for item in batch])
        beyond = torch.arange(hidden.shape[1])[None, :] >= lengths[:, None]
        places = self._span_heads(hidden).masked_fill(beyond[:, :, None], -1e4)
        starts = torch.tensor([item.start for item in batch])
        ends = torch.tensor([item.end for item in batch])
        spans = functional.cross_entropy(places[:, :, 0], starts, ignore_index=_IGNORED)
        spans = spans + functional.cross_entropy(places[:, :, 1], ends, ignore_index=_IGNORED)
        return loss + _SPAN_WEIGHT * spans

    def _hidden(self, batch: Sequence[_Item]) -> Any:
        import torch

        longest = max(len(item.tokens) for item in batch)
        ids = torch.ones((len(batch), longest), dtype=torch.long)
        mask = torch.zeros((len(batch), longest), dtype=torch.long)
        for row, item in enumerate(batch):
            ids[row, : len(item.tokens)] = torch.tensor(item.tokens)
            mask[row, : len(item.tokens)] = 1
        return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    def _item(self, pair: Pair) -> _Item:
        tokens = pair_tokens(self._tokenizer, pair.question, pair.passage)
        if not pair.answers:
            return _Item(tokens, False, 0, 0)
        start, end = self._answer_tokens(pair, tokens)
        return _Item(tokens, True, start, end)

    def _answer_tokens(self, pair: Pair, tokens: Sequence[int]) -> tuple[int, int]:
        """Positions of the first and last token of the answer in the pair; ignored if it is not there."""
        text = fold_for_encoder(pair.passage)
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        before = tokens.index(2) + 2  # the question, its two borders
        for span in pair.spans:
            wanted = fold_for_encoder(span)
            at = text.find(wanted)
            rows = [
                row
                for row, (start, end) in enumerate(encoded.offsets)
                if at >= 0 and end > at and start < at + len(wanted) and before + row < len(tokens) - 1
            ]
            if rows:
                return before + rows[0], before + rows[-1]
        return _IGNORED, _IGNORED

    def _batches(self, items: Sequence[_Item]) -> Iterator[list[_Item]]:
        """Batches of like length, shuffled."""
        order = list(range(len(items)))
        self._random.shuffle(order)
        for at in range(0, len(order), 40 * _BATCH):
            block = sorted(order[at : at + 40 * _BATCH], key=lambda place: len(items[place].tokens))
            batches = [block[start : start + _BATCH] for start in range(0, len(block), _BATCH)]
            self._random.shuffle(batches)
            for batch in batches:
                yield [items[place] for place in batch]


def _is_trained(name: str) -> bool:
    """Whether a parameter of the transformer is trained: those of the layers from `FIRST_LAYER` on."""
    parts = name.split(".")
    return parts[:2] == ["encoder", "layer"] and int(parts[2]) >= FIRST_LAYER
