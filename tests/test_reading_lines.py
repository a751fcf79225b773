"""Printed lines: offsets, widths, joining, and how lines fit a column."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.reading.fitting import Witness, least_misfit, piece_after, witnesses
from rag.reading.joining import join_lines
from rag.reading.lines import Line, LineTable, width_in_ems
from rag.records import OffsetMap
from rag.text.folding import squeeze

TEXTS = st.text(alphabet="茶船A1 \n\r\t　“”。，-", max_size=60)


def lines(text: str) -> list[Line]:
    return LineTable(text).lines


@given(TEXTS)
def test_a_line_table_agrees_with_counting(text: str) -> None:
    table = LineTable(text)
    assert "\n".join(line.text for line in table.lines) == text
    for offset in range(len(text)):
        assert table.line_of(offset) == text[:offset].count("\n") + 1
    for line in table.lines:
        assert text[line.start : line.end] == line.text
        assert line.content == line.text.strip()


@pytest.mark.parametrize(
    ("text", "ems"),
    [("茶", 1), ("Ａ", 1), ("A", 0.5), ("“茶”", 3), ("—…", 2), ("3.5%", 2), ("𠮷", 1), ("", 0)],
)
def test_widths(text: str, ems: float) -> None:
    assert width_in_ems(text) == ems


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("好。", True),
        ("好。”）", True),
        ("好！ ", True),
        ("好……", True),
        ("Good.", True),
        ("好；", True),
        ("好，", False),
        ("好”", False),
        ("", False),
    ],
)
def test_where_a_sentence_ends(text: str, ends: bool) -> None:
    (line,) = lines(text)
    assert line.ends_sentence is ends


@pytest.mark.parametrize(
    ("text", "indented"),
    [("　　茶", True), ("\t茶", True), ("    茶", True), (" 茶", False), ("　茶", False)],
)
def test_indents(text: str, indented: bool) -> None:
    (line,) = lines(text)
    assert line.is_indented is indented


@pytest.mark.parametrize(
    ("text", "ems"),
    [
        ("茶山", 1),
        ("“茶山", 2),
        ("茶，山", 2),
        ("《（茶》）山", 5),
        ("GPS定位", 1.5),
        ("3.5倍", 1.5),
        ("", 0),
    ],
)
def test_the_least_a_line_can_begin_with(text: str, ems: float) -> None:
    (line,) = lines(text)
    assert line.opening_width == ems


def test_what_punctuation_can_give() -> None:
    (line,) = lines("“茶”，《书》。")
    assert (line.width, line.squeezed_width) == (8, 8 - 6 / 2)
    # “ at the start, ” meeting ，, ， meeting 《 (two halves), 》 meeting 。, 。 at the end
    assert line.shared_width == 0.5 * (1 + 1 + 2 + 1 + 1)


def joined(text: str, *, keep_spaces: bool = False, close_up: bool = True) -> str:
    table = LineTable(text)
    block = join_lines("paragraph", table.lines, table, keep_spaces=keep_spaces, close_up=close_up)
    for index, char in enumerate(block.text):
        assert text[block.offsets.source_of(index)] == char or char == " "
        assert block.offsets.text_of(block.offsets.source_of(index)) == index
    held = text[block.span.start_char : block.span.end_char]
    assert squeeze(held) == squeeze(block.text) == squeeze(text)
    return block.text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("采茶\n人上山", "采茶人上山"),
        ("采茶\r\n\r\n人上山", "采茶人上山"),
        ("用\nGPS 定位", "用GPS定位"),
        ("用 GPS\n定位 3 次", "用GPS定位3次"),
        ("Cutty\nSark", "Cutty Sark"),
        ("Cutty  \n  Sark", "Cutty Sark"),
        ("Cutty   Sark 号", "Cutty Sark号"),
        ("well-\nworn", "well-worn"),
        ("20\n31", "2031"),
        ("采 茶 人 ，上 山 “ 去", "采茶人，上山“去"),
        ("采 茶 人 ，上 山 G P S", "采茶人，上山GPS"),
        (" 茶 ", "茶"),
    ],
)
def test_joining_print(text: str, expected: str) -> None:
    assert joined(text) == expected


def test_joining_what_keeps_its_spaces() -> None:
    assert joined("千帆  竞渡　百舸", keep_spaces=True) == "千帆  竞渡　百舸"
    assert joined("采 茶 人 上 山", keep_spaces=True) == "采茶人上山"
    assert joined("李 白 杜 甫", keep_spaces=True, close_up=False) == "李 白 杜 甫"


@given(TEXTS.filter(str.strip), st.booleans(), st.booleans())
def test_joining_drops_nothing_but_white_space(text: str, keep_spaces: bool, close_up: bool) -> None:
    joined(text, keep_spaces=keep_spaces, close_up=close_up)


def test_an_offset_map_by_hand() -> None:
    """Reading text "abcde" stands at 3, 4, then 10, 11, 12."""
    offsets = OffsetMap((0, 2), (3, 10), 5)
    assert [offsets.source_of(i) for i in range(5)] == [3, 4, 10, 11, 12]
    assert offsets.source_range(1, 3) == (4, 11)
    assert [offsets.text_of(i) for i in (0, 3, 4, 5, 9, 10, 12, 13, 99)] == [0, 0, 1, 2, 2, 2, 4, 5, 5]


def test_a_line_fits_a_column_it_fills() -> None:
    """Width 10; the next piece 1: no room, room for less, room for it, squeezed."""
    (line,) = lines("茶船星水山火风雨书灯")
    assert Witness(line, 1.0).misfit(10.0) == 0
    assert 0 < Witness(line, 1.0).misfit(10.5) < 0.5
    assert Witness(line, 1.0).misfit(11.0) == 2.0
    assert Witness(line, 1.0).misfit(12.0) == 3.0
    assert Witness(line, 1.0).misfit(99.0) == 4.0
    assert Witness(line, 1.0).misfit(9.5) == 4.0
    (marked,) = lines("茶船星水山火风雨书。")
    assert 0 < Witness(marked, 1.0).misfit(9.5) < 1
    assert Witness(marked, 1.0).misfit(9.0) == 4.0


def _far_from(wanted: float, width: float) -> float:
    return 9.0 if width != wanted else 0.0


def test_the_column_is_the_width_that_most_lines_fit() -> None:
    near = [Witness(line, 1.0) for line in lines("茶船星水山火风雨书灯\n" * 3 + "茶船星水")[:3]]
    costs = {wanted: least_misfit(near, partial(_far_from, wanted)) for wanted in (9.0, 10.0, 11.0)}
    assert min(costs, key=costs.__getitem__) == 10.0


def test_only_lines_that_surely_go_on_are_witnesses() -> None:
    """After a gap that follows a sentence (line 6) a line may be indented; the last ends the text."""
    page = lines("茶船星水山\n火风雨书灯\n\n米盐茶船。\n\n星水山火风\n雨书灯米。")
    assert [(w.line.number, w.column) for w in witnesses(page, 0, 1)] == [(2, 0)]
    assert [(w.line.number, w.column) for w in witnesses(page, 5, -1)] == [(2, -1)]
    assert piece_after(page, 0) == 1.0
    assert piece_after(page, 3) is None
    assert piece_after(page, 6) is None
