"""The entry: what a document is, what is refused, and how converted documents are read and cited."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from api.assembly import open_engine
from api.errors.codes import row_of
from rag.converting.convert import convert
from rag.converting.kinds import kind_of
from rag.corpus import build_corpus, read_folder
from rag.encoding.encoder import SentenceTransformerEncoder
from rag.engine import Engine
from rag.errors import ConfigError, InputError
from rag.reading.documents import read_page, unreflow
from rag.settings import Settings
from tests.converting_files import docx, numbered, paragraph, pdf, styled, table, zipped
from tests.span_checks import check_span

WORD = docx(
    styled("海岛守塔人日志", "t")
    + paragraph("守塔人林海每天傍晚点灯，清晨熄灯。灯塔建于1908年，高三十二米。")
    + styled("规矩", "1")
    + numbered("点灯以前，先检查灯油够不够一夜之用。", 1)
    + numbered("大雾天气里，每隔十分钟敲一次铜钟。", 1)
    + table([["姓名", "职务"], ["林海", "守塔人"]])
)
TEA = """春茶采摘与炒制
谷雨以前采下的新茶叫作雨前
茶，一亩茶园只收得四斤。炒青
的铁锅要烧到二百二十度，下锅
以后用手翻炒，直到叶子不再
1
粘手。炒好的茶叶摊在竹匾里
晾一个时辰，再用桑皮纸包好，
放进装了石灰的陶缸，可以存到
第二年清明，味道一点不差。
2"""
PRINTED = pdf([TEA.split("\n")[:6], TEA.split("\n")[6:]])
HTML = (
    '<!DOCTYPE html><html><head><meta charset="gb2312"><title>彗星觀測</title></head><body>'
    "<h1>彗星觀測記錄</h1><p>雪峰彗星每七十六年回歸一次，上一次出現在一九八六年春天。</p>"
    "<p>觀測站建在海拔四千二百米的雪峰上，站內有兩台望遠鏡。</p></body></html>"
).encode("gb18030")
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
DOCX = "vnd.openxmlformats-officedocument.wordprocessingml.document"


def code_of(data: bytes, name: str) -> str:
    with pytest.raises(InputError) as refused:
        convert(data, name)
    assert repr(name)[:20] in refused.value.message
    return refused.value.code


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (WORD, "a.DOCX", "docx"),
        (WORD, "a", "docx"),
        (PRINTED, "目录/a.pdf", "pdf"),
        (b"junk\n" + PRINTED, "a.pdf", "pdf"),
        (HTML, "a.htm", "html"),
        (b" <!-- a --><!-- b -->\n<HTML>", "a", "html"),
        (codecs.BOM_UTF8 + b"<!doctype html>", "a", "html"),
        (b"<p>a", "a.html", "html"),
        (HTML, "a.txt", "text"),
        ("文".encode("utf-16"), "a.md", "text"),
        (b"plain", "C:\\x.y\\a", "text"),
    ],
)
def test_kinds(data: bytes, name: str, kind: str) -> None:
    assert kind_of(data, name) == kind


@pytest.mark.parametrize(
    ("data", "name", "code"),
    [
        (b"", "a.pdf", "unreadable_document"),
        (WORD, "a.pdf", "unsupported_document"),
        (PRINTED, "a.txt", "unsupported_document"),
        (b"plain", "a.docx", "unsupported_document"),
        (b"plain", "a.exe", "unsupported_document"),
        (b"\x89PNG\r\n\x1a\n\0", "a", "unsupported_document"),
        (b"{\\rtf1 a}", "a.docx", "unsupported_document"),
        (zipped({"xl/workbook.xml": "<x/>"}), "a.docx", "unsupported_document"),
        (OLD + bytes(99), "a.docx", "unsupported_document"),
        (OLD + "EncryptedPackage".encode("utf-16-le"), "a.docx", "unreadable_document"),
        (b"\xff\xfe\xff", "a.txt", "unreadable_document"),
        (docx(""), "a.docx", "unreadable_document"),
        (b"<html></html>", "a.html", "unreadable_document"),
        (bytes(20 * 1024 * 1024 + 1), "a.txt", "document_too_large"),
        (b"a", "\ud800" * 300 + ".exe", "unsupported_document"),
    ],
)  # fmt: skip
def test_refusals_have_a_code_and_name_the_file(data: bytes, name: str, code: str) -> None:
    assert code_of(data, name) == code


def test_the_codes_have_their_status() -> None:
    statuses = {"unsupported_document": 415, "unreadable_document": 422, "document_too_large": 413}
    assert {code: row_of(InputError("…", code=code)).status for code in statuses} == statuses


@pytest.mark.parametrize(
    ("data", "name", "media_type", "encoding", "opening"),
    [
        (WORD, "a.docx", f"application/{DOCX}", "docx", "# 海岛守塔人日志"),
        (PRINTED, "a.pdf", "application/pdf", "pdf", "春茶采摘与炒制\n谷雨"),
        (HTML, "a.html", "text/html", "html", "# 彗星觀測記錄\n\n雪峰"),
        ("茶\r\n".encode("gb18030"), "a.txt", "text/plain", "gb18030", "茶\r\n"),
        ("# 茶".encode(), "a.MD", "text/markdown", "utf-8", "# 茶"),
    ],
)  # fmt: skip
def test_what_is_told_of_a_document(
    data: bytes, name: str, media_type: str, encoding: str, opening: str
) -> None:
    converted = convert(data, name)
    assert (converted.media_type, converted.encoding) == (media_type, encoding)
    assert converted.text.startswith(opening)
    assert converted.original_sha256 == hashlib.sha256(data).hexdigest()
    assert converted == convert(data, name)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of one document of each format."""
    made = tmp_path_factory.mktemp("documents")
    for name, data in (("守塔.docx", WORD), ("茶.pdf", PRINTED), ("星.html", HTML)):
        (made / name).write_bytes(data)
    (made / "船.txt").write_text("船坞在海边。造一艘木船要用三年。\n", encoding="utf-8")
    return made


def test_converted_documents_are_read_like_any_other(folder: Path) -> None:
    sources = {source.name: source for source in read_folder(folder)}
    assert {name: source.encoding for name, source in sources.items()} == {
        "守塔.docx": "docx",
        "星.html": "html",
        "船.txt": "utf-8",
        "茶.pdf": "pdf",
    }
    assert sources["茶.pdf"].original_sha256 == hashlib.sha256(PRINTED).hexdigest()
    assert sources["船.txt"].original_sha256 == ""
    for source in sources.values():
        documents, layout = read_page(source)
        assert unreflow(layout) == source.text
        assert layout.hard_wrapped == (source.encoding == "pdf")
        assert len(documents) == 1
    corpus = build_corpus(list(sources.values()), chunk_max_chars=200)
    texts = {document.document_id: document.source.text for document in corpus.documents}
    for chunk in corpus.chunks:
        check_span(chunk.text, chunk.span, texts[chunk.document_id])
    for sentence in corpus.sentences:
        check_span(sentence.text, sentence.span, texts[sentence.document_id])
    titles = {document.source.name: document.title for document in corpus.documents}
    assert titles["守塔.docx"] == "海岛守塔人日志"
    assert titles["茶.pdf"] == "春茶采摘与炒制"
    # A sentence that runs over the page is whole again, without the page's number.
    assert any("直到叶子不再粘手。" in sentence.text for sentence in corpus.sentences)


@pytest.fixture(scope="module")
def engine(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, bundled_encoder: SentenceTransformerEncoder
) -> Engine:
    """The real engine over that corpus."""
    settings = Settings(
        _env_file=None,  # type: ignore[call-arg]
        seeds_dir=folder,
        index_dir=tmp_path_factory.mktemp("index"),
    )
    return open_engine(settings, encoder=bundled_encoder)


@pytest.mark.parametrize(
    ("question", "name", "key"),
    [
        ("大雾天气里多久敲一次铜钟？", "守塔.docx", "十分钟"),
        ("炒青的铁锅要烧到多少度？", "茶.pdf", "二百二十度"),
        ("雪峰彗星多少年回归一次？", "星.html", "七十六年"),
    ],
)
def test_questions_are_answered_from_each_format(engine: Engine, question: str, name: str, key: str) -> None:
    answer = engine.ask(question)
    assert key in answer.answer
    cited = answer.citations[0]
    source = engine.document(cited.document_id).source
    assert source.name == name
    assert cited.source_sha256 == source.sha256
    held = source.text[cited.start_char : cited.end_char]
    assert "".join(held.split()) == "".join(cited.quote.split())


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("坏.docx", lambda: WORD[:-99]),
        ("空.pdf", lambda: pdf([[]])),
        ("错.html", lambda: PRINTED),
    ],
)
def test_a_file_that_cannot_be_converted_stops_the_start(
    tmp_path: Path, name: str, make: Callable[[], bytes]
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / name).write_bytes(make())
    with pytest.raises(ConfigError, match=rf"sub/{name}.*请.*移出语料文件夹"):
        read_folder(tmp_path)


def test_pages_without_text_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "半.pdf").write_bytes(pdf([["守塔人每天点灯。"], []]))
    (source,) = read_folder(tmp_path)
    assert source.text == "守塔人每天点灯。\n"
    assert "'半.pdf': 第 2 页没有文字层" in caplog.text
