"""Writes tiny `E5S1` files byte by byte, for tests of their reader."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

PIECES = ("<s>", "<pad>", "</s>", "<unk>", "▁", "茶", "船", "▁a")
SCORES = (0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -3.5, -4.0)
CODE_POINTS = {0xFF21: "A", 0x3000: " ", 0x200B: ""}
SHAPE = (4, 1, 2, 8, len(PIECES), 16, 1)
"""hidden, layers, heads, ffn, vocabulary, positions, token types"""


def q4_block(scale: float, nibbles: Sequence[int]) -> bytes:
    """32 weights: a float16 scale and 16 bytes; low nibbles are weights 0-15, high ones 16-31."""
    packed = bytes(low | high << 4 for low, high in zip(nibbles[:16], nibbles[16:], strict=True))
    return struct.pack("<e", scale) + packed


def floats(*values: float) -> tuple[int, int, bytes]:
    """A float32 tensor as (dtype, element count, bytes)."""
    return 0, len(values), struct.pack(f"<{len(values)}f", *values)


def e5_bytes(
    tensors: Mapping[str, tuple[int, int, bytes]],
    *,
    magic: bytes = b"E5S1",
    version: int = 1,
    block: int = 32,
    code_points: Mapping[int, str] = CODE_POINTS,
) -> bytes:
    """A whole file with the tokenizer above and these tensors (dtype, element count, bytes)."""
    head = magic + struct.pack("<i7ifi", version, *SHAPE, 1e-5, block)
    blob = "".join(PIECES).encode()
    ends = [0]
    for piece in PIECES:
        ends.append(ends[-1] + len(piece.encode()))
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, len(blob))
    head += struct.pack(f"<{len(ends)}I", *ends) + struct.pack(f"<{len(SCORES)}f", *SCORES) + blob
    mapped = b"".join(
        struct.pack(f"<IB{len(to)}I", point, len(to), *map(ord, to)) for point, to in code_points.items()
    )
    head += struct.pack("<iI", len(code_points), len(mapped)) + mapped + struct.pack("<i", len(tensors))
    directory_bytes = sum(2 + len(name.encode()) + 21 for name in tensors)
    at = len(head) + directory_bytes
    directory = b""
    for name, (dtype, count, data) in tensors.items():
        directory += struct.pack("<H", len(name.encode())) + name.encode()
        directory += struct.pack("<BIQQ", dtype, count, at, len(data))
        at += len(data)
    return head + directory + b"".join(data for _, _, data in tensors.values())
