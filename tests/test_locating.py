"""A stretch of a passage is found word for word, at clause borders, and only if it says the same alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from rag.answering.locating import Located, locate
from rag.corpus import Corpus, build_corpus, read_folder
from rag.reading.decoding import source_from_text
from rag.records import Passage
from rag.text.folding import squeeze
from tests.span_checks import check_span
from tests.tea_corpus import tea_sources

TEXT = """采茶人清晨上山。新茶要在当天炒青，火要旺，手要快。 ISO 3720 是红茶的标准。\
亩产3.5万斤，收入1,200元，\
用时2019—2023年。

有人认为，老茶树该砍掉。并非茶树少，茶园有1200株。“茶是药”的说法没有根据。如果下雨，采茶人就歇工。茶是药吗？

研究[3]表明，**红茶**性温；绿茶性凉（陈茶除外）。村里“回甘”二字，人人会写，E-mail也写。
"""
CORPUS = build_corpus([source_from_text("茶", TEXT)], chunk_max_chars=60)


def passages(corpus: Corpus) -> list[Passage]:
    return [
        Passage(rank, 0.5, chunk, corpus.document_by_id[chunk.document_id], "")
        for rank, chunk in enumerate(corpus.chunks, 1)
    ]


def find(text: str) -> Located | None:
    found = [located for p in passages(CORPUS) if (located := locate(text, p, CORPUS))]
    for located in found:
        check_span(located.sentence.text, located.sentence.span, TEXT)
    return found[0] if found else None


@pytest.mark.parametrize(
    ("text", "match", "quote"),
    [
        ("采茶人清晨上山。", "exact", "采茶人清晨上山。"),
        ("采茶人清晨上山", "exact", "采茶人清晨上山"),
        ("ISO3720 是 红茶的标准。", "exact", "ISO 3720 是红茶的标准。"),
        ("火要旺，手要快。", "exact", "火要旺，手要快。"),
        ("火要旺", "exact", "火要旺"),
        ("亩产3.5万斤", "exact", "亩产3.5万斤"),
        ("研究表明，红茶性温", "exact", "研究[3]表明，**红茶**性温"),
        ("有人认为，老茶树该砍掉。", "exact", "有人认为，老茶树该砍掉。"),
        ("茶是药吗？", "exact", "茶是药吗？"),
        ("火要旺。", "normalised", "火要旺"),
        ("新茶要在当天炒青。", "normalised", "新茶要在当天炒青"),
        ("採茶人清晨上山。", "normalised", "采茶人清晨上山。"),
        ("采茶人清晨上山！", "normalised", "采茶人清晨上山。"),
        ("ｉｓｏ３７２０是红茶的标准", "normalised", "ISO 3720 是红茶的标准。"),
        ("火要旺、手要快。", "normalised", "火要旺，手要快。"),
        ("绿茶性凉，陈茶除外。", "normalised", "绿茶性凉（陈茶除外）。"),
        ("收入1200元。", "normalised", "收入1,200元"),
        ("村里回甘二字，人人会写。", "normalised", "村里“回甘”二字，人人会写"),
    ],
)
def test_what_is_found(text: str, match: str, quote: str) -> None:
    located = find(text)
    assert located is not None
    assert (located.match, located.sentence.text) == (match, quote)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "。",
        "采茶人",
        "清晨上山。",
        "采茶人傍晚上山。",
        "5万斤",
        "200元",
        "2023年",
        "用时2019",
        "E",
        "mail也写",
        "老茶树该砍掉。",
        "茶园有1200株。",
        "茶是药",
        "茶是药。",
        "采茶人就歇工。",
        "茶是药吗。",
        "采茶人清晨上山。手要快。",
        "亩产35万斤",
        "火要旺，手要快。采茶",
    ],
)
def test_what_is_not_found(text: str) -> None:
    assert find(text) is None


def test_a_whole_sentence_is_given_as_the_row_it_is() -> None:
    for sentence in CORPUS.sentences:
        located = find(sentence.text)
        assert located is not None
        assert located.sentence == sentence


def test_a_passage_that_does_not_say_it_proves_nothing() -> None:
    first, last = passages(CORPUS)[0], passages(CORPUS)[-1]
    assert locate("采茶人清晨上山。", first, CORPUS) is not None
    assert locate("采茶人清晨上山。", last, CORPUS) is None


@pytest.mark.parametrize("chunk_max_chars", [30, 80, 400])
def test_every_sentence_of_a_corpus_is_found_where_it_begins(chunk_max_chars: int) -> None:
    long = (
        "山路长，" * 40
        + "到头了。没有句号的一行\n\n见[1]和［2］之后，再看〔3〕。**粗体**一句。\n\n"
        + "（甲。乙）丙！丁“戊？”己。\n"
    )
    seeds = Path(__file__).resolve().parent.parent / "seeds"
    sources = [*tea_sources(), source_from_text("long.txt", long), *read_folder(seeds)]
    corpus = build_corpus(sources, chunk_max_chars=chunk_max_chars)
    numbered = passages(corpus)
    for sentence in corpus.sentences:
        located = locate(sentence.text, numbered[sentence.chunk_ordinal], corpus)
        assert located is not None
        assert located.match == "exact"
        assert squeeze(sentence.text).endswith(squeeze(located.sentence.text)[-4:])
        assert located.sentence.chunk_ordinal == sentence.chunk_ordinal
