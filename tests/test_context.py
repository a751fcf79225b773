"""What is searched and read above a paragraph: lines that head a section, questions, heads of tables."""

from __future__ import annotations

from typing import get_args

import pytest

from api.library.preparing import encode, index_rows
from api.pages.source_views import KIND_NAMES
from rag.context import context_of, in_context, is_table_row
from rag.corpus import build_corpus
from rag.reading.decoding import source_from_text
from rag.reading.documents import read_page, unreflow
from rag.records import BlockKind
from rag.text.terms import index_terms
from tests.counting_encoder import CountingEncoder

PAGE = """# 浴室守则

## 票价

### 淡季

| 票种 | 价格 |
|---|---|
| 单次 | 9 元 |
| 月票 | 80 元 |

## 问答

毛巾要自带吗？

要。也可以租。

水温能调吗？

【更衣】
先换鞋，再进门。

第三章　锅炉
每天烧两次。

- - -
锅炉工姓傅，住在后院。
"""
SOURCE = source_from_text("bath.md", PAGE)
CORPUS = build_corpus([SOURCE], chunk_max_chars=60)
(DOCUMENT,) = CORPUS.documents


def context(text: str) -> str:
    (number,) = [p.number for p in DOCUMENT.paragraphs if p.text.startswith(text)]
    return context_of(DOCUMENT, number)


@pytest.mark.parametrize(
    ("paragraph", "above"),
    [
        ("| 票种", ""),
        ("| 月票", "| 票种 | 价格 |"),
        ("毛巾要自带吗", ""),
        ("要。", "毛巾要自带吗？"),
        ("水温能调吗", ""),
        ("先换鞋", "【更衣】"),
        ("每天烧两次", "第三章　锅炉"),
        ("锅炉工", "第三章　锅炉"),
    ],
)
def test_context(paragraph: str, above: str) -> None:
    assert context(paragraph) == above


def test_a_text_without_headings_has_none() -> None:
    plain = build_corpus([source_from_text("a.txt", "船来了。\n茶也好了。\n")], chunk_max_chars=60)
    (document,) = plain.documents
    assert [context_of(document, paragraph.number) for paragraph in document.paragraphs] == ["", ""]
    assert in_context(document, plain.chunks[0]) == "船来了。"


def test_a_rule_is_no_paragraph_and_not_lost() -> None:
    _, layout = read_page(SOURCE)
    assert [block.text for block in layout.blocks if block.kind == "rule"] == ["|---|---|", "- - -"]
    assert not any("---" in paragraph.text for paragraph in DOCUMENT.paragraphs)
    assert unreflow(layout) == PAGE


def test_every_kind_of_block_has_a_name_on_the_page() -> None:
    assert set(get_args(BlockKind)) <= set(KIND_NAMES)


@pytest.mark.parametrize(
    ("text", "is_row"),
    [("| 单次 | 9 元 |", True), ("经理    600    450", True), ("他说    好", False), ("先换鞋。", False)],
)
def test_rows_of_tables(text: str, is_row: bool) -> None:
    assert is_table_row(text) is is_row


def test_a_row_far_below_its_head_has_no_other_row_for_one() -> None:
    rows = "\n".join(f"| 货{number} | {number} |" for number in range(300))
    (document,) = build_corpus(
        [source_from_text("a.txt", f"| 品名 | 价钱 |\n{rows}\n")], chunk_max_chars=60
    ).documents
    assert context_of(document, 150) == "| 品名 | 价钱 |"
    assert context_of(document, 290) == ""


def test_a_chunk_is_indexed_below_its_context_and_shown_without() -> None:
    (rows,) = [CORPUS.rows_of(DOCUMENT.document_id)]
    terms = index_rows(encode([rows], CountingEncoder())).terms["chunk"]
    (place,) = [i for i, chunk in enumerate(rows.chunks) if chunk.text.startswith("| 月票")]
    assert terms[place] == index_terms("| 票种 | 价格 | | 月票 | 80 元 |")
    assert rows.chunks[place].text == "| 月票 | 80 元 |"
