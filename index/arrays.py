"""Named numpy arrays as the bytes of one `.npz` file, and back. No pickles, no file system.

The bytes depend on the arrays only: numpy stores the archive's members uncompressed, in the order
given, dated 1980-01-01. So equal content has equal checksums.
"""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

_LOCAL_HEADER = struct.Struct("<4s22xHH")  # mark, lengths of name and extra field (PKWARE's APPNOTE, 4.3.7)
_HEADER_BYTES = 4096  # of an array; numpy's own are some hundred


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
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            arrays = {one.filename.removesuffix(".npy"): _array(data, one) for one in archive.infolist()}
    except (zipfile.BadZipFile, EOFError, OSError, struct.error) as error:
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


def _array(data: bytes, member: zipfile.ZipInfo) -> NDArray[Any]:
    """A member of an archive; copied once, where numpy reads it bit by bit and sums it as it goes.

    Raises:
        zipfile.BadZipFile: If it is not as `pack` writes it.
        ValueError: If it is no array, or one of objects, which would be a pickle.
    """
    fixed = data[member.header_offset : member.header_offset + _LOCAL_HEADER.size]
    mark, name_bytes, extra_bytes = _LOCAL_HEADER.unpack(fixed)
    if mark != b"PK\x03\x04" or member.compress_type != zipfile.ZIP_STORED:
        raise zipfile.BadZipFile(f"{member.filename} 不是照原样存放的")
    start = member.header_offset + _LOCAL_HEADER.size + name_bytes + extra_bytes
    content = memoryview(data)[start : start + member.file_size]
    stream = io.BytesIO(content[:_HEADER_BYTES])
    if np.lib.format.read_magic(stream) != (1, 0):
        raise zipfile.BadZipFile(f"{member.filename} 是 numpy 别的格式的数组")
    shape, by_columns, dtype = np.lib.format.read_array_header_1_0(stream)
    if dtype.hasobject:
        raise ValueError(f"数组 {member.filename} 里是对象（pickle）")
    array: NDArray[Any] = np.empty(shape, dtype, order="F" if by_columns else "C")
    values = content[stream.tell() :]
    if len(values) != array.nbytes:
        raise zipfile.BadZipFile(f"{member.filename} 有 {len(values)} 字节，应为 {array.nbytes} 字节")
    array.reshape(-1, order="A").view(np.uint8)[:] = np.frombuffer(values, np.uint8) if values else 0
    return array
