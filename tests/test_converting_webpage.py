"""Web pages as text."""

from __future__ import annotations

import pytest

from rag.converting.child import answer_to
from rag.converting.limits import DEFAULT_LIMITS

PAGE = """<!DOCTYPE html>
<html><head><meta charset="{charset}"><title>灯塔 - 海事网</title><style>p {{ color: red }}</style></head>
<body>
<nav><a href="/">首页</a></nav><script>alert("不读")</script>
<h1>灯塔<em>志</em></h1>
<p>守塔人每天傍晚点灯，
   清晨熄灯。&ldquo;風雨不誤&rdquo;&#12290;</p>
<div hidden>藏一</div><div style="display: none">藏二</div><p aria-hidden="true">藏三</p>
<h2>规矩</h2>
<ol start="3"><li>检查灯油。</li><li><p>擦亮镜片。</p><ul><li>用软布。</li></ul></li></ol>
<table><caption>人员</caption><tr><th>姓名</th><th>职务</th></tr><tr><td>林海</td><td>守塔人<br>兼文书</td></tr></table>
<p>第一行<br/>第二行</p><!-- 注释 -->
<pre>一
  二</pre>
<form><input value="不读"><button>提交</button></form>
<p>Two  words&nbsp;here <ruby>漢<rt>かん</rt></ruby>字</p>
</body></html>
"""
TEXT = """# 灯塔志

守塔人每天傍晚点灯，清晨熄灯。“風雨不誤”。

## 规矩

3. 检查灯油。
4. 擦亮镜片。
- 用软布。

人员
姓名 | 职务
林海 | 守塔人 兼文书

第一行
第二行

一
二

Two words here 漢字
"""


def text_of(page: str | bytes) -> str:
    """The text of a page, converted in this process."""
    data = page if isinstance(page, bytes) else page.encode()
    said = answer_to("html", data, DEFAULT_LIMITS)
    return str(said.get("text", said))


@pytest.mark.parametrize("charset", ["utf-8", "gb2312", "gbk", "gb18030"])
def test_a_page_in_every_encoding_that_it_says(charset: str) -> None:
    encoding = "utf-8" if charset == "utf-8" else "gb18030"
    assert text_of(PAGE.format(charset=charset).encode(encoding)) == TEXT


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("said", ["utf-8", "iso-8859-1", "nonsense"])
def test_a_page_that_is_wrong_about_its_encoding(encoding: str, said: str) -> None:
    assert text_of(PAGE.format(charset=said).encode(encoding)) == TEXT


def test_traditional_chinese_in_big5() -> None:
    page = (
        '<html><meta http-equiv="Content-Type" content="text/html; charset=big5"><p>燈塔建於一九〇八年。</p>'
    )
    assert text_of(page.replace("〇", "零").encode("big5")) == "燈塔建於一九零八年。\n"


def test_bytes_in_no_known_encoding_are_refused() -> None:
    assert "编码认不出来" in text_of(b"<html><p>" + bytes(range(0x80, 0x100)) * 3)


def test_without_a_heading_the_title_stands_for_it() -> None:
    assert text_of("<title> 灯塔 \n 志</title><p>正文。</p>") == "# 灯塔志\n\n正文。\n"


def test_a_table_that_lays_out_the_page_is_not_data() -> None:
    text = "灯塔建于海边。" * 100
    page = f"<table><tr><td>栏目</td><td><p>{text}</p><p>第二段。</p></td></tr></table>"
    assert text_of(page) == f"栏目\n\n{text}\n\n第二段。\n"
    nested = "<table><tr><td><table><tr><td>甲</td><td>乙</td></tr></table></td><td>丙</td></tr></table>"
    assert text_of(nested) == "甲 | 乙\n\n丙\n"


def test_xhtml_with_a_declaration_and_fragments() -> None:
    page = '<?xml version="1.0" encoding="gb2312"?><html xmlns="http://www.w3.org/1999/xhtml"><body><p>文</p></body></html>'
    assert text_of(page.encode("gb18030")) == "文\n"
    assert text_of("没有标记的文字") == "没有标记的文字\n"
    assert text_of("<p>未闭合<div>下一段") == "未闭合\n\n下一段\n"


@pytest.mark.parametrize("page", ["<!-- -->", "<html></html>", "<p></p>", " ", "<script>1</script>"])
def test_a_page_without_text(page: str) -> None:
    assert text_of(page) == "" or "没有文字" in text_of(page)


def test_nesting_is_bounded() -> None:
    assert text_of("<div>" * 150 + "<b>深处</b>") == "深处\n"
    assert "层层嵌套" in text_of("<div>" * 300 + "深处")
    assert "层层嵌套" in text_of("<b>" * 100_000 + "深处")
