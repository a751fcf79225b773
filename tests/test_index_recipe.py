from __future__ import annotations

from dataclasses import replace

import pytest

from index.recipe import EncoderStamp, Recipe, RowsStamp, SourceStamp, rows_stamp
from rag.corpus import Corpus
from tests.index_samples import TEXTS, corpus_of, recipe_of

CORPUS = corpus_of()
RECIPE = recipe_of(CORPUS)


def test_a_recipe_names_sources_and_rows_of_its_corpus() -> None:
    assert [source.name for source in RECIPE.sources] == ["第1篇.txt", "第2篇.txt"]
    assert RECIPE.sources[0].sha256 == CORPUS.sources[0].sha256
    assert (RECIPE.rows.chunks, RECIPE.rows.sentences) == (4, 4)
    assert [RECIPE.rows.count(kind) for kind in ("chunk", "sentence", "window")] == [4, 4, 4]


def test_the_same_corpus_read_again_has_the_same_recipe() -> None:
    assert recipe_of(corpus_of()) == RECIPE
    assert RECIPE.differences(recipe_of(corpus_of())) == []


def test_who_built_it_decides_nothing() -> None:
    assert RECIPE.differences(replace(RECIPE, created_by="cewen 9.9.9")) == []


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
        (replace(RECIPE, sources=RECIPE.sources[:1]), "来源 '第2篇.txt'：索引里有，现在没有"),
        (
            replace(RECIPE, sources=(*RECIPE.sources, SourceStamp("第3篇.txt", "0" * 64))),
            "来源 '第3篇.txt'：索引里没有，现在有",
        ),
        (
            replace(RECIPE, sources=RECIPE.sources[::-1]),
            "来源的次序：索引里是 ['第1篇.txt', '第2篇.txt']，现在是 ['第2篇.txt', '第1篇.txt']",
        ),
        (
            replace(RECIPE, sources=(RECIPE.sources[0], SourceStamp("第2篇.txt", "f" * 64))),
            (
                f"来源 '第2篇.txt' 的内容：索引里的 SHA-256 是 {RECIPE.sources[1].sha256[:12]}…，"
                "现在是 ffffffffffff…"
            ),
        ),
        (
            replace(RECIPE, rows=RowsStamp(5, 6, "e" * 64)),
            (
                f"切出的文本：索引里是 4 块 4 句（{RECIPE.rows.sha256[:12]}…），"
                "现在是 5 块 6 句（eeeeeeeeeeee…）"
            ),
        ),
    ],
)
def test_each_difference_is_named_with_both_sides(expected: Recipe, message: str) -> None:
    assert RECIPE.differences(expected) == [message]


def test_all_differences_are_named_at_once() -> None:
    other = replace(
        recipe_of(corpus_of(TEXTS[:1])), encoder=EncoderStamp("五维", "r2", 5), splitter={}, terms_version=2
    )
    assert len(RECIPE.differences(other)) == 4 + 2 + 1 + 1


def with_chunk(**change: object) -> Corpus:
    return replace(CORPUS, chunks=(replace(CORPUS.chunks[0], **change), *CORPUS.chunks[1:]))  # type: ignore[arg-type]


def with_sentence(**change: object) -> Corpus:
    first = replace(CORPUS.sentences[0], **change)  # type: ignore[arg-type]
    return replace(CORPUS, sentences=(first, *CORPUS.sentences[1:]))


@pytest.mark.parametrize(
    "corpus",
    [
        with_chunk(chunk_id="x"),
        with_chunk(text="城市治理"),
        with_chunk(paragraph=2),
        with_sentence(text="城市治理"),
        with_sentence(document_id="x"),
        with_sentence(paragraph=2),
        with_sentence(chunk_ordinal=1),
        with_sentence(span=CORPUS.sentences[1].span),
        replace(CORPUS, chunks=CORPUS.chunks[::-1]),
        replace(CORPUS, sentences=CORPUS.sentences[::-1]),
        replace(CORPUS, documents=CORPUS.documents[::-1]),
        replace(CORPUS, documents=(replace(CORPUS.documents[0], label="x"), CORPUS.documents[1])),
        replace(CORPUS, sentences=CORPUS.sentences[:-1]),
    ],
)
def test_the_rows_checksum_notices(corpus: Corpus) -> None:
    assert rows_stamp(corpus).sha256 != RECIPE.rows.sha256
