"""Ask a service every question, judge what it says, and keep times apart from everything else.

What is judged repeats bit for bit; times do not, so they are never part of a result. A question on which
the service fails is judged as a failure; a service that is not there at all stops the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter

from evals.judge import SEARCH_TOP_K, judge, judge_failure
from evals.locate import Evidence
from evals.result import Result
from evals.schema import Question
from evals.service import Subject
from evals.verify import CorpusView
from rag.errors import CewenError, UnavailableError

Progress = Callable[[int, int], None]
"""Called with (questions done, questions in all)."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Times of one question in milliseconds, as seen by the caller, and the service's own account."""

    question_id: str
    ask_ms: float
    search_ms: float
    service_ms: dict[str, float]


@dataclass(frozen=True, slots=True)
class Run:
    """A run over a question set.

    Attributes:
        results: In question order.
        fingerprints: The different fingerprints that replies carried, sorted: one, if all is well.
        timings: In the order asked.
    """

    results: tuple[Result, ...]
    fingerprints: tuple[str, ...]
    timings: tuple[Timing, ...]


def run_questions(
    questions: Sequence[Question], evidence: Evidence, subject: Subject, progress: Progress | None = None
) -> Run:
    """Ask and judge every question.

    Args:
        questions: In the order to ask them.
        evidence: Their located gold spans.
        subject: The service and its corpus.
        progress: Told after each question.

    Raises:
        UnavailableError: If the service is not there.
    """
    corpus = CorpusView(
        {source.sha256: source for source in subject.sources},
        {document.document_id: document.source_sha256 for document in subject.documents},
    )
    results: list[Result] = []
    timings: list[Timing] = []
    fingerprints: set[str] = set()
    for done, question in enumerate(questions, 1):
        needed = evidence[question.question_id]
        try:
            started = perf_counter()
            reply = subject.service.ask(question.question, question.history)
            asked = perf_counter()
            hits = subject.service.search(reply.resolved_question, SEARCH_TOP_K)
            searched = perf_counter()
        except UnavailableError:
            raise
        except CewenError as error:
            results.append(judge_failure(question, needed, error.code, corpus))
        else:
            results.append(judge(question, needed, reply, hits, corpus))
            fingerprints.add(reply.fingerprint)
            times = round(1e3 * (asked - started), 3), round(1e3 * (searched - asked), 3)
            timings.append(Timing(question.question_id, *times, dict(reply.timings_ms)))
        if progress:
            progress(done, len(questions))
    return Run(tuple(results), tuple(sorted(fingerprints)), tuple(timings))


def runs_differ(first: Run, second: Run) -> tuple[str, ...]:
    """Ids of questions judged differently in two runs, or "fingerprint"; the order of asking is no matter."""
    other = {result.question_id: result for result in second.results}
    ids = [result.question_id for result in first.results if other.get(result.question_id) != result]
    return tuple(ids if first.fingerprints == second.fingerprints else [*ids, "fingerprint"])
