from __future__ import annotations

import io
import zipfile
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from index.arrays import pack, unpack


def test_what_is_packed_comes_back_value_by_value() -> None:
    arrays: dict[str, NDArray[Any]] = {
        "a": np.array([1, 2, 3], np.int32),
        "b": np.array([[0.5, -0.0]], np.float64),
    }
    found = unpack(pack(arrays), {"a": (np.int32, 1), "b": (np.float64, 2)})
    assert found["a"].tolist() == [1, 2, 3]
    assert found["b"].tobytes() == arrays["b"].tobytes()


def test_the_bytes_carry_no_time() -> None:
    data = pack({"a": np.arange(3)})
    assert data == pack({"a": np.arange(3)})
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"no archive at all", pack({"a": np.arange(3)})[:-9]])
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"不是(完整的)? .npz 文件"):
        unpack(data, {"a": (np.int64, 1)})


def test_other_names_dtypes_and_dimensions_are_refused() -> None:
    data = pack({"a": np.arange(3)})
    with pytest.raises(ValueError, match=r"其中的数组是 \['a'\]，应为 \['b'\]"):
        unpack(data, {"b": (np.int64, 1)})
    with pytest.raises(ValueError, match="数组 'a' 是 1 维 int64，应为 1 维 int32"):
        unpack(data, {"a": (np.int32, 1)})
    with pytest.raises(ValueError, match="应为 2 维 int64"):
        unpack(data, {"a": (np.int64, 2)})


def test_pickles_are_neither_written_nor_read() -> None:
    objects = np.array([{"a": 1}], dtype=object)
    with pytest.raises(ValueError, match="pickle"):
        pack({"a": objects})
    buffer = io.BytesIO()
    np.savez(buffer, a=objects)
    with pytest.raises(ValueError, match="pickle"):
        unpack(buffer.getvalue(), {"a": (object, 1)})
