from __future__ import annotations

from dataclasses import replace

import pytest

from index.recipe import DocumentStamp, EncoderStamp, Recipe
from tests.index_samples import documents_of, recipe_of

RECIPE = recipe_of(documents_of())


def test_the_rows_of_all_documents_are_counted() -> None:
    assert [(document.chunks, document.sentences) for document in RECIPE.documents] == [(2, 3), (2, 3)]
    assert [RECIPE.count(kind) for kind in ("chunk", "sentence", "window")] == [4, 6, 6]
    assert [replace(RECIPE, documents=()).count(kind) for kind in ("chunk", "window")] == [0, 0]


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (RECIPE.documents, None),
        ((), None),
        ((DocumentStamp("a-1", 0, 0, "0" * 64),), None),
        ((*RECIPE.documents, RECIPE.documents[0]), f"文档 '{RECIPE.documents[0].document_id}' 列出了两次"),
        ((DocumentStamp("a-1", -1, 2, "0" * 64),), "文档 'a-1' 有 -1 块 2 句"),
        ((DocumentStamp("a-1", 1, -2, "0" * 64),), "文档 'a-1' 有 1 块 -2 句"),
    ],
)
def test_a_list_of_documents_that_cannot_be_is_noticed(
    documents: tuple[DocumentStamp, ...], message: str | None
) -> None:
    assert replace(RECIPE, documents=documents).fault() == message


def test_vectors_of_no_length_are_noticed() -> None:
    assert replace(RECIPE, encoder=EncoderStamp("四维", "r1", 0)).fault() == "向量是 0 维"


@pytest.mark.parametrize("same", [{"created_by": "cewen 9.9.9"}, {"documents": RECIPE.documents[::-1]}])
def test_who_wrote_it_and_of_which_documents_makes_no_difference(same: dict[str, object]) -> None:
    assert RECIPE.differences(replace(RECIPE, **same)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("expected", "message"),
    [
        (replace(RECIPE, encoder=EncoderStamp("五维", "r1", 4)), "编码器：索引里是 '四维'，现在是 '五维'"),
        (replace(RECIPE, encoder=EncoderStamp("四维", "r2", 4)), "编码器版本：索引里是 'r1'，现在是 'r2'"),
        (replace(RECIPE, encoder=EncoderStamp("四维", "r1", 5)), "向量维数：索引里是 4，现在是 5"),
        (replace(RECIPE, terms_version=2), "分词版本：索引里是 1，现在是 2"),
        (
            replace(RECIPE, splitter={"chunk_max_chars": 300, "keep_notes": True}),
            "切分设置 chunk_max_chars：索引里是 200，现在是 300",
        ),
        (
            replace(RECIPE, splitter={"chunk_max_chars": 200, "keep_notes": 1}),
            "切分设置 keep_notes：索引里是 True，现在是 1",
        ),
        (
            replace(RECIPE, splitter={"chunk_max_chars": 200}),
            "切分设置 keep_notes：索引里是 True，现在是 '（无）'",
        ),
    ],
)
def test_each_difference_is_named_with_both_sides(expected: Recipe, message: str) -> None:
    assert RECIPE.differences(expected) == [message]


def test_all_differences_are_named_at_once() -> None:
    other = replace(RECIPE, encoder=EncoderStamp("五维", "r2", 5), splitter={}, terms_version=2)
    assert len(RECIPE.differences(other)) == 4 + 2
