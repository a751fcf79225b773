"""Whatever a generator does, checked sentences come out, and `degraded` says what went wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.citations import SourceLinks
from rag.answering.extractive import ExtractiveGenerator
from rag.answering.gate import Checked, Gate
from rag.answering.generator import AnswerGenerator, GenerationRequest, RankedSentence, never
from rag.answering.rendering import answer_parts
from rag.answering.writing import AnswerWriting
from rag.corpus import build_corpus
from rag.errors import GeneratorError
from rag.llm.faults import fault
from rag.question import read_question
from rag.records import Citation, Degradation
from rag.structure import Structure
from tests.tea_corpus import tea_sources
from tests.test_gate import passages_of

CORPUS = build_corpus(tea_sources(), chunk_max_chars=60)
PASSAGES = passages_of(CORPUS)
EXTRACTIVE = ExtractiveGenerator(CORPUS, Structure(CORPUS))
BITTER = "茶汤之所以发苦，是因为水太烫。"
LAMPS = "守灯人每晚点灯两次，雨夜要点三次。"
OIL = "修船用的桐油每年要备足八桶。"
TEA, HARBOUR, SHIPS = (
    next(passage.rank for passage in PASSAGES if text in passage.chunk.text) for text in (BITTER, LAMPS, OIL)
)
GOOD = f"守灯人每晚要点灯2次。[{HARBOUR}]{OIL}[{SHIPS}]\n"
"""A paraphrase and a quotation."""


class Saying:
    """Says its pieces, then raises its error if it has one."""

    name = "plug-in"

    def __init__(
        self, *pieces: str, error: Exception | None = None, then: Callable[[], None] = lambda: None
    ) -> None:
        self._pieces = pieces
        self._error = error
        self._then = then
        self.said = 0
        self.closed = False

    def pieces(self) -> Iterable[str]:
        return self._pieces

    def generate(self, _: GenerationRequest) -> Iterator[str]:
        try:
            for piece in self.pieces():
                self.said += len(piece)
                yield piece
                self._then()
            if self._error is not None:
                raise self._error
        finally:
            self.closed = True


class Endless(Saying):
    """Says its one piece without end."""

    def pieces(self) -> Iterable[str]:
        while True:
            yield from self._pieces


def request_of(*evidence: str, cancelled: Callable[[], bool] = never) -> GenerationRequest:
    """A request for which extractive says the first of these sentences and nothing else."""
    rows = {sentence.text: sentence for sentence in CORPUS.sentences}
    ranked = [RankedSentence(rows[text], 0.9 if text == evidence[0] else 0.1) for text in evidence]
    return GenerationRequest(read_question("茶汤为什么发苦？"), PASSAGES, ranked, (), 320, cancelled)


def writing_of(
    writer: AnswerGenerator,
    fallback: AnswerGenerator | None = EXTRACTIVE,
    *,
    cancelled: Callable[[], bool] = never,
    may_refuse: bool = False,
) -> AnswerWriting:
    gate = Gate(PASSAGES, CORPUS, links=SourceLinks())
    asked = request_of(BITTER, LAMPS, cancelled=cancelled)
    return AnswerWriting(asked, writer, fallback, gate, may_refuse=may_refuse)


def texts(checked: Checked) -> list[str]:
    return [sentence.text for sentence in checked.sentences]


def run(writing: AnswerWriting) -> list[list[str]]:
    """The new sentences of each step; that steps only add and add up is checked by the way."""
    steps: list[list[str]] = []
    said: list[str] = []
    known: tuple[Citation, ...] = ()
    parts = ""
    for checked in writing.steps():
        assert texts(checked)[: len(said)] == said
        assert checked.citations[: len(known)] == known
        steps.append(texts(checked)[len(said) :])
        assert steps[-1]
        parts += "".join(answer_parts(checked, len(said)))
        said, known = texts(checked), checked.citations
    assert said == texts(writing.checked)
    assert known == writing.checked.citations
    assert parts == "".join(answer_parts(writing.checked))
    return steps


def test_a_good_generator_needs_no_help() -> None:
    writing = writing_of(Saying(GOOD))
    assert run(writing) == [["守灯人每晚要点灯2次。"], [OIL]]
    assert (writing.generator, writing.degraded) == ("plug-in", None)
    assert [citation.quote for citation in writing.checked.citations] == [LAMPS, OIL]
    assert "".join(answer_parts(writing.checked)) == f"守灯人每晚要点灯2次。[1]{OIL}[2]"


def test_a_sentence_is_given_out_once_nothing_can_change_it() -> None:
    pieces = (BITTER, f"[{TEA}", "]", f"\n{OIL}[{SHIPS}]", " ", f"{LAMPS}[{HARBOUR}]")
    assert run(writing_of(Saying(*pieces))) == [[BITTER], [OIL], [LAMPS]]
    assert run(writing_of(Saying("".join(pieces)))) == [[BITTER, OIL], [LAMPS]]


def test_a_rejected_sentence_brings_no_step() -> None:
    writing = writing_of(
        Saying(f"守灯人每晚点灯9次。[{HARBOUR}]\n", f"{OIL}[{SHIPS}]\n", f"{OIL}[{SHIPS}]\n")
    )
    assert run(writing) == [[OIL]]
    assert [v.verdict for v in writing.checked.verdicts] == ["rejected", "exact", "repeated"]
    assert writing.degraded is None


@given(st.lists(st.integers(1, 60), max_size=8))
def test_however_it_is_cut_it_says_the_same(places: list[int]) -> None:
    text = f"{GOOD}月亮是绿的。[1]\n{BITTER}[{TEA}]"
    borders = sorted({0, len(text), *(min(place, len(text)) for place in places)})
    pieces = [text[start:end] for start, end in pairwise(borders)]
    writing = writing_of(Saying(*pieces))
    assert [text for step in run(writing) for text in step] == ["守灯人每晚要点灯2次。", OIL, BITTER]
    assert writing.degraded is None


def test_an_error_at_once_leaves_it_to_extractive() -> None:
    writing = writing_of(Saying(error=fault("generator_unreachable")))
    assert run(writing) == [[BITTER]]
    assert writing.generator == "extractive"
    assert writing.degraded == Degradation(
        "plug-in", "generator_unreachable", fault("generator_unreachable").message
    )


def test_what_was_said_before_an_error_stays_and_is_completed() -> None:
    writing = writing_of(Saying(f"{OIL}[{SHIPS}]\n", "守灯人每", error=fault("generator_incomplete")))
    assert run(writing) == [[OIL], [BITTER]]
    assert "".join(answer_parts(writing.checked)) == f"{OIL}[1]\n{BITTER}[2]"
    assert writing.generator == "plug-in"
    assert writing.degraded is not None
    assert (writing.degraded.generator, writing.degraded.code) == ("plug-in", "generator_incomplete")


def test_extractive_does_not_repeat_what_was_said() -> None:
    writing = writing_of(Saying(f"{BITTER}[{TEA}]\n守灯", error=fault("generator_timeout")))
    assert run(writing) == [[BITTER]]
    assert [v.verdict for v in writing.checked.verdicts] == ["exact", "repeated"]
    assert writing.generator == "plug-in"
    assert writing.degraded is not None


def test_an_error_after_nothing_that_passed_counts_as_extractives_work() -> None:
    writing = writing_of(Saying("月亮是绿的。[1]\n", error=fault("generator_timeout")))
    assert run(writing) == [[BITTER]]
    assert writing.generator == "extractive"
    assert writing.degraded is not None
    assert writing.degraded.code == "generator_timeout"


def test_a_fault_in_a_plug_in_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        writing = writing_of(Saying(f"{OIL}[{SHIPS}]\n守灯", error=ValueError("密文")))
        assert run(writing) == [[OIL], [BITTER]]
    assert writing.degraded == Degradation(
        "plug-in", "generator_failed", "生成器 'plug-in' 内部出错（ValueError）。"
    )
    assert "ValueError" in caplog.text
    assert "密文" not in caplog.text


class Odd:
    """Gives whatever it was made with."""

    name = "odd"

    def __init__(self, gives: object) -> None:
        self._gives = gives

    def generate(self, _: GenerationRequest) -> Iterator[str]:
        return self._gives  # type: ignore[return-value]


class Stopping(Odd):
    def generate(self, _: GenerationRequest) -> Iterator[str]:
        raise StopIteration


@pytest.mark.parametrize(
    ("writer", "problem"),
    [
        (Odd(None), "TypeError"),
        (Odd(7), "TypeError"),
        (Odd([OIL.encode()]), "TypeError"),
        (Odd([None]), "TypeError"),
        (Stopping(None), "RuntimeError"),
    ],
)
def test_what_is_no_text_is_a_fault(writer: AnswerGenerator, problem: str) -> None:
    writing = writing_of(writer)
    assert run(writing) == [[BITTER]]
    assert writing.degraded is not None
    assert (writing.degraded.code, problem in writing.degraded.message) == ("generator_failed", True)


@pytest.mark.parametrize("pieces", [(), ("",), (" ", "\n\u3000")])
@pytest.mark.parametrize("may_refuse", [True, False])
def test_no_text_is_believed_only_if_it_may_be(pieces: tuple[str, ...], may_refuse: bool) -> None:
    writing = writing_of(Saying(*pieces), may_refuse=may_refuse)
    if may_refuse:
        assert run(writing) == []
        assert (writing.generator, writing.degraded) == ("plug-in", None)
    else:
        assert run(writing) == [[BITTER]]
        assert writing.generator == "extractive"
        assert writing.degraded is not None
        assert writing.degraded.code == "generator_found_no_answer"


@pytest.mark.parametrize("may_refuse", [True, False])
@pytest.mark.parametrize(
    "text", ["月亮是绿的。[1]", "[1][2]", "……", "```\nprint(7)\n```", "\ud800\x00\u202e"]
)
def test_garbage_is_replaced_whether_it_may_refuse_or_not(text: str, may_refuse: bool) -> None:
    writing = writing_of(Saying(text), may_refuse=may_refuse)
    assert run(writing) == [[BITTER]]
    assert writing.generator == "extractive"
    assert writing.degraded is not None
    assert (writing.degraded.generator, writing.degraded.code) == ("plug-in", "generator_unsupported")


@pytest.mark.parametrize("piece", ["水", "水。", " ", "\n", "[1]", "（", "月亮是绿的。[1]\n"])
def test_a_generator_that_never_ends_is_cut_off(piece: str) -> None:
    writer = Endless(piece)
    writing = writing_of(writer)
    assert run(writing) == [[BITTER]]
    assert writer.closed
    assert 4_000 < writer.said <= 4_000 + len(piece)
    assert writing.degraded is not None
    assert writing.degraded.code == "generator_incomplete"


def test_what_an_endless_one_said_in_time_stays() -> None:
    writing = writing_of(Endless(f"{OIL}[{SHIPS}]\n"))
    assert run(writing) == [[OIL], [BITTER]]
    assert writing.generator == "plug-in"
    assert writing.degraded is not None
    assert writing.degraded.code == "generator_incomplete"


class Leaving:
    """A caller who is there until told otherwise."""

    def __init__(self) -> None:
        self.left = False

    def leave(self) -> None:
        self.left = True

    def __call__(self) -> bool:
        return self.left


def test_who_has_left_gets_nothing_more() -> None:
    caller = Leaving()
    writer = Saying(f"{OIL}[{SHIPS}]\n", f"{LAMPS}[{HARBOUR}]\n", BITTER)
    writing = writing_of(writer, cancelled=caller)
    steps = writing.steps()
    assert texts(next(steps)) == [OIL]
    caller.leave()
    with pytest.raises(GeneratorError, match="已经离开") as caught:
        next(steps)
    assert caught.value.code == "generator_cancelled"
    assert writer.closed
    assert texts(writing.checked) == [OIL]
    assert writing.degraded is None


def test_a_generator_that_notices_first_is_believed() -> None:
    caller = Leaving()
    writing = writing_of(Saying(OIL, then=caller.leave, error=fault("generator_cancelled")), cancelled=caller)
    with pytest.raises(GeneratorError, match="已经离开") as caught:
        run(writing)
    assert caught.value.code == "generator_cancelled"


def test_extractive_does_not_write_for_nobody() -> None:
    caller = Leaving()
    writing = writing_of(Saying("月亮是绿的。[1]\n", then=caller.leave), cancelled=caller)
    with pytest.raises(GeneratorError, match="已经离开"):
        run(writing)


def test_leaving_the_steps_closes_the_generator() -> None:
    writer = Saying(f"{OIL}[{SHIPS}]\n", LAMPS)
    steps = writing_of(writer).steps()
    next(steps)
    assert not writer.closed
    del steps
    assert writer.closed


def test_extractive_has_nobody_behind_it() -> None:
    writing = writing_of(EXTRACTIVE, None)
    assert run(writing) == [[BITTER]]
    assert (writing.generator, writing.degraded) == ("extractive", None)
    nothing = AnswerWriting(request_of(), EXTRACTIVE, None, Gate(PASSAGES, CORPUS, links=SourceLinks()))
    assert run(nothing) == []
    assert nothing.degraded is None


def test_a_finished_sentence_before_an_error_counts() -> None:
    writing = writing_of(Saying(f"{OIL}[{SHIPS}]\n", error=fault("generator_incomplete")))
    assert run(writing) == [[OIL], [BITTER]]
    assert writing.generator == "plug-in"


class Idle(Saying):
    """Gives nothing, for ever."""

    def pieces(self) -> Iterator[str]:
        for _ in range(1_000_000):
            yield ""
        raise AssertionError("asked a million times")


def test_a_generator_that_yields_nothing_for_ever_is_cut_off() -> None:
    writing = writing_of(Idle())
    run(writing)
    assert writing.degraded is not None
    assert writing.degraded.code == "generator_incomplete"


def test_who_has_left_is_told_so_whatever_the_plug_in_raises() -> None:
    caller = Leaving()
    saying = Saying(f"{OIL}[{SHIPS}]\n", then=caller.leave, error=ValueError())
    with pytest.raises(GeneratorError, match="已经离开") as caught:
        run(writing_of(saying, cancelled=caller))
    assert caught.value.code == "generator_cancelled"


def test_nobody_left_whatever_a_plug_in_says() -> None:
    writing = writing_of(Saying(error=GeneratorError("没人", code="generator_cancelled")))
    assert run(writing) == [[BITTER]]
    assert writing.degraded is not None
    assert writing.degraded.code == "generator_failed"


def test_a_fault_of_the_generator_that_is_ours_is_not_hidden() -> None:
    with pytest.raises(ValueError, match="ours"):
        run(writing_of(Saying(error=ValueError("ours")), None))
