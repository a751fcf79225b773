"""Named numpy arrays as the bytes of one `.npz` file, and back. No pickles, no file system.

The bytes depend on the arrays only: numpy stores the archive's members uncompressed, in the order
given, dated 1980-01-01. So equal content has equal checksums.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


def pack(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The arrays as the bytes of an `.npz` archive."""
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    return buffer.getvalue()


def unpack(data: bytes, expected: Mapping[str, tuple[DTypeLike, int]]) -> dict[str, NDArray[Any]]:
    """The arrays of an archive, exactly those that are expected.

    Args:
        data: What `pack` returned.
        expected: For each name the dtype and the number of dimensions.

    Raises:
        ValueError: If the bytes are no such archive, or a name, dtype or dimension differs; what is
            wrong is said in Chinese, to stand inside a message for people.
    """
    if not data.startswith(b"PK"):  # numpy would take it for a pickle, and say so
        raise ValueError("不是 .npz 文件")
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as archive:
            arrays: dict[str, NDArray[Any]] = dict(archive)
    except (zipfile.BadZipFile, EOFError, OSError, AttributeError) as error:
        raise ValueError(f"不是完整的 .npz 文件：{error}") from error
    if set(arrays) != set(expected):
        raise ValueError(f"其中的数组是 {sorted(arrays)!r}，应为 {sorted(expected)!r}")
    for name, (dtype, dimensions) in expected.items():
        array = arrays[name]
        if array.dtype != np.dtype(dtype) or array.ndim != dimensions:
            raise ValueError(
                f"数组 {name!r} 是 {array.ndim} 维 {array.dtype}，应为 {dimensions} 维 {np.dtype(dtype)}"
            )
    return arrays
