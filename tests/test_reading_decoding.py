"""Bytes to text: which encodings are known, and that nothing is guessed into nonsense."""

from __future__ import annotations

import codecs
import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import ConfigError
from rag.reading.decoding import read_source, source_from_text

TEXT = "采茶人清晨上山，把嫩芽摘进竹篓。\r\n第二段：AI 与茶。\n"
TRADITIONAL = "採茶人清晨上山，將嫩芽摘進竹簍，馬幫再把茶餅運到海邊的碼頭，換回鹽與書籍。\n" * 3


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le"), "utf-16-le"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16-be"),
        (TEXT.encode("gb18030"), "gb18030"),
    ],
)
def test_known_encodings_give_the_same_text(data: bytes, encoding: str) -> None:
    source = read_source("茶.txt", data)
    assert (source.name, source.text, source.encoding) == ("茶.txt", TEXT, encoding)
    assert source.sha256 == hashlib.sha256(TEXT.encode()).hexdigest()


def test_traditional_text_in_gb18030() -> None:
    assert read_source("茶.txt", TRADITIONAL.encode("gb18030")).text == TRADITIONAL


@pytest.mark.parametrize("data", [b"", b" \n", codecs.BOM_UTF8])
def test_an_empty_file_is_a_source_without_text(data: bytes) -> None:
    assert not read_source("empty.txt", data).text.strip()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "NUL"),
        (b"PK\x03\x04\x14\x00\x00\x00\x08\x00", "NUL"),
        (TEXT.encode("utf-16-le"), "GB18030"),
        (b"\xff" * 9, "GB18030"),
        (codecs.BOM_UTF16_LE + b"\x00\xd8", "UTF-16"),
        (TEXT.encode()[:-9], "损坏或被截断"),
        (("茶" * 40).encode()[:-1], "损坏或被截断"),
        (("茶" * 40).encode()[:-2] + b"\n", "损坏或被截断"),
        (TRADITIONAL.encode("big5"), "Big5"),
    ],
)
def test_what_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        read_source("茶.bin", data)
    assert "'茶.bin'" in caught.value.message


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_in_utf8_comes_back(text: str) -> None:
    stripped = text.removeprefix("\ufeff")
    assert read_source("x", codecs.BOM_UTF8 + text.encode()).text == text
    assert read_source("x", stripped.encode()).text == stripped or stripped.startswith("\ufeff")


@given(st.binary(max_size=60))
def test_any_bytes_give_text_or_a_clear_error(data: bytes) -> None:
    with contextlib.suppress(ConfigError):
        source = read_source("x", data)
        assert source == source_from_text("x", source.text, source.encoding)
