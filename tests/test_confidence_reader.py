"""The bundled reader: how a pair is laid out, what its logits are, and that it leaves the encoder alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.fit.reader.packing import Arrays, packed, write_reader
from evals.fit.reader.pairs import Pair
from evals.fit.reader.training import FIRST_LAYER, ReaderTraining
from rag.confidence.reader import (
    MAX_TOKENS,
    QUESTION_MAX_TOKENS,
    WEIGHTS_FILE,
    BundledReader,
    pair_tokens,
    passage_text,
)
from rag.encoding.encoder import SentenceTransformerEncoder
from rag.errors import ConfigError
from rag.text.folding import fold_for_encoder
from tests.confidence_samples import passages_of, tea_rows
from tests.tiny_transformer import HAN, character_tokenizer, tiny_transformer

CORPUS = tea_rows()
PASSAGES = passages_of(CORPUS, [0, 1, 2, 3])
QUESTIONS = ("老船工怎么认路？", "茶園種下多少株茶樹？", "How many workers pick tea?", "？")
_START, _END = 0, 2


@pytest.fixture(scope="module")
def reader(bundled_encoder: SentenceTransformerEncoder) -> BundledReader:
    return BundledReader(bundled_encoder.transformer, bundled_encoder.tokenizer)


def ids_of(tokenizer: Any, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(fold_for_encoder(text), add_special_tokens=False).ids
    return ids


def dequantised(arrays: Arrays, name: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """change[i, j] = q[i, j] * s[i], or what is stored where there is no scale; in double precision."""
    change = arrays[name].astype(np.float64)
    scale = f"{name}.scale"
    return change * arrays[scale].astype(np.float64)[:, None] if scale in arrays else change


def logit_by_whole_model(transformer: Any, arrays: Arrays, tokens: list[int]) -> float:
    """w · h[0] + b of the whole transformer, its parameters replaced by their sum with the stored change."""
    import torch

    first = int(arrays["first_layer"])
    replaced = {}
    for name, parameter in transformer.encoder.layer[first:].named_parameters():
        place, rest = name.split(".", 1)
        value = parameter.detach().double() + torch.from_numpy(dequantised(arrays, name))
        replaced[f"encoder.layer.{first + int(place)}.{rest}"] = value.float()
    inputs = {"input_ids": torch.tensor([tokens]), "attention_mask": torch.ones((1, len(tokens)))}
    with torch.inference_mode():
        found = torch.func.functional_call(transformer, replaced, kwargs=inputs).last_hidden_state
    weights = arrays["head.weight"].astype(np.float64)
    return float(found[0, 0].numpy().astype(np.float64) @ weights) + float(arrays["head.bias"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_a_pair_is_laid_out_between_borders(
    bundled_encoder: SentenceTransformerEncoder, question: str
) -> None:
    tokenizer, text = bundled_encoder.tokenizer, "《制茶三法》茶汤之所以发苦，是因为水太烫。"
    expected = [_START, *ids_of(tokenizer, question), _END, _END, *ids_of(tokenizer, text), _END]
    assert pair_tokens(tokenizer, question, text) == expected


def test_the_layout_is_the_tokenizer_s_own_for_pairs(bundled_encoder: SentenceTransformerEncoder) -> None:
    tokenizer, question, text = bundled_encoder.tokenizer, "老船工怎么认路？", "老船工看星认路，也看水色。"
    assert pair_tokens(tokenizer, question, text) == tokenizer.encode(question, text).ids


def test_an_empty_side_leaves_its_borders(bundled_encoder: SentenceTransformerEncoder) -> None:
    assert pair_tokens(bundled_encoder.tokenizer, "", " \u200b") == [_START, _END, _END, _END]


def test_spelling_is_folded_for_both_sides(bundled_encoder: SentenceTransformerEncoder) -> None:
    tokenizer = bundled_encoder.tokenizer
    assert pair_tokens(tokenizer, "製茶　幾步？", "ＡＩ賦能") == pair_tokens(
        tokenizer, "制茶 几步?", "AI赋能"
    )
    # Case is not: the encoder knows it.
    assert pair_tokens(tokenizer, "AI", "x") != pair_tokens(tokenizer, "ai", "x")


@pytest.mark.parametrize("asked", [95, 96, 97, 400])
@pytest.mark.parametrize("read", [10, 400])
def test_the_question_is_cut_first_and_then_the_passage(asked: int, read: int) -> None:
    tokenizer = character_tokenizer()
    tokens = pair_tokens(tokenizer, "茶" * asked, "船" * read)
    tea, ship = tokenizer.token_to_id("茶"), tokenizer.token_to_id("船")
    kept = min(asked, QUESTION_MAX_TOKENS)
    # Four borders: 1 + kept + 2 + passage + 1.
    shown = min(read, MAX_TOKENS - kept - 4)
    assert tokens == [_START, *[tea] * kept, _END, _END, *[ship] * shown, _END]
    assert len(tokens) == min(MAX_TOKENS, kept + read + 4)


def test_a_short_question_leaves_its_room_to_the_passage() -> None:
    assert len(pair_tokens(character_tokenizer(), "茶", "船" * 250)) == 255
    assert len(pair_tokens(character_tokenizer(), "茶", "船" * 251)) == 256
    assert len(pair_tokens(character_tokenizer(), "茶", "船" * 252)) == 256


@settings(max_examples=60)
@given(
    question=st.text(
        alphabet=st.characters(exclude_characters="<>", exclude_categories=["Cs"]), max_size=300
    ),
    text=st.text(alphabet=HAN + "，。Ab9 ", max_size=600),
)
def test_every_pair_is_bounded(bundled_encoder: SentenceTransformerEncoder, question: str, text: str) -> None:
    tokens = pair_tokens(bundled_encoder.tokenizer, question, text)
    assert len(tokens) <= MAX_TOKENS
    border = tokens.index(_END)
    assert border - 1 <= QUESTION_MAX_TOKENS
    assert (tokens[0], tokens[border + 1], tokens[-1]) == (_START, _END, _END)
    asked, shown = tokens[1:border], tokens[border + 2 : -1]
    # Each side is a beginning of what its text gives alone.
    assert asked == ids_of(bundled_encoder.tokenizer, question)[:QUESTION_MAX_TOKENS]
    assert shown == ids_of(bundled_encoder.tokenizer, text)[: MAX_TOKENS - len(asked) - 4]


@pytest.mark.parametrize(
    ("authors", "title", "shown"),
    [
        (("陆青山",), "制茶三法", "陆青山《制茶三法》茶。"),
        (("周海生", "冯远帆"), None, "周海生、冯远帆茶。"),
        ((), "制茶三法", "《制茶三法》茶。"),
        ((), None, "茶。"),
        ((), "", "茶。"),
    ],
)
def test_a_passage_is_read_under_its_authors_and_title(
    authors: tuple[str, ...], title: str | None, shown: str
) -> None:
    assert passage_text(authors, title, "茶。") == shown


def test_logits_are_those_of_the_whole_model(
    reader: BundledReader, bundled_encoder: SentenceTransformerEncoder
) -> None:
    with (files("rag.confidence") / WEIGHTS_FILE).open("rb") as handle, np.load(handle) as data:
        arrays = dict(data)
    assert reader.revision == str(arrays["revision"])
    for question, passage in ((QUESTIONS[0], PASSAGES[2]), (QUESTIONS[1], PASSAGES[0])):
        document = passage.document
        text = passage_text(document.authors, document.title, passage.chunk.text)
        tokens = pair_tokens(bundled_encoder.tokenizer, question, text)
        expected = logit_by_whole_model(bundled_encoder.transformer, arrays, tokens)
        assert reader.read(question, [passage])[0] == pytest.approx(expected, abs=2e-3)


@pytest.mark.parametrize("question", QUESTIONS)
def test_logits_are_the_same_one_by_one_together_and_again(reader: BundledReader, question: str) -> None:
    together = reader.read(question, PASSAGES)
    assert together.shape == (len(PASSAGES),)
    assert together.dtype == np.float64
    assert np.isfinite(together).all()
    assert together.tolist() == [reader.read(question, [passage])[0] for passage in PASSAGES]
    assert together.tolist() == reader.read(question, PASSAGES).tolist()
    assert together.tolist() == reader.read(question, PASSAGES[::-1]).tolist()[::-1]
    assert together.tolist() == [round(logit, 4) for logit in together.tolist()]


def test_no_passages_have_no_logits(reader: BundledReader) -> None:
    assert reader.read("茶", ()).shape == (0,)


def test_reading_depends_on_both_sides(reader: BundledReader) -> None:
    logits = {reader.read(question, [passage])[0] for question in QUESTIONS for passage in PASSAGES}
    assert len(logits) > len(QUESTIONS) * len(PASSAGES) // 2


def test_the_encoder_s_own_vectors_do_not_change(bundled_encoder: SentenceTransformerEncoder) -> None:
    texts = ["老船工看星认路。", "茶汤之所以发苦，是因为水太烫。"]

    def vectors() -> tuple[bytes, bytes]:
        passages = bundled_encoder.encode_passages(texts)
        return bundled_encoder.encode_queries(texts).tobytes(), passages.tobytes()

    before = vectors()
    BundledReader(bundled_encoder.transformer, bundled_encoder.tokenizer).read("老船工怎么认路？", PASSAGES)
    assert vectors() == before
    assert not bundled_encoder.transformer.training


def test_two_threads_at_once_read_the_same(reader: BundledReader) -> None:
    expected = {question: reader.read(question, PASSAGES).tolist() for question in QUESTIONS[:2]}
    start = Barrier(2)

    def read(question: str) -> list[list[float]]:
        start.wait(timeout=30)
        found: list[list[float]] = [reader.read(question, PASSAGES).tolist() for _ in range(3)]
        return found

    with ThreadPoolExecutor(2) as pool:
        for question, found in zip(QUESTIONS[:2], pool.map(read, QUESTIONS[:2]), strict=True):
            assert found == [expected[question]] * 3


@pytest.mark.parametrize(
    "shape",
    [
        {"width": 32, "layers": 8},  # other rows
        {"width": 384, "layers": 13},  # more layers than are stored
    ],
)
def test_weights_that_do_not_fit_are_refused(shape: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match=r"reader\.npz 与离线模型不符"):
        BundledReader(tiny_transformer(**shape), character_tokenizer())


def changed_training(transformer: Any) -> tuple[ReaderTraining, dict[str, np.ndarray[Any, Any]]]:
    """A training whose upper layers and head were moved by known amounts; the amounts by stored name."""
    import torch

    training = ReaderTraining(transformer, character_tokenizer())
    generator = np.random.default_rng(4)
    moved: dict[str, np.ndarray[Any, Any]] = {}
    for name, parameter in training.model.encoder.layer[FIRST_LAYER:].named_parameters():
        change = generator.normal(scale=0.02, size=parameter.shape).astype(np.float32)
        if change.ndim == 2:
            change[0] = 0.0  # a row that did not change
            change[1] *= 50  # and one that changed much: each row has its own scale
        moved[name] = change
        with torch.no_grad():
            parameter.add_(torch.from_numpy(change))
    with torch.no_grad():
        training.head.weight.copy_(torch.arange(32.0)[None] / 32)
        training.head.bias.fill_(-0.75)
    return training, moved


def test_packed_changes_come_back_within_half_a_step() -> None:
    transformer = tiny_transformer()
    training, moved = changed_training(transformer)
    arrays = packed(training, transformer)
    matrices = {name for name, change in moved.items() if change.ndim == 2}
    assert set(arrays) == {
        "first_layer",
        "revision",
        "head.weight",
        "head.bias",
        *moved,
        *(f"{name}.scale" for name in matrices),
    }
    for name, change in moved.items():
        back = dequantised(arrays, name)
        if name in matrices:
            assert arrays[name].dtype == np.int8
            largest = np.abs(change).max(axis=1)
            # Adding and subtracting in single precision moves a change by some 1e-7.
            assert (np.abs(back - change) <= largest[:, None] / 127 / 2 + 1e-6).all()
            assert (np.abs(arrays[name][1:].astype(int)).max(axis=1) == 127).all()
            assert not arrays[name][0].any()
        else:
            assert arrays[name].dtype == np.float16
            np.testing.assert_allclose(back, change, rtol=2**-10, atol=1e-6)
    assert arrays["head.weight"].tolist() == [place / 32 for place in range(32)]
    assert float(arrays["head.bias"]) == -0.75
    assert int(arrays["first_layer"]) == 6


def test_a_written_reader_gives_the_logits_of_the_trained_one(tmp_path: Path) -> None:
    transformer = tiny_transformer()
    training, _ = changed_training(transformer)
    write_reader(tmp_path / "reader.npz", packed(training, transformer))
    with np.load(tmp_path / "reader.npz") as data:
        arrays = dict(data)
    pairs = [Pair("谁守灯", "守灯人每晚点灯", True), Pair("茶园有多少株", "船在海上", False)]
    for pair, score in zip(pairs, training.scores(pairs), strict=True):
        tokens = pair_tokens(character_tokenizer(), pair.question, pair.passage)
        assert logit_by_whole_model(transformer, arrays, tokens) == pytest.approx(score, abs=0.05)


def test_the_revision_follows_the_weights() -> None:
    import torch

    transformer = tiny_transformer()
    training, _ = changed_training(transformer)
    first = packed(training, transformer)["revision"]
    assert first == packed(training, transformer)["revision"]
    assert len(str(first)) == 16
    with torch.no_grad():
        training.head.bias.add_(0.5)
    other = packed(training, transformer)["revision"]
    untouched = packed(ReaderTraining(transformer, character_tokenizer()), transformer)
    assert len({str(first), str(other), str(untouched["revision"])}) == 3
    assert not any(untouched[name].any() for name in untouched if name.endswith("query.weight"))
