"""What of a corpus counts as naming a year: terms, labels, a date, spans, the printed page."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

import rag.confidence.judge
from evals.schema import load_questions
from index.lexical import LexicalIndex
from rag.confidence.elsewhere import foreign_years
from rag.corpus import build_corpus, read_folder
from rag.question import read_question
from rag.reading.decoding import source_from_text
from rag.records import Metadata
from rag.text.terms import index_terms
from tests.confidence_samples import arms_of, found_by_hand

PROJECT = Path(__file__).parent.parent
CORPORA = PROJECT / "evals" / "fit" / "corpora"
DEV = PROJECT / "evals" / "questions" / "dev.jsonl"
QUESTION = read_question("2021年每株补助多少钱？")


def missing(text: str, *, date: str | None = None, first: int = 0) -> tuple[str, ...]:
    """The missing years where a corpus of one text is found paragraph by paragraph, from one of them on."""
    source = replace(source_from_text("aid.txt", text), metadata=Metadata(date=date))
    corpus = build_corpus([source], chunk_max_chars=200)
    order = [*range(first, len(corpus.chunks)), *range(first)]
    found = found_by_hand(corpus, QUESTION, chunks=order)
    return foreign_years(QUESTION, found, arms_of(corpus).chunk_terms, corpus.names)


@pytest.mark.parametrize(
    ("text", "is_missing"),
    [
        ("每株补助十五元，三十天里打到卡上。", True),
        ("2023年起每株补助十五元，三十天里打到卡上。", True),
        ("干了二十一年，每株补助十五元。", True),
        ("2021年每株补助十元，三十天里打到卡上。", False),
        ("二〇二一年每株补助十元，三十天里打到卡上。", False),
        ("2019—2023年每株补助十元，三十天里打到卡上。", False),
        ("2019年起每株补助十元，三十天里打到卡上。", False),
    ],
)
def test_a_year_by_what_the_passages_say(text: str, is_missing: bool) -> None:
    assert missing(text) == (("2021年",) if is_missing else ())


def test_the_date_of_a_text_is_a_year_that_it_has() -> None:
    text = "每株补助十五元，三十天里打到卡上。"
    assert missing(text, date="2021-05-01") == ()
    assert missing(text, date="2022") == ("2021年",)


def test_the_date_that_a_page_prints_is_a_year_that_it_has() -> None:
    page = (
        "乡土周刊　第6版　{}年3月18日　星期二\n\n■ 林晚秋\n树的账\n"
        "　　每株补助十五元，三十天里打到卡上。\n（作者系林业站站长）\n"
    )
    corpus = build_corpus([source_from_text("page.txt", page.format(2021))], chunk_max_chars=200)
    assert "2021" not in "".join(chunk.text for chunk in corpus.chunks)
    assert missing(page.format(2021)) == ()
    assert missing(page.format(2022)) == ("2021年",)


def test_since_counts_in_the_nearest_passages_alone() -> None:
    others = "".join(f"第{char}片果园里的树都要浇水，每株补助十五元。\n\n" for char in "甲乙丙丁戊")
    text = f"{others}2019年起每株补助十元，三十天里打到卡上。\n"
    assert missing(text) == ("2021年",)
    assert missing(text, first=5) == ()
    # A span with an end counts wherever it stands.
    assert missing(text.replace("2019年起", "2019—2023年")) == ()


def asked_in_vain(documents: Path, questions: Path) -> list[bool]:
    """Of each question with a year that a corpus does not have, all of it found, whether it is answerable."""
    corpus = build_corpus(read_folder(documents), chunk_max_chars=200)
    arm = LexicalIndex.build([index_terms(chunk.text) for chunk in corpus.chunks])
    (file,) = load_questions([questions])
    found = found_by_hand(corpus, QUESTION, chunks=range(len(corpus.chunks)))
    return [
        asked.answerable
        for asked in file.questions
        if foreign_years(read_question(asked.question), found, arm, corpus.names)
    ]


def test_the_figures_beside_the_rule_are_what_the_corpora_give() -> None:
    rows = [
        answerable
        for folder in sorted(path for path in CORPORA.iterdir() if path.is_dir())
        for answerable in asked_in_vain(folder / "documents", folder / "questions.jsonl")
    ] + asked_in_vain(PROJECT / "seeds", DEV)
    source = Path(rag.confidence.judge.__file__).read_text("utf-8")
    said = re.search(r"such a year\s+(\d+) and (\d+)\.", source)
    assert said is not None
    assert [int(number) for number in said.groups()] == [rows.count(True), rows.count(False)]
