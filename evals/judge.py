"""One question and its reply in, one judged result out.

A service that failed on a question gets a result too, scored as if it had found and said nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evals.locate import Needed
from evals.measures.citations import citation_precision, citation_recall
from evals.measures.key_facts import answer_chars, fact_coverage
from evals.measures.retrieval import complete_at, ndcg_at, recall_at, reciprocal_rank, success_at
from evals.measures.spans import holds
from evals.result import CitedLine, Expected, HitLine, Result
from evals.schema import Question
from evals.service import Cited, Hit, Reply
from evals.verify import CorpusView, Fault, check_reply

SEARCH_TOP_K = 50
"""As many hits as the service gives: scores are compared in all of them, the first ten are judged."""
REPORTED_HITS = 10


def judge(
    question: Question, needed: Sequence[Needed], reply: Reply, hits: Sequence[Hit], corpus: CorpusView
) -> Result:
    """Judge one reply."""
    found = check_reply(reply, hits, SEARCH_TOP_K, corpus)
    hit_lines = tuple(_hit_line(hit, needed, corpus) for hit in hits[:REPORTED_HITS])
    cited = tuple(_cited_line(citation, needed) for citation in reply.citations)
    answered = reply.status == "answered"
    measures = (
        _answerable_measures(question, needed, reply, hit_lines, cited, corpus)
        if question.answerable
        else _unanswerable_measures(answered=answered)
    )
    return Result(
        **_asked(question, needed),
        status=reply.status,
        reason=reply.reason,
        error=None,
        confidence=reply.confidence,
        resolved_question=reply.resolved_question,
        answer=reply.answer,
        citations=cited,
        hits=hit_lines,
        raw={name: float(value) for name, value in reply.raw.items()},
        measures={name: value if value is None else round(value, 6) for name, value in measures.items()},
        faults=tuple(found.faults),
        checked=found.checked,
    )


def judge_failure(question: Question, needed: Sequence[Needed], code: str, corpus: CorpusView) -> Result:
    """Judge a question on which the service failed with this error code."""
    nothing = Reply("abstained", "", None, 0.0, (), (), (), question.question, "")
    measures = (
        _answerable_measures(question, needed, nothing, (), (), corpus)
        if question.answerable
        else {**_unanswerable_measures(answered=False), "correct": 0.0}
    )
    return Result(
        **_asked(question, needed),
        status="error",
        reason=None,
        error=code,
        confidence=0.0,
        resolved_question=question.question,
        answer="",
        citations=(),
        hits=(),
        raw={},
        measures=measures,
        faults=(Fault("no_errors", f"服务出错：{code}"),),
        checked={},
    )


def _answerable_measures(
    question: Question,
    needed: Sequence[Needed],
    reply: Reply,
    hits: Sequence[HitLine],
    cited: Sequence[CitedLine],
    corpus: CorpusView,
) -> dict[str, float | None]:
    held = [frozenset(hit.holds) for hit in hits]
    count = len(needed)
    answered = reply.status == "answered"
    said = reply.answer if answered else ""
    statements = corpus.statements(reply)
    coverage = fact_coverage(said, question.key_facts)
    complete = float(coverage == 1)
    return {
        "correct": complete,
        **{f"R@{k}": recall_at(held, count, k) for k in (1, 3, 5, 10)},
        "S@1": success_at(held, 1),
        "S@5": success_at(held, 5),
        "complete@5": complete_at(held, count, 5),
        "RR@10": reciprocal_rank(held, 10),
        "nDCG@10": ndcg_at(held, count, 10),
        "citation_recall": citation_recall(statements),
        "citation_precision": citation_precision(statements),
        "evidence_recall": recall_at([frozenset(row.holds) for row in cited], count, len(cited)),
        "evidence_precision": sum(bool(row.holds) for row in cited) / len(cited) if cited else 0.0,
        "fact_coverage": coverage,
        "facts_complete": complete,
        "answer_chars": float(answer_chars(said)) if answered else None,
        "false_answer": None,
        "false_refusal": float(not answered),
    }


def _unanswerable_measures(*, answered: bool) -> dict[str, float | None]:
    return {"correct": float(not answered), "false_answer": float(answered), "false_refusal": None}


def _asked(question: Question, needed: Sequence[Needed]) -> dict[str, Any]:
    """The fields of a result that the reply has no part in."""
    return {
        "question_id": question.question_id,
        "split": question.split,
        "line": question.line,
        "type": question.type,
        "slices": question.slices,
        "question": question.question,
        "answerable": question.answerable,
        "reference": question.reference,
        "expected": tuple(_expected(piece) for piece in needed),
    }


def _expected(piece: Needed) -> Expected:
    first = piece.places[0]
    return Expected(piece.spans, first.start_char, first.end_char, first.start_line, first.end_line)


def _hit_line(hit: Hit, needed: Sequence[Needed], corpus: CorpusView) -> HitLine:
    source = corpus.source_of.get(hit.document_id, "")
    held = _held(source, hit.start_char, hit.end_char, needed)
    return HitLine(hit.rank, hit.score, hit.chunk_id, hit.start_line, hit.end_line, held)


def _cited_line(citation: Cited, needed: Sequence[Needed]) -> CitedLine:
    return CitedLine(
        citation.number,
        citation.document_id,
        citation.start_char,
        citation.end_char,
        citation.start_line,
        citation.end_line,
        citation.quote,
        _held(citation.source_sha256, citation.start_char, citation.end_char, needed),
    )


def _held(source_sha256: str, start: int, end: int, needed: Sequence[Needed]) -> tuple[int, ...]:
    """Which needed pieces the range of a source holds."""
    return tuple(
        number
        for number, piece in enumerate(needed)
        if any(
            place.source_sha256 == source_sha256 and holds(place.offsets, start, end)
            for place in piece.places
        )
    )
