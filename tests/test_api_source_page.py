from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pages.source_page import MAX_SIBLINGS, SourcePage, parse_chars, parse_line, source_page
from api.pages.source_parts import Sizes, Wanted, part_of, start_of_line
from api.pages.source_views import PrintedLine, Segment
from rag.reading.documents import read_documents
from rag.records import Source
from tests.api_fakes import PAGE, documents

LIGHTHOUSE, TEA = documents()
SMALL = Sizes(whole_lines=4, whole_chars=40, part_lines=3, part_chars=24)
# Lines shorter and longer than such a part, empty ones, and a source that ends with a line end or without.
TEXTS = st.lists(st.text("灯塔𠮷 。", max_size=60), min_size=1, max_size=30).map("\n".join)


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


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("1", 1),
        ("007", 7),
        ("999999999", 999_999_999),
        *((each, None) for each in ("0", "-1", "1.5", "1234567890", "１", "1\n", "", None)),
    ],
)
def test_a_line_is_a_number_from_one(value: str | None, expected: int | None) -> None:
    assert parse_line(value) == expected


@given(TEXTS)
def test_the_parts_one_after_the_other_are_the_source(text: str) -> None:
    """Forwards from the beginning and backwards from the last line, each no longer than a part may be."""
    for wanted, ahead in ((Wanted(), True), (Wanted(line=len(text) + 1), False)):
        part = part_of(text, wanted, SMALL)
        pieces = [(part.start, part.end)]
        while (following := part.following if ahead else part.previous) is not None:
            part = part_of(text, Wanted(part=following), SMALL)
            assert (part.start, part.end) == following
            assert part.first_line == text.count("\n", 0, part.start) + 1
            pieces.append(following)
        if part.whole:
            assert len(text) <= SMALL.whole_chars
            assert text.count("\n") < SMALL.whole_lines
            continue
        shown = [text[start:end] for start, end in (pieces if ahead else reversed(pieces))]
        assert "".join(shown) == (text if ahead else text[: pieces[0][1]])
        assert (part.following if ahead else part.previous) is None
        for piece in shown:
            assert 0 < len(piece) <= SMALL.part_chars
            assert len(piece[:-1].split("\n")) <= SMALL.part_lines


@given(TEXTS.filter(bool), st.data())
def test_what_is_cited_is_in_its_part(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    part = part_of(text, Wanted(marked=(start, end)), SMALL)
    assert part.start <= start < part.end
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", end - 1) + 1 or len(text)
    lines = text.count("\n", line_start, end) + 1
    if lines <= SMALL.part_lines and line_end - line_start <= SMALL.part_chars:
        assert end <= part.end
    if lines == 1 and end - start <= SMALL.part_chars // 2:
        assert end <= part.end


@given(TEXTS, st.integers(1, 40))
def test_a_line_is_found_and_shown(text: str, number: int) -> None:
    lines = text.split("\n")
    last = min(number, len(lines))
    start = start_of_line(text, number)
    assert text[:start].count("\n") == last - 1
    assert text[start:].partition("\n")[0] == lines[last - 1]
    part = part_of(text, Wanted(line=number), SMALL)
    assert part.source_lines == len(lines)
    assert part.start <= start <= part.end


def test_a_line_far_down_is_found() -> None:
    text = "上\n" * 200_000 + "下"
    for number in (1, 65_536, 150_001, 200_001, 200_002):
        assert start_of_line(text, number) == 2 * (min(number, 200_001) - 1)


@given(TEXTS)
def test_both_views_of_all_parts_are_the_whole_of_both(text: str) -> None:
    read = read_documents(Source("长卷.txt", text, "0" * 64))
    for document in read:
        whole = source_page(document, read, None, sizes=Sizes(10**6, 10**6, 1, 1))
        printed: list[PrintedLine] = []
        paragraphs: dict[int, str] = {}
        part: tuple[int, int] | None = (0, len(text))
        while part is not None:
            shown = source_page(document, read, None, part=part, sizes=SMALL)
            first, *others = shown.lines
            if first.continued:
                segments = printed[-1].segments + first.segments
                kept = printed.pop()
                first = PrintedLine(first.number, kept.kind, kept.own, segments, None)
            printed += [first, *others]
            for each in shown.paragraphs:
                assert each.continued == (each.number in paragraphs)
                paragraphs[each.number] = paragraphs.get(each.number, "") + text_of(each.segments)
            part = shown.part.following
        assert [(each.number, text_of(each.segments)) for each in printed] == [
            (each.number, text_of(each.segments)) for each in whole.lines
        ]
        assert [each.own for each in printed] == [each.own for each in whole.lines]
        assert list(paragraphs.items()) == [
            (each.number, text_of(each.segments)) for each in whole.paragraphs
        ]


def test_without_a_wish_the_page_opens_at_the_document() -> None:
    small = Sizes(whole_lines=4, whole_chars=400, part_lines=6, part_chars=400)
    opened = source_page(LIGHTHOUSE, documents(), None, sizes=small)
    assert [each.number for each in opened.lines] == [1, 2, 3, 4, 5, 6]  # what stands above it is little
    opened = source_page(TEA, documents(), None, sizes=small)
    assert [each.number for each in opened.lines] == [10, 11, 12, 13, 14]
    assert opened.paragraphs[0].heading == "采制"
    tail = source_page(TEA, documents(), (0, 5), line=14, sizes=small)
    assert [each.number for each in tail.lines] == [12, 13, 14]
    assert text_of(tail.lines[0].segments, marked=True) == ""


def test_of_many_documents_the_nearest_are_named() -> None:
    text = "\n".join(f"■何采薇\n第{number}篇说茶，清明前三天采的叫明前茶。\n" for number in range(60))
    read = read_documents(Source("合集.txt", text, "0" * 64))
    assert len(read) == 60
    for number, first in ((0, 1), (30, 20), (59, 39)):
        shown = source_page(read[number], read, None)
        assert shown.sibling_count == 59
        expected = [each for each in read if each is not read[number]]
        assert shown.siblings == tuple(expected[first - (first > number) :][:MAX_SIBLINGS])
