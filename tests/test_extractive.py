"""What the default generator chooses, on a small invented corpus and with relevance set by hand."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from rag.answering.extractive import ExtractiveGenerator
from rag.answering.generator import GenerationRequest, RankedSentence
from rag.answering.material import preferred
from rag.corpus import build_corpus
from rag.question import read_question
from rag.reading.decoding import source_from_text
from rag.records import Passage
from rag.structure import Structure

POTTERY = """陶与火

■陆青山

烧窑靠什么？烧窑靠柴，也靠守窑人的眼睛，火色由红转白才能停柴。旧窑难改。窑壁有三尺厚，里面埋着六十年前的碎陶，敲开一处就要补上半个月。

有人说窑火可以全部换成电火，我不赞成：电火烧不出釉面上的流纹。
"""
RIVER = """■周海生

河上的船运窑砖，一船装八千块，走两天一夜到海口。

窑火换成电火是迟早的事，省下的柴可以养一片山林。
"""
CORPUS = build_corpus(
    [source_from_text("pottery.txt", POTTERY), source_from_text("river.txt", RIVER)], chunk_max_chars=200
)
PASSAGES = [
    Passage(rank, 0.5, chunk, CORPUS.document_by_id[chunk.document_id], "/")
    for rank, chunk in enumerate(CORPUS.chunks, 1)
]
GENERATOR = ExtractiveGenerator(CORPUS, Structure(CORPUS))


def ranked(*openings: tuple[str, float]) -> list[RankedSentence]:
    """Sentences by how they begin, with a relevance each."""
    return [
        RankedSentence(next(s for s in CORPUS.sentences if s.text.startswith(opening)), relevance)
        for opening, relevance in openings
    ]


def said(question: str, found: Sequence[RankedSentence]) -> str:
    request = GenerationRequest(read_question(question), PASSAGES, found, (), 320)
    return "".join(GENERATOR.generate(request))


def test_nothing_found_nothing_said() -> None:
    assert said("烧窑靠什么？", []) == ""


@pytest.mark.parametrize(
    ("opening", "sentences"),
    [
        ("烧窑靠什么", ["烧窑靠柴，也靠守窑人的眼睛，火色由红转白才能停柴。"]),
        ("旧窑难改", ["旧窑难改。", "窑壁有三尺厚，里面埋着六十年前的碎陶，敲开一处就要补上半个月。"]),
    ],
)
def test_what_says_little_is_followed_by_the_next_and_a_question_left_out(
    opening: str, sentences: list[str]
) -> None:
    text = said("烧窑要注意什么？", ranked((opening, 0.9)))
    assert text == "".join(f"{sentence}[1]" for sentence in sentences)


def test_a_full_sentence_stands_alone() -> None:
    assert (
        said("船走几天？", ranked(("河上的船", 0.9))) == "河上的船运窑砖，一船装八千块，走两天一夜到海口。[3]"
    )


def test_who_holds_a_view_is_answered_with_the_name() -> None:
    text = said("谁反对把窑火换成电火？", ranked(("有人说窑火", 0.9)))
    assert text == "陆青山：[2]\n有人说窑火可以全部换成电火，我不赞成：电火烧不出釉面上的流纹。[2]"
    assert "陆青山" not in said("釉面上的流纹怎么来的？", ranked(("有人说窑火", 0.9)))


def test_several_authors_are_named_each() -> None:
    text = said("窑火换电火，两篇文章看法有什么不同？", ranked(("有人说窑火", 0.9), ("窑火换成电火", 0.8)))
    assert text.split("\n")[::2] == ["陆青山：[2]", "周海生：[4]"]


def test_the_reader_moves_sentences_and_nothing_without_it() -> None:
    found = ranked(("河上的船", 0.6), ("有人说窑火", 0.5))
    assert preferred(found, {}) == found
    by_chunk = {found[0].sentence.chunk_ordinal: -2.0, found[1].sentence.chunk_ordinal: 2.0}
    moved = preferred(found, by_chunk)
    assert [each.sentence for each in moved] == [found[1].sentence, found[0].sentence]
    # logit 0 plus a fifth of 2 is 0.4; 1 / (1 + e^-0.4)
    assert moved[0].relevance == pytest.approx(0.5987, abs=1e-4)


def test_what_was_not_read_counts_as_the_worst_that_was() -> None:
    found = ranked(("河上的船", 0.5), ("有人说窑火", 0.5))
    moved = preferred(found, {found[0].sentence.chunk_ordinal: -1.0})
    assert moved[0].relevance == moved[1].relevance == pytest.approx(0.4502, abs=1e-4)
