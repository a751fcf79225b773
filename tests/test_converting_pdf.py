"""The text layer of a PDF, and what is no part of it."""

from __future__ import annotations

import zlib
from dataclasses import replace
from io import BytesIO

import pytest

from rag.converting.child import answer_to
from rag.converting.furniture import without_furniture
from rag.converting.limits import DEFAULT_LIMITS
from tests.converting_files import assembled, pdf, stream

PAGES = [
    ["守塔人日志", "灯塔建于1908年，至今未熄。守塔", "人每天傍晚点燈，清晨熄灯。", "1"],
    ["风浪大时，他整夜不睡，直到", "最后一艘渔船回港。", "2"],
]


def said(data: bytes) -> dict[str, object]:
    return answer_to("pdf", data, DEFAULT_LIMITS)


def locked(data: bytes, password: str) -> bytes:
    """The same document, encrypted."""
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=BytesIO(data))
    writer.encrypt(password, algorithm="RC4-128")
    buffer = BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def test_printed_lines_stay_and_page_numbers_go() -> None:
    assert said(pdf(PAGES)) == {
        "text": "守塔人日志\n灯塔建于1908年，至今未熄。守塔\n人每天傍晚点燈，清晨熄灯。\n\n"
        "风浪大时，他整夜不睡，直到\n最后一艘渔船回港。\n",
        "notes": [],
    }


def test_radicals_that_stand_for_characters_become_characters() -> None:
    assert said(pdf([["⼈们在⽇出前⻅⾵⻛⻢⿓樂。"]]))["text"] == "人们在日出前见風风马龍樂。\n"


def test_a_password_that_is_none_opens() -> None:
    assert "守塔人日志" in str(said(locked(pdf(PAGES), "")))
    assert said(locked(pdf(PAGES), "secret"))["message"] == "加了密码，读不了。请去掉密码后再试。"


def test_scanned_pages_are_named_and_a_scan_is_refused() -> None:
    refusal = said(pdf([[], [], []]))
    assert refusal["code"] == "unreadable_document"
    assert "没有文字层" in str(refusal["message"])
    partly = said(pdf([["甲。"], [], ["乙。"]]))
    assert partly == {"text": "甲。\n\n乙。\n", "notes": ["第 2 页没有文字层，未读入（共 1 页）"]}


def test_a_font_without_a_table_of_characters_is_noise() -> None:
    text = "".join(chr(0x4E00 + 37 * place) for place in range(300))
    assert "乱码" in str(said(pdf([[text[at : at + 20] for at in range(0, 300, 20)]], explained=False)))


def test_too_many_pages() -> None:
    refusal = answer_to("pdf", pdf(PAGES), replace(DEFAULT_LIMITS, pages=1))
    assert refusal["code"] == "document_too_large"


def page_with(content: bytes, more: str = "") -> bytes:
    """A PDF of one page whose content is this stream object."""
    return assembled(
        [
            b"<</Type/Catalog/Pages 2 0 R>>",
            b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R{more}>>".encode(),
            content,
        ]
    )


TREE_LOOP = assembled(
    [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 9/Parent 2 0 R/Kids[2 0 R 2 0 R 2 0 R 2 0 R]>>"]
)
BOASTING = assembled([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 999999999/Kids[]>>"])
FORM_LOOP = page_with(
    stream(b"/X Do", "/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X 4 0 R>>>>"),
    "/Resources<</XObject<</X 4 0 R>>>>",
)
DEEP = page_with(stream(b"[" * 100_000 + b"]" * 100_000 + b" TJ"))
PACKED = page_with(
    stream(zlib.compress(zlib.compress(b" " * 90_000_000)), "/Filter[/FlateDecode/FlateDecode]")
)
XREF_LOOP = assembled([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count 0/Kids[]>>"], "/Prev 9")


@pytest.mark.parametrize(
    "data",
    [TREE_LOOP, BOASTING, FORM_LOOP, DEEP, PACKED, XREF_LOOP],
    ids=["tree loop", "boasting", "form loop", "deep", "packed twice", "xref loop"],
)
def test_malicious_documents_are_refused(data: bytes) -> None:
    assert said(data)["code"] == "unreadable_document"


def test_running_heads_stay_once_and_numbers_go() -> None:
    pages = [["城市研究 2024年第3期", f"第{n}页的正文。", f"— {n + 16} —"] for n in range(1, 6)]
    assert without_furniture(pages) == [
        ["城市研究 2024年第3期", "第1页的正文。"],
        *([f"第{n}页的正文。"] for n in range(2, 6)),
    ]


@pytest.mark.parametrize(
    ("pages", "left"),
    [
        ([["正文", "1"]], [["正文"]]),
        ([["正文", "2024"]], [["正文", "2024"]]),
        ([["正文", "第 1 页 共 2 页"], ["下文", "第 2 页 共 2 页"]], [["正文"], ["下文"]]),
        ([["12", "甲"], ["97", "乙"], ["3", "丙"]], [["12", "甲"], ["97", "乙"], ["3", "丙"]]),
        ([["", ""], ["2", "乙", ""]], [["", ""], ["乙", ""]]),
        ([["是。"], ["是。"], ["是。"]], [["是。"], ["是。"], ["是。"]]),
        ([["Page 1 of 2", "a"], ["Page 2 of 2", "b"]], [["a"], ["b"]]),
        ([], []),
    ],
)
def test_what_is_furniture(pages: list[list[str]], left: list[list[str]]) -> None:
    assert without_furniture(pages) == left
