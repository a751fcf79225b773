"""Pages set to one measure: prose is joined, and headings, rows, items and verses stay by themselves."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.reading.decoding import source_from_text
from rag.reading.documents import read_page, unreflow
from rag.reading.lines import LineTable, width_in_ems
from rag.reading.measure import measure_of
from rag.reading.openings import Ordinal, has_own_mark, is_opening, ordinal_of

WELL = (
    "我家住在盐仓巷口，门前有一口老井，井沿被绳子磨出十七道深沟。夏天的傍晚，全巷的人都来打水，"
    "排队的时候就说闲话，没有一件事不是从井边传出去的。"
)
TAP = (
    "后来通了自来水，井就冷清了。只有卖豆腐的顾阿婆还来，她说自来水点不出嫩豆腐，豆花里总有一股"
    "铁锈的味道。她每天凌晨打十二担水，一直打到那年冬天。"
)
FILLED = (
    "井是在修路那一年填掉的。填井的人先往里面撒了一把米，又放下一枚铜钱，据说这样井神就不会怪罪。"
    "铺好的路面比周围低一点点，下雨的时候总是积起一个水洼。"
)
ROWS = ["科室 楼层 电话", "心内科 三楼 2207", "骨伤科 二楼 2114", "口腔科 四楼 2315", "皮肤科 五楼 2401"]
ITEMS = ["- 带上借书证", "- 不要带饮料", "- 手机调静音"]
VERSES = ["他把一个下午", "拆成很多细小的齿轮", "放在白瓷盘里", "等风从窗外经过"]


def wrapped(text: str, ems: int, *, indent: str = "", lost: int = 0) -> list[str]:
    """A paragraph of full-width text in lines of at most `ems`; `lost` ems of an indent are not in it."""
    lines, line, room = [], indent, ems - lost
    for piece in re.findall(r".[，。、；：？！”）]*", text):
        if len(line) + len(piece) > room:
            lines.append(line)
            line, room = "", ems
        line += piece
    return [*lines, line]


def read(lines: list[str]) -> list[tuple[str, str]]:
    """Kind and text of the blocks of a page, after checking that nothing of it is lost."""
    text = "\n".join(lines) + "\n"
    _, layout = read_page(source_from_text("page", text))
    assert unreflow(layout) == text
    return [(block.kind, block.text) for block in layout.blocks]


def prose(*texts: str) -> list[tuple[str, str]]:
    return [("paragraph", text) for text in texts]


@pytest.mark.parametrize("ems", [20, 24, 30, 35, 40, 44])
@pytest.mark.parametrize("indent", ["", "　　"])
@pytest.mark.parametrize("numbered", ["第一章 老井", "一、老井", "（一）老井", "1. 老井"])
def test_headings_stand_apart_and_prose_is_joined(ems: int, indent: str, numbered: str) -> None:
    second = numbered.replace("一", "二").replace("1", "2").replace("老井", "豆腐")
    well, tap, filled = (wrapped(text, ems, indent=indent) for text in (WELL, TAP, FILLED))
    assert read(["盐仓巷旧事", numbered, *well, *tap, second, *filled]) == [
        ("title", "盐仓巷旧事"),
        ("heading", numbered),
        *prose(WELL, TAP),
        ("heading", second),
        *prose(FILLED),
    ]


def test_a_heading_without_a_number_stands_over_prose() -> None:
    page = ["盐仓巷旧事", "老井", *wrapped(WELL, 30), "豆腐", *wrapped(TAP, 30)]
    assert [text for kind, text in read(page) if kind == "heading"] == ["老井", "豆腐"]


def test_paragraphs_whose_indent_was_lost_are_told_by_the_room_it_left() -> None:
    """The first paragraph ends at the edge; the second opens two ems short of it, though it goes on."""
    first = WELL[: 26 * 2 - 3] + "。"
    page = [line for text in (first, TAP, FILLED) for line in wrapped(text, 26, lost=2)]
    assert width_in_ems(page[1]) == 26
    assert read(page) == prose(first, TAP, FILLED)


def test_articles_of_a_rulebook() -> None:
    rules = [
        "第一条 入场者应当出示当日门票。",
        "第二条 身高不足一米二的儿童须由一名成年人陪同入池，陪同人员应当始终与儿童保持一臂以内的距离。",
        "第三条 患有皮肤病、中耳炎的人员不得入池，违反第二条规定强行入场的，工作人员有权请其离开池区。",
        "第四条 每班连续值守不超过四十五分钟，换班时须当面交接，未经接替不得离岗，违者停职十五日处理。",
    ]
    page = ["白鹭游泳馆守则", "第一章 入场"]
    page += [line for rule in rules[:3] for line in wrapped(rule, 30)]
    page += ["第二章 救生", *wrapped(rules[3], 30)]
    assert read(page) == [
        ("title", "白鹭游泳馆守则"),
        ("heading", "第一章 入场"),
        *prose(*rules[:3]),
        ("heading", "第二章 救生"),
        *prose(rules[3]),
    ]


def test_a_number_inside_a_sentence_opens_nothing() -> None:
    """The number that is due opens an article; another one at the beginning of a line goes on a sentence."""
    articles = [
        (
            "第四条 患有皮肤病、中耳炎的人不得入池，凡违反本守则",
            "第二条规定强行入场的，工作人员有权请其离开。",
        ),
        ("第五条 每班值守不超过四十五分钟，换班须当面交接，未", "经接替不得离岗，违者停职。"),
        ("第六条 发现溺水的人，救生员应当立即吹响长哨，同时由", "第二名救生员拨打电话。"),
    ]
    page = [line for article in articles for line in article]
    assert read(page) == prose(*map("".join, articles))


@pytest.mark.parametrize("rows", [ROWS, ITEMS, VERSES], ids=["table", "items", "verses"])
@pytest.mark.parametrize("ems", [24, 30, 40])
def test_what_stands_between_prose_keeps_its_lines(rows: list[str], ems: int) -> None:
    page = [*wrapped(WELL, ems), *wrapped(TAP, ems), *rows, *wrapped(FILLED, ems)]
    assert read(page) == prose(WELL, TAP, *rows, FILLED)


def test_items_that_are_set_narrower_are_joined_and_told_apart() -> None:
    items = [
        "1. 夜间外运限于晚上九点以前，车辆须加盖篷布，由街道负责通知居民。",
        "2. 消防队于三月底以前完成检查。",
        "3. 渔船借用泊位从三月起执行，期满以后根据进度再行商定，不再延长。",
    ]
    page = [*wrapped(WELL, 30), *wrapped(TAP, 30), *(line for item in items for line in wrapped(item, 27))]
    assert read(page) == prose(WELL, TAP, *items)


def test_speakers_and_questions_open_paragraphs() -> None:
    said = ["主持人：" + WELL, "廖师傅：辛苦吗？", "主持人：" + TAP, "问：怎么填的？", "答：" + FILLED]
    assert read([line for text in said for line in wrapped(text, 28)]) == prose(*said)


def test_a_page_break_inside_a_sentence_is_closed() -> None:
    well = wrapped(WELL, 30)
    assert read([*well[:2], "", *well[2:], "", *wrapped(TAP, 30)]) == prose(WELL, TAP)


def test_hard_wrapped_markdown() -> None:
    table = ["| 场次 | 时间 |", "|---|---|", "| 第一场 | 六点 |"]
    page = ["# 老井", "", "## 打水", "", *wrapped(WELL, 32), "", *wrapped(TAP, 32), "", *table, "", *ITEMS]
    assert read(page) == [
        ("title", "# 老井"),
        ("heading", "## 打水"),
        *prose(WELL, TAP),
        ("paragraph", table[0]),
        ("rule", table[1]),
        ("paragraph", table[2]),
        *prose(*ITEMS),
    ]


def test_a_first_line_that_goes_on_is_no_title() -> None:
    page = [*wrapped(WELL, 30), *wrapped(TAP, 30)]
    assert read(page) == prose(WELL, TAP)


def test_fewer_than_three_broken_lines_prove_nothing() -> None:
    lines = wrapped(WELL, 44)
    assert len(lines) == 2
    assert measure_of(LineTable("\n".join(lines)).lines) is None
    assert measure_of(LineTable("\n".join([*wrapped(WELL, 30), *wrapped(TAP, 30)])).lines) == 30


ORDINARY = {
    "a paragraph a line": [WELL, TAP, FILLED],
    "a sentence a line": [f"{sentence}。" for sentence in (WELL + TAP + FILLED).split("。")[:-1]],
    "items of one width": [
        "帐篷一顶，含地钉和风绳，四人份",
        "睡袋四个，零下要用厚的那一款",
        "炉头两个，气罐六个，火机三个",
        "头灯五个，电池十二，备用两节",
        "雨衣四件，防水袋三，晾衣绳一",
    ],
    "a list under a sentence": ["出发以前请检查这些物品，缺了的找领队补。", *VERSES],
}


@pytest.mark.parametrize("lines", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_text_has_no_measure(lines: list[str]) -> None:
    assert measure_of(LineTable("\n".join(lines)).lines) is None
    assert [text for _, text in read(lines)] == lines


TABLES = {
    "html": ["科室 | 楼层 | 电话", "心内科 | 三楼 | 2207", "骨伤科 | 二楼 | 2114", "口腔科 | 四楼 | 2315"],
    "markdown": [
        "| 项目 | 平日 | 周末 |",
        "|---|---|---|",
        "| 大池 | 四十 | 六十 |",
        "| 小池 | 八十 | 一百 |",
    ],
    "pdf": ROWS,
    "duty list": ["内科张建国 二二〇七", "外科李春梅 二三一四", "儿科王德福 二四〇九", "牙科周立冬 二七一一"],
    "marked list": [
        "坛子，要用开水烫过",
        "筷子，不能沾上油",
        "萝卜，须晒满一天",
        "粗盐，分两次下",
        "米醋，最后才加",
    ],
}


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_a_paragraph_beside_a_table_makes_no_column(rows: list[str]) -> None:
    """Rows of even width were taken for broken lines of a newspaper column, and all fused into one."""
    lead = "门诊楼共五层，每层设一个咨询台。就诊的病人请先取号，再到相应的楼层候诊，叫号时请带证件。"
    read_as = read(["楼层与电话", lead, *rows])
    assert read_as[0] == ("title", "楼层与电话")
    assert [text for _, text in read_as[1:]] == [lead, *rows]


@pytest.mark.parametrize(
    ("line", "ordinal"),
    [
        ("第十二条 值班员", Ordinal("article", 12)),
        ("第 3 章 信号", Ordinal("part", 3)),
        ("二十一、附则", Ordinal("comma", 21)),
        ("（三）留观", Ordinal("bracketed", 3)),
        ("4. 带证件", Ordinal("point", 4)),
        ("2.3 安装", Ordinal("section", 3)),
        ("5）复核", Ordinal("closed", 5)),
        ("1.5倍于从前", None),
        ("第二次警告", None),
        ("三级病人", None),
        ("2031年", None),
    ],
)
def test_numbers_that_open_a_line(line: str, ordinal: Ordinal | None) -> None:
    assert ordinal_of(line) == ordinal


@pytest.mark.parametrize(
    "line", ["- 茶", "• 茶", "## 茶", "| 茶 |", "> 茶", "问：茶？", "①茶", "甲、茶", "廖师傅：茶"]
)
def test_marks_that_open_a_line(line: str) -> None:
    assert is_opening(line)
    assert has_own_mark(line) is (line[0] not in "甲廖")


@given(
    st.lists(st.text(alphabet="茶船。，第一章条：1. -#|　\n", max_size=40), max_size=30), st.integers(12, 40)
)
def test_nothing_is_lost_beside_prose_of_a_measure(lines: list[str], ems: int) -> None:
    read([*wrapped(WELL, ems), *lines, *wrapped(TAP, ems), *wrapped(FILLED, ems)])
