"""Ordinary text passes through the reader as it came."""

from __future__ import annotations

import pytest

from rag.reading.decoding import source_from_text
from rag.reading.documents import read_documents, read_page, unreflow
from rag.records import Document


def read(text: str) -> tuple[Document, ...]:
    """Documents of a text, after checking that nothing of it is lost."""
    documents, layout = read_page(source_from_text("text", text))
    assert unreflow(layout) == text
    return documents


def paragraphs(text: str) -> list[str]:
    """Texts of the paragraphs of the one document of a text without title or authors."""
    (document,) = read(text)
    assert (document.title, document.authors, document.affiliation) == (None, (), None)
    return [paragraph.text for paragraph in document.paragraphs]


LINES = [
    "茶树生在南山的雾里，采茶人清晨上山。",
    "炒青要用旺火，AI 控温不过是近年的事，温度约 2.5 倍于从前。",
    "马帮走了三个月，把茶饼运到海边。",
]
OLD_LINES = "\r".join(["茶  事", *LINES])


def test_what_a_document_is_called_is_one_line() -> None:
    """A "\r" ends no line here, and is shown nowhere as one."""
    (document,) = read(OLD_LINES)
    assert document.title is None
    assert document.label == "茶 事 茶树生在南山的雾里，采茶人清…"
    (titled,) = read("茶的\r历史\n\n" + "\n".join(LINES))
    assert titled.title == titled.label == "茶的 历史"
    assert titled.printed_title == "茶的\r历史"


POEMS = {
    "five characters a line": ["孤舟泊浅沙，", "寒月照蒹葭。", "渔火三更暗，", "归人未到家。"] * 2,
    "no marks": ["孤舟泊浅沙", "寒月照蒹葭", "渔火三更暗", "归人未到家", "潮来惊宿鸟"],
    "couplets": ["一夜东风绿满川，桃花流水到门前，", "渔翁不问人间事，独钓寒江旧月船，"] * 3,
    "modern": ["我要去远方", "带上一盏灯", "和一本没有写完的书", "等一艘船", "把黎明慢慢运来"],
    "english": ["The harbour lamps grow dim before the dawn", "And all the sailors sleep beneath the tide"]
    * 3,
    "english with commas": [
        "The harbour lamps grow dim, and then the dawn,",
        "The sailors sleep beneath the tide,",
    ]
    * 3,
}
LISTS = {
    "things": ["新茶", "古琴", "罗盘", "望远镜", "青花瓷碗"],
    "clauses": ["采摘新茶并分级", "揉捻之后再烘焙", "窖藏三年再出库", "品评之后定等级", "装箱发往各地"],
    "numbered": [
        "1. 打开电源，等待启动",
        "2. 按下按钮，直到绿灯亮",
        "3. 放入茶叶，盖好盖子",
        "4. 清洗茶壶，擦干",
    ],
    "bullets": ["■新茶", "■古琴", "■李白"],
    "names only": ["■李白", "■杜甫", "■王维"],
    "table": ["年份 产量", "2031 3000", "2032 3500", "2033 3600", "2034 4000"],
    "values": ["红茶，南山，3000 斤", "绿茶，北山，2000 斤", "白茶，东山，1500 斤", "黑茶，西山，9000 斤"],
}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("blank_lines", [0, 1, 2])
@pytest.mark.parametrize("final", [True, False])
def test_a_line_is_a_paragraph(end: str, blank_lines: int, final: bool) -> None:
    text = (end * (blank_lines + 1)).join(LINES) + (end if final else "")
    assert paragraphs(text) == LINES


@pytest.mark.parametrize("lines", POEMS.values(), ids=POEMS)
def test_poems_keep_their_lines(lines: list[str]) -> None:
    assert paragraphs("\n".join(lines)) == lines


@pytest.mark.parametrize("lines", LISTS.values(), ids=LISTS)
def test_lists_and_tables_keep_their_lines(lines: list[str]) -> None:
    assert paragraphs("\n".join(lines)) == lines


@pytest.mark.parametrize("line", ["只有一行，没有句号", "只有一行。", "One line", "■李白", "（一）"])
def test_a_single_line(line: str) -> None:
    assert paragraphs(line) == [line]


@pytest.mark.parametrize("text", ["", " ", "\n", "\r\n\r\n", "　\n\t\n", "\u2028"])
def test_blank_text_has_no_documents(text: str) -> None:
    assert read(text) == ()


def test_white_space_inside_a_line_stays() -> None:
    lines = ["AI 赋能  茶园，共 3000 亩。", "第二段　有一个全角空格。", "“你 好 吗 朋 友”，他说。"]
    assert paragraphs("\n".join(f"　　{line} " for line in lines)) == lines


def test_traditional_characters_stay() -> None:
    lines = ["茶樹生在南山的霧裡，採茶人清晨上山。", "馬幫走了三個月，把茶餅運到海邊。"]
    assert paragraphs("\n".join(lines)) == lines


def test_dialogue_keeps_its_lines() -> None:
    lines = ["“你好，请问船坞在哪里？”", "“往前走，过了灯塔就是。”", "“多谢！”"]
    assert paragraphs("\n".join(lines)) == lines


def test_wrapped_english_is_joined_with_spaces() -> None:
    first = [
        "The old lighthouse stood on the northern cape and its lamp",
        "turned slowly through the winter nights, a never-to-be-out-",
        "shone companion of ships. Nobody knew who had built it, but",
        "the keepers told stories.",
    ]
    second = [
        "In the spring of 1904 a storm broke the great lens. The",
        "villagers carried it down the hill piece by piece, and they",
        "mended it in two years.",
    ]
    joined = " ".join(first).replace("out- shone", "out-shone"), " ".join(second)
    assert paragraphs("\n".join([*first, "", *second, ""])) == list(joined)


def test_wrapped_chinese_is_joined_without_spaces() -> None:
    first = "茶起源于山中，人们采摘它之后还要揉捻、烘焙、窖藏，最后才能冲泡。马帮把茶运到远方，直到今天。"
    second = "船坞里修着旧船，匠人们用桐油和麻丝填补裂缝，再刷上一层漆，等到潮水上涨，船就可以下水了。"
    wrapped = "\n\n".join(
        "\n".join(text[i : i + 18] for i in range(0, len(text), 18)) for text in (first, second)
    )
    assert paragraphs(wrapped) == [first, second]


def test_markdown_headings_title_and_sections() -> None:
    text = "# 茶的历史\n\n## 起源\n\n茶起源于山中。\n\n## 传播\n\n马帮把茶运到远方。\n- 春茶\n"
    (document,) = read(text)
    assert document.title == document.label == "茶的历史"
    assert [(p.heading, p.text) for p in document.paragraphs] == [
        ("起源", "茶起源于山中。"),
        ("传播", "马帮把茶运到远方。"),
        ("传播", "- 春茶"),
    ]


def test_a_short_first_line_is_the_title_and_bare_names_below_it_the_authors() -> None:
    (document,) = read("山中茶事\n李白云 杜 甫\n\n茶起源于山中，人们采摘它。\n\n马帮把茶运到远方。\n")
    assert (document.title, document.authors) == ("山中茶事", ("李白云", "杜甫"))
    assert [p.text for p in document.paragraphs] == ["茶起源于山中，人们采摘它。", "马帮把茶运到远方。"]


def test_titles_bylines_and_notes_of_ordinary_text() -> None:
    text = (
        "山中茶事\n■李白云\n茶起源于山中，人们采摘它。\n（作者单位：茶学会）\n"
        "海上船事\n■杜牧之\n船坞里修着旧船，匠人很忙。\n"
    )
    tea, ship = read(text)
    assert (tea.title, tea.authors, tea.affiliation) == ("山中茶事", ("李白云",), "作者单位：茶学会")
    assert (ship.title, ship.authors, ship.affiliation) == ("海上船事", ("杜牧之",), None)


def test_authors_on_lines_of_their_own() -> None:
    (document,) = read("茶事\n\n■本报记者 李白云\n通讯员 杜甫 王维\n\n茶起源于山中，人们采摘它。\n")
    assert (document.title, document.authors) == ("茶事", ("李白云", "杜甫", "王维"))


def test_notes_alone_divide_a_page_without_bylines() -> None:
    text = (
        "山中茶事\n\n茶起源于山中，人们采摘它。\n\n（作者单位：茶学会）\n\n"
        "海上船事\n\n船坞里修着旧船，匠人很忙。\n\n（作者单位：船学会）\n"
    )
    assert [(d.title, d.affiliation) for d in read(text)] == [
        ("山中茶事", "作者单位：茶学会"),
        ("海上船事", "作者单位：船学会"),
    ]


def test_text_above_the_first_byline_is_not_lost() -> None:
    documents = read("编者按：今日刊发短文，供读者参考。\n\n茶事\n\n■李白\n\n茶起源于山中，人们采摘它。\n")
    assert [[p.text for p in d.paragraphs] for d in documents] == [
        ["编者按：今日刊发短文，供读者参考。"],
        ["茶起源于山中，人们采摘它。"],
    ]
    assert documents[1].title == "茶事"


@pytest.mark.parametrize("heading", ["■茶之源", "■关于茶", "■黄茶"])
def test_bullets_before_headings_make_no_bylines(heading: str) -> None:
    body = "茶起源于山中，人们采摘它。"
    text = f"{heading}\n{body}\n■采摘与时令\n{body}\n■制作\n{body}\n■品饮之道\n{body}\n"
    assert [d.authors for d in read(text)] == [()]


def test_a_bracketed_opening_is_no_note() -> None:
    lines = ["（据周刊）茶起源于山中。", "（一）清晨上山采茶。", "（二）傍晚下山制茶。"]
    assert paragraphs("\n".join(lines)) == lines


def test_page_furniture_at_the_end_is_no_title() -> None:
    text = "■李白\n\n茶起源于山中，人们采摘它。\n\n（作者单位：茶学会）\n\n责任编辑：王维 校对：杜甫\n"
    (document,) = read(text)
    assert document.title is None
    assert document.label == "李白：茶起源于山中，人们采摘它。"


def test_ids_are_stable_and_numbered() -> None:
    text = "茶事\n■李白\n茶起源于山中，人们采摘它。\n船事\n■杜甫\n船坞里修着旧船，匠人很忙。\n"
    first, second = read(text)
    source = source_from_text("other name", text)
    assert [first.document_id, second.document_id] == [f"{source.sha256[:12]}-{n}" for n in (1, 2)]
    assert [d.document_id for d in read_documents(source)] == [first.document_id, second.document_id]
