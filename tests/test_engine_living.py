"""The engine over a corpus that changes, over a part of one, and over none."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.segments.live import LiveIndex
from rag.answering.support import Support, Unsupported, support
from rag.corpus import Corpus, build_corpus
from rag.engine import Engine
from rag.metadata import check_filters, check_metadata
from rag.question import read_question
from rag.ranking.arms import LexicalArm, VectorArm
from rag.ranking.background import Background
from rag.ranking.features import FEATURES, gather_evidence
from rag.reading.decoding import source_from_text
from rag.records import Answer, CitationsKnown, TextAdded
from rag.structure import Structure
from tests.confidence_samples import arms_of
from tests.counting_encoder import CountingEncoder
from tests.living_samples import CHUNK_MAX_CHARS, Living, engine_over, indexed, rows_of
from tests.tea_corpus import tea_sources

STARS = source_from_text("stars.txt", "■杜远山\n彗星每七十年来一次。观测站记下了它。星表有三卷。\n")
LAMPS = source_from_text("lamps.txt", "灯油要备足八桶。灯芯每月换一次。灯塔的灯不能灭。\n")
ALL = rows_of([*tea_sources(), STARS, LAMPS])
IDS = [rows.document.document_id for rows in ALL]
QUESTIONS = (
    "制茶有哪三道工序？",
    "灯油要备足几桶？",
    "彗星多久来一次？",
    "陆青山的单位是什么？",
    "周海生和陆青山各说什么？",
    "文章的作者都有谁？",
    "北京的灯塔有多高？",
    "What does Du Yuanshan say?",
)


class Untouchable:
    """An index that nobody may look at."""

    @property
    def chunk_vectors(self) -> VectorArm:
        return pytest.fail("the index was asked")

    @property
    def chunk_terms(self) -> LexicalArm:
        class Nobody:
            def __getattr__(self, name: str) -> Any:
                return pytest.fail(f"the index was asked for {name}")

        return Nobody()

    sentence_vectors = window_vectors = chunk_vectors
    sentence_terms = chunk_terms


def said(engine: Engine, question: str) -> dict[str, Any]:
    """All that an answer and a search say, but for what differs from run to run and for ordinals."""
    answer = asdict(engine.ask(question, explain=True))
    for name in ("answer_id", "timings_ms", "fingerprint"):
        answer.pop(name)
    found = [asdict(passage) for passage in engine.search(question, top_k=50)]
    for passage in (*found, *answer["related"]):
        passage["chunk"].pop("ordinal")
    return answer | {"search": found}


def test_an_empty_corpus_answers_without_being_searched() -> None:
    engine = engine_over(Corpus.empty(), Untouchable(), rate=1.0)
    for question in (*QUESTIONS, "什么？", "第一篇是谁写的？", "《制茶三法》的作者是谁？"):
        assert engine.search(question) == ()
        assert engine.search(question, keep=lambda _: True, score_threshold=0.1) == ()
        answer = engine.ask(question, explain=True)
        assert (answer.status, answer.reason, answer.confidence) == ("abstained", "off_topic", 0.0)
        assert (answer.citations, answer.related, answer.sentences) == ((), (), ())
        assert "没有可以查找的文章" in answer.answer
        *events, last = engine.stream(question)
        assert events == [CitationsKnown(()), TextAdded(answer.answer)]
        assert isinstance(last, Answer)
        assert (last.reason, last.confidence) == ("off_topic", 0.0)
    assert engine.examples() == ()
    assert engine.documents() == ()


def test_so_does_one_that_was_emptied_and_a_view_of_nothing() -> None:
    full = Living.of(ALL)
    for living in (full.without(IDS), full.only([]), full.without(IDS).compacted(), Living.of([])):
        engine = engine_over(living.corpus, living.index)
        assert engine.search("灯塔") == ()
        assert engine.ask("灯塔有什么用？").reason == "off_topic"
    again = full.without(IDS).extended(ALL)
    assert said(again.engine(), QUESTIONS[0]) == said(full.engine(), QUESTIONS[0])


@settings(max_examples=12)
@given(st.lists(st.sampled_from(range(len(ALL))), max_size=6))
def test_after_changes_it_answers_as_one_that_was_made_anew(changes: list[int]) -> None:
    living, live = Living.of(ALL), list(IDS)
    for number in changes:
        if IDS[number] in live:
            living = living.without([IDS[number]])
            live.remove(IDS[number])
        else:
            living = living.extended([ALL[number]])
            live.append(IDS[number])
    anew = Living.of([ALL[IDS.index(name)] for name in live])
    for question in QUESTIONS:
        expected = said(anew.engine(), question)
        assert said(living.engine(), question) == expected
        assert said(living.compacted().engine(), question) == expected


def test_a_filter_lets_through_what_matches_and_nothing_else() -> None:
    full = Living.of(ALL)
    wanted = [row.document for row in ALL if check_filters(names=["lamps.txt"]).matches(row.document)]
    engine = full.only([document.document_id for document in wanted]).engine()
    assert engine.documents() == tuple(wanted)
    for question in QUESTIONS:
        answer = engine.ask(question)
        found = engine.search(question, top_k=50)
        shown = {passage.document.document_id for passage in (*found, *answer.related)}
        shown |= {citation.document_id for citation in answer.citations}
        assert shown <= {IDS[-1]}
        assert found
    assert engine.ask("灯油要备足几桶？").status == "answered"
    everything = full.only(IDS).engine()
    for question in QUESTIONS:
        assert said(everything, question) == said(full.engine(), question)


def test_what_an_arm_says_of_dead_rows_is_not_believed() -> None:
    corpus = build_corpus([*tea_sources(), STARS, LAMPS], chunk_max_chars=CHUNK_MAX_CHARS)
    engine = engine_over(corpus.only(IDS[:1]), arms_of(corpus))
    found = engine.search("灯塔的灯油要备足几桶？", top_k=50)
    assert {passage.document.document_id for passage in found} == {IDS[0]}


def test_a_sentence_has_no_dead_neighbour() -> None:
    """A document that is taken out and put back stands right behind its own dead rows."""
    once = Living.of([ALL[-1]])
    corpus = once.corpus.without(IDS[-1:]).extended([ALL[-1]])
    # An index that knows of no dead rows: the words of the last sentence stand in rows 2 and 5.
    heedless = LiveIndex.empty(CountingEncoder.dimension)
    for _ in range(2):
        heedless = heedless.extended(indexed([ALL[-1]]))
    question = read_question("不能灭")
    vector = CountingEncoder().encode_queries([question.text])[0]
    cover = FEATURES.index("cover_window")
    for rows, index in ((once.corpus, once.index), (corpus, heedless)):
        found = gather_evidence(question, vector, index, rows, Background(None, None), 50)
        assert found.ordinals.tolist() == [row.ordinal for row in rows.live_sentences()]
        first, second, third = found.matrix[:, cover].tolist()
        assert first == 0 < second == third


GIVEN = check_metadata(title="守灯手记", authors=["海岸生"])
NAMED = replace(LAMPS, metadata=GIVEN)


def test_an_uploaders_word_is_told_and_not_cited() -> None:
    engine = Living.of(rows_of([*tea_sources(), NAMED])).engine()
    answer = engine.ask("《守灯手记》的作者是谁？")
    assert (answer.status, answer.reason, answer.citations) == ("abstained", "not_stated", ())
    assert "原文没有印出“守灯手记”的作者" in answer.answer
    assert "添加文章的人注明的作者：海岸生" in answer.answer
    found = engine.search("海岸生说灯油要备足几桶？", top_k=1)
    assert (found[0].document.label, found[0].document.authors) == ("守灯手记", ("海岸生",))
    printed = engine.ask("《制茶三法》的作者是谁？")
    assert printed.status == "answered"
    assert "陆青山" in printed.answer


def test_what_the_page_prints_is_said_on_its_proof_whatever_the_uploader_says() -> None:
    tea = replace(tea_sources()[0], metadata=GIVEN)
    engine = Living.of(rows_of([tea, LAMPS])).engine()
    assert next(document.label for document in engine.documents()) == "守灯手记"
    for question in ("《守灯手记》的作者是谁？", "《制茶三法》的作者是谁？"):
        answer = engine.ask(question)
        assert answer.answer.startswith("《制茶三法》的作者是陆青山。")
        assert {citation.quote for citation in answer.citations} == {"■陆青山", "制茶三法"}
        assert {citation.title for citation in answer.citations} == {"守灯手记"}


def test_a_name_that_is_not_printed_proves_nothing_by_itself() -> None:
    corpus = Living.of(rows_of([NAMED])).corpus
    rows = list(corpus.sentences)
    alone = support("《守灯手记》的作者是海岸生。", rows, corpus.documents)
    assert isinstance(alone, Unsupported)
    assert "没有印" in alone.why
    assert isinstance(support("海岸生说，灯油要备足八桶。", rows, corpus.documents), Support)


def test_lists_are_those_of_the_document_wherever_it_stands() -> None:
    full = Living.of(ALL)
    moved = full.without(IDS[:1]).extended(ALL[:1])
    (there,) = Structure(full.only(IDS[:1]).corpus).enumerations
    (here,) = Structure(moved.only(IDS[:1]).corpus).enumerations
    shift = moved.corpus.first_rows[IDS[0]][1].start
    assert there.moved(shift) == here
    assert Structure(moved.corpus).of_sentence(there.heads[0]) == ()
