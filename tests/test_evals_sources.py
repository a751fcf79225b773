from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.sources import SourceText, corpus_sha256, read_untouched, squeeze
from rag.errors import ConfigError


@given(st.text(alphabet="甲乙\n\r\t 　\u2028𠮷", max_size=40))
def test_lines_and_solid_characters_are_what_counting_gives(text: str) -> None:
    source = SourceText.of("a", text)
    for at, char in enumerate(text):
        assert source.line_of(at) == text.count("\n", 0, at) + 1
        assert (at in source.solid) is not char.isspace()
    assert source.squeezed == "".join(text.split()) == squeeze(text)
    assert [text[at] for at in source.solid] == list(source.squeezed)


def test_files_are_decoded_without_their_marks_and_readmes_left_out(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_bytes("\ufeff城市\r\n".encode())
    (tmp_path / "a.md").write_bytes("治理".encode("gb18030"))
    (tmp_path / "c.TXT").write_bytes("社区".encode("utf-16"))
    (tmp_path / "README.md").write_text("not part of it")
    (tmp_path / "d.rtf").write_bytes(b"{\\rtf1}")
    found = read_untouched(tmp_path)
    assert [(source.name, source.text) for source in found] == [
        ("a.md", "治理"),
        ("b.txt", "城市\r\n"),
        ("c.TXT", "社区"),
    ]
    assert found[1].sha256 == hashlib.sha256("城市\r\n".encode()).hexdigest()


def test_agrees_with_the_products_own_reader(tmp_path: Path) -> None:
    from rag.corpus import read_folder

    page = "<html><head><title>灯</title></head><body><p>四</p></body></html>".encode()
    for name, data in {"a.txt": "一\n二".encode(), "b.txt": "三".encode("gb18030"), "c.html": page}.items():
        (tmp_path / name).write_bytes(data)
    ours, theirs = read_untouched(tmp_path), read_folder(tmp_path)
    assert [(s.name, s.text, s.sha256) for s in ours] == [(s.name, s.text, s.sha256) for s in theirs]


def test_bytes_in_no_known_encoding_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"\x81\xff\xff")
    with pytest.raises(ConfigError, match=r"a\.txt.*无法解码"):
        read_untouched(tmp_path)


def test_a_file_that_cannot_be_converted_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.pdf").write_bytes(b"%PDF")
    with pytest.raises(ConfigError, match=r"d\.pdf"):
        read_untouched(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"没有 \.txt、\.md"):
        read_untouched(tmp_path)


def test_the_corpus_checksum_depends_on_texts_only() -> None:
    one, two = SourceText.of("a", "甲"), SourceText.of("b", "乙")
    assert corpus_sha256([one, two]) == corpus_sha256([SourceText.of("z", "乙"), one, one])
    assert corpus_sha256([one]) != corpus_sha256([one, two])
