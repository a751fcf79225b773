"""Documents made to harm: bombs, entities, loops, damage. Each is refused, in bounded time and memory."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from rag.converting.child import answer_to
from rag.converting.cleaning import clean, is_clean
from rag.converting.convert import convert
from rag.converting.kinds import kind_of
from rag.converting.limits import DEFAULT_LIMITS
from rag.errors import InputError
from tests.converting_files import W, docx, paragraph, pdf, styled, table, zip_bomb, zipped
from tests.test_converting_pdf import DEEP, PACKED
from tests.test_converting_webpage import PAGE

MIB = 1024 * 1024
TIGHT = replace(DEFAULT_LIMITS, cpu_seconds=5, seconds=30, memory_bytes=300 * MIB)

WORD = docx(styled("守塔人", "t") + paragraph("守塔人每天点灯。") * 5 + table([["甲", "乙"]]))
PRINTED = pdf([["守塔人每天傍晚点灯，清晨", "熄灯。"], ["风浪大时不睡。"]])
HTML = PAGE.format(charset="utf-8").encode()
SOUND = {"docx": WORD, "pdf": PRINTED, "html": HTML}

LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
SECRET = '<!ENTITY x SYSTEM "file:///etc/passwd">'
PARAMETER = '<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;'


def with_entities(declared: str, used: str) -> bytes:
    """A Word document that declares entities."""
    xml = (
        f'<!DOCTYPE w [{declared}]><w:document xmlns:w="{W}"><w:body>{paragraph(used)}</w:body></w:document>'
    )
    return zipped({"word/document.xml": xml})


def refusal(data: bytes, name: str) -> InputError:
    """How `convert` refuses a document, having checked what that cost."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    with pytest.raises(InputError) as refused:
        convert(data, name, limits=TIGHT)
    assert time.monotonic() - started < TIGHT.seconds + 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024
    assert refused.value.message.startswith(f"文件 {name!r} ")
    return refused.value


@pytest.mark.parametrize(
    ("name", "make", "code"),
    [
        ("bomb.docx", lambda: zip_bomb(3000), "document_too_large"),
        ("liar.docx", lambda: zip_bomb(3000, declared=1000), "unreadable_document"),
        ("quiet.docx", lambda: zip_bomb(40), "document_too_large"),
        (
            "many.docx",
            lambda: zipped({"word/document.xml": "<x/>", **{f"{n}": "" for n in range(10_001)}}),
            "document_too_large",
        ),
        ("laughs.docx", lambda: with_entities(f'<!ENTITY l0 "哈">{LAUGHS}', "&l9;"), "unreadable_document"),
        ("outside.docx", lambda: with_entities(SECRET, "&x;"), "unreadable_document"),
        ("parameter.docx", lambda: with_entities(PARAMETER, "甲"), "unreadable_document"),
        ("deep.docx", lambda: docx("<w:sdt>" * 5000 + "</w:sdt>" * 5000), "unreadable_document"),
        ("deep.html", lambda: b"<html>" + b"<div>" * 200_000, "unreadable_document"),
        ("hog.html", lambda: b"<html>" + b"<i>a</i>" * 2_400_000, "unreadable_document"),
        ("deep.pdf", lambda: DEEP, "unreadable_document"),
        ("packed.pdf", lambda: PACKED, "unreadable_document"),
        ("large.pdf", lambda: b"%PDF-" + bytes(DEFAULT_LIMITS.file_bytes - 4), "document_too_large"),
    ],
)  # fmt: skip
def test_attacks(name: str, make: Callable[[], bytes], code: str) -> None:
    assert refusal(make(), name).code == code


def test_a_file_of_exactly_the_allowed_size_is_tried() -> None:
    assert refusal(b"%PDF-" + bytes(DEFAULT_LIMITS.file_bytes - 5), "x.pdf").code == "unreadable_document"


def test_archives_inside_an_archive_stay_closed() -> None:
    inner = zip_bomb(3000)
    data = zipped({"word/document.xml": docx_part("正文。"), "word/embeddings/inner.zip": inner})
    assert convert(data, "a.docx", limits=TIGHT).text == "正文。\n"


def docx_part(text: str) -> str:
    """A main part with one paragraph."""
    return f'<w:document xmlns:w="{W}"><w:body>{paragraph(text)}</w:body></w:document>'


@pytest.mark.parametrize("kind", list(SOUND))
@pytest.mark.parametrize("tenths", range(10))
def test_cut_off_documents_are_refused_or_read_as_far_as_they_go(kind: str, tenths: int) -> None:
    data = SOUND[kind][: len(SOUND[kind]) * tenths // 10]
    said = answer_to(kind, data, DEFAULT_LIMITS)
    assert is_answer(said)
    if kind != "html":
        assert said.get("code") == "unreadable_document" or "守塔人" in str(said["text"])


@pytest.mark.parametrize("kind", list(SOUND))
def test_half_a_document_through_the_child(kind: str) -> None:
    data = SOUND[kind][: len(SOUND[kind]) // 2]
    if kind == "html":
        assert convert(data, "a.html").text.startswith("# 灯塔志")
    elif kind == "docx":
        assert refusal(data, "a.docx").code in {"unreadable_document", "unsupported_document"}
    else:
        assert refusal(data, "a.pdf").code == "unreadable_document"


def is_answer(said: dict[str, object]) -> bool:
    """Whether the child said one of the two things that it may say."""
    if set(said) == {"text", "notes"}:
        return is_clean(str(said["text"]))
    return said["code"] in {"unreadable_document", "document_too_large", "unsupported_document"}


@hypothesis_settings(max_examples=60)
@given(st.sampled_from(list(SOUND)), st.binary(max_size=400))
def test_random_bytes_do_no_harm(kind: str, data: bytes) -> None:
    assert is_answer(answer_to(kind, data, DEFAULT_LIMITS))


@hypothesis_settings(max_examples=60)
@given(st.data())
def test_damaged_documents_do_no_harm(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(list(SOUND)))
    damaged = bytearray(SOUND[kind])
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=8)):
        damaged[at] = data.draw(st.integers(0, 255))
    assert is_answer(answer_to(kind, bytes(damaged), DEFAULT_LIMITS))


@given(st.binary(max_size=60), st.text(max_size=12))
def test_any_bytes_and_name_have_a_kind_or_are_refused(data: bytes, name: str) -> None:
    try:
        found: str = kind_of(data, name)
    except InputError as error:
        found = error.code
    assert found in {"text", "html", "docx", "pdf", "unsupported_document", "unreadable_document"}


@given(st.text())
def test_cleaning_leaves_nothing_to_clean(text: str) -> None:
    once = clean(text)
    assert is_clean(once)
    assert clean(once) == once
