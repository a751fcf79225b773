"""Word documents as text."""

from __future__ import annotations

import pytest

from rag.converting.child import answer_to
from rag.converting.limits import DEFAULT_LIMITS
from rag.converting.numbering import chinese
from tests.converting_files import docx, numbered, paragraph, styled, table, wrapped, zipped


def text_of(data: bytes) -> str:
    """The text of a Word document, converted in this process."""
    said = answer_to("docx", data, DEFAULT_LIMITS)
    return str(said.get("text", said))


def test_paragraphs_headings_tables_and_lists() -> None:
    body = (
        styled("守塔人日志", "t")
        + paragraph("　　灯塔建于1908年。")
        + styled("点灯", "1")
        + paragraph("守塔人每天傍晚點燈，清晨熄灯。")
        + numbered("检查灯油。", 1)
        + numbered("擦亮镜片。", 1)
        + styled("人员", "2")
        + table([["姓名", "职务"], ["林海", "守塔人"], ["", "空缺"]])
        + paragraph("完。")
    )
    assert text_of(docx(body)) == (
        "# 守塔人日志\n\n灯塔建于1908年。\n\n# 点灯\n\n守塔人每天傍晚點燈，清晨熄灯。\n\n"
        "一、检查灯油。\n二、擦亮镜片。\n\n## 人员\n\n姓名 | 职务\n林海 | 守塔人\n | 空缺\n\n完。\n"
    )


def test_numbers_are_counted_as_word_counts_them() -> None:
    body = (
        numbered("甲", 1)
        + numbered("子", 1, 1)
        + numbered("丑", 1, 1)
        + numbered("乙", 1)
        + numbered("寅", 1, 1)
        + numbered("点", 3)
        + styled("总则", "n")
        + styled("附则", "n")
        + numbered("无此列表", 9)
        + numbered("不编号", 0)
    )
    lines = [line for line in text_of(docx(body)).split("\n") if line]
    assert lines == [
        *("一、甲", "1. 子", "2. 丑", "二、乙", "1. 寅", "- 点", "第三条总则", "第四条附则"),
        *("无此列表", "不编号"),
    ]


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "〇"), (1, "一"), (10, "十"), (12, "十二"), (20, "二十"), (101, "一百零一"), (110, "一百一十")],
)
def test_chinese_numbers(number: int, written: str) -> None:
    assert chinese(number) == written


def test_only_the_finished_text_is_read() -> None:
    run = "<w:r>{}<w:t>{}</w:t></w:r>"
    hidden = "<w:rPr><w:vanish/></w:rPr>"
    seen = '<w:rPr><w:vanish w:val="false"/></w:rPr>'
    body = (
        "<w:p>"
        + run.format("", "留")
        + run.format(hidden, "藏")
        + run.format(seen, "下")
        + f"<w:ins>{run.format('', '新增')}</w:ins>"
        + "<w:del><w:r><w:delText>删去</w:delText></w:r></w:del>"
        + "<w:r><w:instrText>PAGE</w:instrText></w:r>"
        + "<w:hyperlink>"
        + run.format("", "链接")
        + "</w:hyperlink>"
        + "<w:r><w:tab/><w:t>后</w:t><w:br/><w:t>行</w:t></w:r>"
        + "</w:p>"
        + styled("第一章 目录行 3", "c")
        + f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph('控件里的字。')}</w:sdtContent></w:sdt>"
    )
    assert text_of(docx(body)) == "留下新增链接 后\n\n行\n\n控件里的字。\n"


def test_text_boxes_once_and_notes_at_the_end() -> None:
    mc = "http://schemas.openxmlformats.org/markup-compatibility/2006"
    box = f"<w:txbxContent>{paragraph('框里的话。')}</w:txbxContent>"
    body = (
        f'<w:p><w:r><w:t>正文。</w:t><mc:AlternateContent xmlns:mc="{mc}"><mc:Choice>{box}</mc:Choice>'
        f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
    )
    rule = f'<w:footnote w:type="separator">{paragraph("线")}</w:footnote>'
    notes = f"{rule}<w:footnote>{paragraph('脚注。')}</w:footnote>"
    assert text_of(docx(body, footnotes=notes)) == "正文。\n\n框里的话。\n\n脚注。\n"


def test_a_frame_of_one_cell_is_ordinary_text() -> None:
    assert text_of(docx(table([["第一段。"], ["第二段。"]]))) == "第一段。\n\n第二段。\n"


def test_a_main_part_of_another_name_is_found_and_none_is_told() -> None:
    part = wrapped("document", f"<w:body>{paragraph('正文。')}</w:body>")
    assert text_of(zipped({"word/document2.xml": part})) == "正文。\n"
    assert "unsupported_document" in text_of(zipped({"word/documents.txt": part}))


def test_control_characters_and_styles_that_name_themselves_do_no_harm() -> None:
    assert text_of(docx(styled("自指&#x200B;&#x85;的标题", "2"))).startswith("## 自指\n的标题")
