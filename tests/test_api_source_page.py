from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.source_page import PrintedLine, Segment, SourcePage, parse_chars, source_page
from tests.api_fakes import PAGE, documents

LIGHTHOUSE, TEA = documents()


def page(marked: tuple[int, int] | None = None) -> SourcePage:
    return source_page(LIGHTHOUSE, documents(), marked)


def text_of(segments: tuple[Segment, ...], *, marked: bool | None = None) -> str:
    return "".join(each.text for each in segments if marked is None or each.marked == marked)


def line(number: int, shown: SourcePage) -> PrintedLine:
    return shown.lines[number - 1]


def test_every_line_has_its_kind_and_owner() -> None:
    assert [(each.number, each.kind, each.own) for each in page().lines] == [
        (1, "other", False),
        (2, "byline", True),
        (3, "paragraph", True),
        (4, "paragraph", True),
        (5, "paragraph", True),
        (6, "blank", True),
        (7, "paragraph", True),
        (8, "paragraph", True),
        (9, "note", True),
        (10, "title", False),
        (11, "byline", False),
        (12, "paragraph", False),
        (13, "paragraph", False),
        (14, "blank", False),
    ]


def test_where_it_stands_and_what_else_is_on_the_page() -> None:
    shown = page()
    assert (shown.first_line, shown.last_line) == (2, 9)
    assert shown.siblings == (TEA,)


def test_paragraphs_for_reading() -> None:
    assert [(p.number, p.heading, p.start_line, p.end_line) for p in page().paragraphs] == [
        (1, None, 3, 5),
        (2, None, 7, 8),
    ]
    [tea] = source_page(TEA, documents(), None).paragraphs
    assert tea.heading == "采制"


@given(st.data())
def test_the_mark_is_exactly_the_range_on_the_page_and_in_the_reading_text(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(PAGE) - 1))
    end = data.draw(st.integers(start + 1, len(PAGE)))
    shown = page((start, end))
    assert "\n".join(text_of(each.segments) for each in shown.lines) == PAGE
    marked = "".join(text_of(each.segments, marked=True) for each in shown.lines)
    assert marked == PAGE[start:end].replace("\n", "")
    for paragraph, original in zip(shown.paragraphs, LIGHTHOUSE.paragraphs, strict=True):
        assert text_of(paragraph.segments) == original.text
        span = original.block.span
        inside = PAGE[max(start, span.start_char) : max(min(end, span.end_char), start, span.start_char)]
        assert text_of(paragraph.segments, marked=True) == "".join(inside.split())


def test_an_astral_character_is_one_character() -> None:
    start = PAGE.index("𠮷")
    assert line(7, page((start, start + 1))).segments == (
        Segment("“灯要亮到最后一条船进港。”守塔人", marked=False),
        Segment("𠮷", marked=True),
    )
    assert line(8, page((start + 2, start + 3))).segments[0] == Segment("田", marked=True)


@pytest.mark.parametrize(
    ("marked", "anchors"),
    [
        (None, {}),
        ((19, 52), {3: "L3-L4"}),
        ((19, 20), {}),
        ((0, len(PAGE)), {1: "L1-L13"}),
        ((PAGE.index("\n"), PAGE.index("\n") + 2), {1: "L1-L2"}),
    ],
)
def test_a_range_of_lines_has_an_anchor_where_it_begins(
    marked: tuple[int, int] | None, anchors: dict[int, str]
) -> None:
    shown = page(marked)
    assert {each.number: each.range_anchor for each in shown.lines if each.range_anchor} == anchors


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0-1", (0, 1)),
        ("19-52", (19, 52)),
        ("0-100", (0, 100)),
        ("0-101", None),
        ("5-5", None),
        ("6-5", None),
        ("-1-5", None),
        ("1-", None),
        ("1", None),
        ("1-2-3", None),
        (" 1-2", None),
        ("1-2\n", None),
        ("１-２", None),
        ("1e1-20", None),
        ("9" * 5000 + "-" + "9" * 5000, None),
        ("<script>", None),
        ("", None),
        (None, None),
    ],
)
def test_bad_ranges_are_ignored(value: str | None, expected: tuple[int, int] | None) -> None:
    assert parse_chars(value, 100) == expected
