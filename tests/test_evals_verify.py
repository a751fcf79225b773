"""The independent checks: each must pass what is sound and catch its own fault, and no other's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from evals.service import Cited, Hit, Reply, Said
from evals.verify import CorpusView, check_reply
from tests.evals_fakes import DOCUMENT, SOURCE, TEXT, FakeService

CORPUS = CorpusView({SOURCE.sha256: SOURCE}, {DOCUMENT: SOURCE.sha256})


def checked(reply: Reply, hits: tuple[Hit, ...] | None = None, top_k: int = 50) -> dict[str, int]:
    """How many faults of each invariant there are."""
    found = FakeService().search(reply.resolved_question, top_k) if hits is None else hits
    faults = check_reply(reply, found, top_k, CORPUS).faults
    return {name: sum(fault.invariant == name for fault in faults) for name in {f.invariant for f in faults}}


def answered() -> Reply:
    """Cites a sentence that is broken over two lines."""
    reply = FakeService().ask("灯塔高多少米", [])
    assert reply.citations[0].start_line + 1 == reply.citations[0].end_line
    return reply


def abstained() -> Reply:
    return FakeService().ask("火车几点发车到站", [])


def citing(**changes: object) -> Reply:
    reply = answered()
    return replace(reply, citations=(replace(reply.citations[0], **changes),))  # type: ignore[arg-type]


def test_sound_replies_have_no_fault_and_everything_was_looked_at() -> None:
    for reply in (answered(), abstained()):
        assert checked(reply) == {}
    hits = FakeService().search("灯塔高多少米", 50)
    assert check_reply(answered(), hits, 50, CORPUS).checked == {
        "citations_verify": 1,
        "answers_supported": 1,
        "replies_consistent": 1,
        "passages_verify": len(hits),
        "search_and_ask_agree": 1,
    }


@pytest.mark.parametrize(
    "changes",
    [
        {"start_char": TEXT.index("望") + 1, "end_char": TEXT.index("。") + 2},
        {"quote": "望海角灯塔建于一九零八年，塔高三十二米。"},
        {"quote": ""},
        {"start_char": -5},
        {"end_char": 10_000},
        {"start_line": 2},
        {"end_line": 3},
        {"source_sha256": "0" * 64},
        {"document_id": "other"},
        {"url": f"/documents/{DOCUMENT}#L3"},
        {"url": "/documents/other#L3-L4"},
        {"score": 1.5},
    ],
    ids="-".join,
)
def test_a_wrong_citation_is_caught(changes: dict[str, object]) -> None:
    assert checked(citing(**changes)).get("citations_verify")


def test_white_space_in_a_quotation_does_not_matter() -> None:
    citation = answered().citations[0]
    assert checked(citing(quote=f" {citation.quote[:4]}\n{citation.quote[4:]} ")) == {}


def test_a_sentence_that_its_citation_does_not_hold_is_caught() -> None:
    reply = answered()
    told = replace(reply.sentences[0], text="望海角灯塔塔高三十三米。")
    assert checked(replace(reply, sentences=(told,), answer=f"{told.text}[1]")) == {"answers_supported": 1}


def test_a_paraphrase_with_an_invented_number_is_caught() -> None:
    reply = answered()
    for text, faults in (("塔高三十二米。", 0), ("塔高 39 米。", 1)):
        told = Said(text, (1,), "supported")
        found = checked(replace(reply, sentences=(told,), answer=f"{text}[1]"))
        assert found.get("answers_supported", 0) == faults


@pytest.mark.parametrize(
    "change",
    [
        lambda reply: replace(reply, answer=reply.answer + "另有一句。"),
        lambda reply: replace(reply, citations=(*reply.citations, replace(reply.citations[0], number=2))),
        lambda reply: replace(reply, citations=(replace(reply.citations[0], number=2),)),
        lambda reply: replace(reply, sentences=(), answer=""),
        lambda reply: replace(reply, reason="not_stated"),
        lambda reply: replace(reply, related=abstained().related),
        lambda reply: replace(reply, confidence=1.2),
        lambda reply: replace(reply, status="abstained", reason="not_stated"),
    ],
)
def test_a_reply_that_contradicts_itself_is_caught(change: Callable[[Reply], Reply]) -> None:
    assert checked(change(answered())).get("replies_consistent")


def test_an_abstention_without_a_known_reason_is_caught() -> None:
    assert checked(replace(abstained(), reason=None)) == {"replies_consistent": 1}


@pytest.mark.parametrize("changes", [{"text": "别的话"}, {"start_line": 9}, {"document_id": "other"}])
def test_a_passage_that_is_not_in_the_source_is_caught(changes: dict[str, object]) -> None:
    reply = answered()
    hits = list(FakeService().search(reply.resolved_question, 50))
    hits[-1] = replace(hits[-1], **changes)  # type: ignore[arg-type]
    assert checked(reply, tuple(hits)) == {"passages_verify": 1}


def test_scores_that_differ_between_asking_and_searching_are_caught() -> None:
    for reply in (answered(), abstained()):
        hits = FakeService().search(reply.resolved_question, 50)
        other = tuple(replace(hit, score=hit.score + 0.01) for hit in hits)
        assert checked(reply, other) == {"search_and_ask_agree": len(reply.citations or reply.related)}


def test_a_cited_passage_that_search_does_not_know_is_caught_unless_it_was_not_asked_for() -> None:
    reply = answered()
    cited = reply.citations[0]
    others = tuple(hit for hit in FakeService().search("灯塔", 50) if hit.start_char != cited.start_char)
    assert checked(reply, others) == {"search_and_ask_agree": 1}
    assert checked(reply, others, top_k=len(others)) == {}


def test_a_byline_is_compared_only_if_search_found_it() -> None:
    reply = citing(paragraph=0, score=1.0)
    hits = FakeService().search("灯塔", 50)
    others = tuple(hit for hit in hits if hit.start_char != reply.citations[0].start_char)
    found = check_reply(reply, others, 50, CORPUS)
    assert (found.faults, "search_and_ask_agree" in found.checked) == ([], False)
    assert checked(citing(paragraph=0, score=0.1), hits) == {"search_and_ask_agree": 1}


def test_a_citation_knows_its_slice() -> None:
    citation: Cited = answered().citations[0]
    assert CORPUS.slice_of(citation) == "望海角灯塔建于一九零七年，塔高三\n十二米。"
    assert CORPUS.slice_of(replace(citation, source_sha256="?")) == ""
