"""From files to numbered rows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus import build_corpus, read_folder, window_texts
from rag.errors import ConfigError
from rag.reading.decoding import source_from_text
from rag.text.folding import squeeze
from tests.span_checks import check_span, rows_of

TEA = "采茶人上山。新茶下山，炒青要快。\n船坞在海边。灯塔也在海边。\n"
STARS = "彗星每七十年来一次。观测站记下了它。\n"


def test_rows_are_numbered_in_reading_order() -> None:
    corpus = build_corpus([source_from_text("茶", TEA), source_from_text("星", STARS)], chunk_max_chars=20)
    assert [source.name for source in corpus.sources] == ["茶", "星"]
    assert [chunk.ordinal for chunk in corpus.chunks] == list(range(len(corpus.chunks)))
    assert [row.ordinal for row in corpus.sentences] == list(range(len(corpus.sentences)))
    assert [row.text for row in corpus.sentences] == [
        "采茶人上山。",
        "新茶下山，炒青要快。",
        "船坞在海边。",
        "灯塔也在海边。",
        "彗星每七十年来一次。",
        "观测站记下了它。",
    ]
    assert [row.paragraph for row in corpus.sentences] == [1, 1, 2, 2, 1, 1]
    assert [row.span.start_line for row in corpus.sentences] == [1, 1, 2, 2, 1, 1]
    assert list(corpus.document_by_id) == [document.document_id for document in corpus.documents]


def test_chunks_know_their_sentences_and_paragraphs_theirs() -> None:
    corpus = build_corpus([source_from_text("茶", TEA)], chunk_max_chars=20)
    for chunk in corpus.chunks:
        rows = [corpus.sentences[row] for row in corpus.sentences_of_chunk[chunk.ordinal]]
        assert all(chunk.start <= row.start < chunk.end for row in rows)
        assert chunk.chunk_id == f"{chunk.document_id}:{chunk.span.start_char}-{chunk.span.end_char}"
    assert sum(map(len, corpus.sentences_of_chunk.values())) == len(corpus.sentences)
    (document,) = corpus.documents
    assert corpus.sentences_of_paragraph == {
        (document.document_id, 1): (0, 1),
        (document.document_id, 2): (2, 3),
    }


def test_windows_are_a_sentence_with_its_neighbours_in_the_paragraph() -> None:
    corpus = build_corpus([source_from_text("茶", "甲。乙。丙。\n丁。\n")], chunk_max_chars=60)
    assert window_texts(corpus) == ["甲。乙。", "甲。乙。丙。", "乙。丙。", "丁。"]


def test_a_sentence_longer_than_a_chunk_belongs_to_the_chunk_it_begins_in() -> None:
    corpus = build_corpus([source_from_text("茶", "茶" * 150 + "。船。")], chunk_max_chars=60)
    assert [row.chunk_ordinal for row in corpus.sentences] == [0, 2]


def test_white_space_that_overflows_a_chunk_makes_no_row() -> None:
    text = "A" * 59 + "。 " + "B" * 59 + "。"
    corpus = build_corpus([source_from_text("x", text)], chunk_max_chars=60)
    assert [chunk.text for chunk in corpus.chunks] == ["A" * 59 + "。", "B" * 59 + "。"]
    assert [row.chunk_ordinal for row in corpus.sentences] == [0, 1]


def test_stray_marks_join_the_sentence_before_them() -> None:
    corpus = build_corpus([source_from_text("x", "茶好。 ……！船来了。")], chunk_max_chars=60)
    assert [row.text for row in corpus.sentences] == ["茶好。 ……！", "船来了。"]


@given(st.text(alphabet="茶船。！？，“”（） A.\n\r\t　■", max_size=300), st.integers(20, 90))
def test_every_row_is_a_slice_of_its_source(text: str, chunk_max_chars: int) -> None:
    source = source_from_text("x", text)
    try:
        corpus = build_corpus([source], chunk_max_chars=chunk_max_chars)
    except ConfigError:
        return
    for row, span in rows_of(corpus):
        check_span(row, span, text)
    for document in corpus.documents:
        for paragraph in document.paragraphs:
            mine = [c for c in corpus.chunks if c.paragraph == paragraph.number]
            whole = "".join(c.text for c in mine if c.document_id == document.document_id)
            assert squeeze(whole) == squeeze(paragraph.text)


def test_the_same_content_is_read_once_and_keeps_its_first_place_and_name() -> None:
    sources = [source_from_text(name, text) for name, text in (("a", TEA), ("b", STARS), ("c", TEA))]
    corpus = build_corpus(sources, chunk_max_chars=60)
    assert [source.name for source in corpus.sources] == ["a", "b"]
    assert len(corpus.documents) == 2


def test_the_checksum_follows_the_rows() -> None:
    one = build_corpus([source_from_text("a", TEA)], chunk_max_chars=60).rows_sha256
    assert one == build_corpus([source_from_text("other name", TEA)], chunk_max_chars=60).rows_sha256
    longer = [source_from_text("a", TEA.replace("\n", ""))]
    counts = [build_corpus(longer, chunk_max_chars=chars).rows_sha256 for chars in (20, 60)]
    assert counts[0] != counts[1]
    assert one != build_corpus([source_from_text("a", STARS)], chunk_max_chars=60).rows_sha256


@pytest.mark.parametrize("text", ["", " \n", "■李白\n"])
def test_a_corpus_needs_text(text: str) -> None:
    sources = [source_from_text("empty", text)]
    if text.strip():
        assert build_corpus(sources, chunk_max_chars=60).sentences
    else:
        with pytest.raises(ConfigError, match="没有任何正文"):
            build_corpus(sources, chunk_max_chars=60)


def test_a_folder_is_read_sorted_and_deep_without_readme_and_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "b.txt").write_text(STARS, encoding="utf-8")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "茶.MD").write_bytes(TEA.encode("gb18030"))
    (tmp_path / "README.md").write_text("not this", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "._b.txt").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "notes.txt").write_text("not this", encoding="utf-8")
    sources = read_folder(tmp_path)
    assert [(source.name, source.text) for source in sources] == [("a/茶.MD", TEA), ("b.txt", STARS)]


def test_folders_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="不存在"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="没有"):
        read_folder(tmp_path)
    (tmp_path / "binary.txt").write_bytes(b"PK\x03\x04\0\0")
    with pytest.raises(ConfigError, match=r"binary\.txt"):
        read_folder(tmp_path)
