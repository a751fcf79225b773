"""The gate's self-test on a workshop that a person can compute: every fault is caught, by its own gate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from evals.evaluation import Task
from evals.gate_config import GateConfig
from evals.locate import locate_evidence
from evals.sabotage import SABOTAGES, Sabotage, Trial, try_gate
from evals.sabotage_index import ArmSet, mirrored, without_terms, without_vectors
from evals.sabotage_services import Flickering, InventedNumber, ShiftedCitations
from evals.schema import QuestionFile
from evals.selftest import selftest_json, trial_table
from evals.service import Hit, Reply, Service
from rag.ranking.arms import Floats, Ordinals, SearchIndex
from rag.records import Turn
from tests.evals_fakes import ROWS, SOURCE, FakeService, question, subject

ALPHABET = sorted({char for row in ROWS for char in row.text})
TEXTS = [row.text for row in ROWS]


def vector(text: str) -> Floats:
    """How often each character of the corpus occurs, at unit length."""
    counts = np.array([text.count(char) for char in ALPHABET], np.float32)
    length = float(np.linalg.norm(counts))
    return counts / length if length else counts


class CountingVectors:
    """An arm whose vectors are the counts of characters."""

    def __init__(self) -> None:
        self._rows = np.stack([vector(text) for text in TEXTS])

    def search(self, vector: Floats, k: int) -> tuple[Ordinals, Floats]:
        scores = self._rows @ vector
        order = np.argsort(-scores, kind="stable")[:k]
        return order, scores[order]

    def scores(self, vector: Floats, ordinals: Ordinals) -> Floats:
        return (self._rows @ vector)[ordinals]

    def background(self, vector: Floats) -> tuple[float, float]:
        scores = self._rows @ vector
        return float(scores.mean()), float(scores.std())


class CountingTerms:
    """An arm whose terms are characters and whose score is how many of them occur."""

    def search(self, terms: Sequence[str], k: int) -> tuple[Ordinals, Floats]:
        scores = self.scores(terms)
        order = np.argsort(-scores, kind="stable")[:k]
        order = order[scores[order] > 0]
        return order, scores[order]

    def scores(self, terms: Sequence[str]) -> Floats:
        return np.array([sum(term in text for term in set(terms)) for text in TEXTS], np.float32)

    def idf(self, term: str) -> float:
        return 1.0 / (1 + sum(term in text for text in TEXTS))


INDEX: SearchIndex = ArmSet(
    CountingVectors(), CountingVectors(), CountingVectors(), CountingTerms(), CountingTerms()
)


class ArmService(FakeService):
    """Ranks by both arms: half the cosine, half the share of the question's characters."""

    def __init__(self, index: SearchIndex, threshold: float = 0.5) -> None:
        super().__init__(threshold)
        self._index = index

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        reply = super().ask(question, history)
        best = self._arms(reply.resolved_question)[1]
        return replace(reply, raw={"cosine": float(best[0].max()), "shared": float(best[1].max())})

    def _arms(self, query: str) -> tuple[list[float], tuple[Floats, Floats]]:
        rows = np.arange(len(ROWS))
        dense = self._index.sentence_vectors.scores(vector(query), rows)
        words = self._index.sentence_terms.scores(list(query)) / np.float32(len(set(query)))
        return [round(float(value), 4) for value in (dense + words) / 2], (dense, words)

    def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
        found = {hit.start_char: hit for hit in super().search(query, len(ROWS))}
        scores, _ = self._arms(query)
        order = sorted(range(len(ROWS)), key=lambda row: (-scores[row], row))[:top_k]
        return tuple(
            replace(found[ROWS[row].start], rank=rank, score=scores[row]) for rank, row in enumerate(order, 1)
        )


class FakeWorkshop:
    """Builds services over the counting index."""

    def healthy(self) -> Service:
        return ArmService(INDEX)

    def with_rate(self, rate: float) -> Service:
        return ArmService(INDEX, 0.0 if rate >= 1 else 2.0)

    def with_index(self, change: Callable[[SearchIndex, int, int], ArmSet]) -> Service:
        return ArmService(change(INDEX, len(ROWS), len(ROWS)))


# Every sentence is asked for in three ways, nearly whole, so that it has most characters in common with it.
QUESTIONS = tuple(
    question(f"a-{number}-{cut}", row.text[cut:], "name", [[row.text]], [[row.text[:-1]]])
    for number, row in enumerate(ROWS)
    for cut in range(3)
) + tuple(question(f"u-{number}", "火车几点发车到站" * (number + 1), "unanswerable") for number in range(6))
TASK = Task((QuestionFile("dev", "f" * 64, QUESTIONS),), QUESTIONS, locate_evidence(QUESTIONS, [SOURCE]))
LIMITS: dict[str, Any] = {
    "version": 1,
    "baseline": "baseline.json",
    "alive": {"lexical": ["shared"], "dense": ["cosine"]},
    "floor": [
        {"name": "retrieval", "group": "body", "measure": "R@5", "at_least": 0.6},
        {"name": "first_hit", "group": "body", "measure": "R@1", "at_least": 0.6},
        {"name": "false_answers", "measure": "false_answer", "at_most": 0.6},
        {"name": "false_refusals", "measure": "false_refusal", "at_most": 0.6},
    ],
    "regression": [
        {"name": "first_hit", "group": "body", "measure": "R@1", "alpha": 0.1},
        {"name": "false_refusals", "measure": "false_refusal", "alpha": 0.1},
    ],
}
CONFIG = GateConfig.model_validate(LIMITS)


def trials(config: GateConfig = CONFIG) -> dict[str, Trial]:
    healthy, found = try_gate(TASK, subject(), FakeWorkshop(), config)
    assert [verdict.name for verdict in healthy if not verdict.passed] == []
    return {trial.fault.name: trial for trial in found}


TRIALS = trials()


def test_every_kind_of_fault_is_tried() -> None:
    assert [fault.name for fault in SABOTAGES] == [
        "shuffled_ids",
        "no_lexical",
        "no_dense",
        "answers_all",
        "answers_none",
        "shifted_citations",
        "invented_number",
        "flickering",
        "drifting_scores",
    ]
    assert list(TRIALS) == [fault.name for fault in SABOTAGES]


@pytest.mark.parametrize(
    ("name", "gate"),
    [
        ("shuffled_ids", "floor:first_hit"),
        ("no_lexical", "alive:lexical"),
        ("no_dense", "alive:dense"),
        ("answers_all", "floor:false_answers"),
        ("answers_none", "floor:false_refusals"),
        ("shifted_citations", "invariant:citations_verify"),
        ("invented_number", "invariant:answers_supported"),
        ("flickering", "invariant:runs_identical"),
        ("drifting_scores", "invariant:search_and_ask_agree"),
    ],
)
def test_a_fault_is_caught_by_its_own_gate(name: str, gate: str) -> None:
    assert gate in TRIALS[name].caught


@pytest.mark.parametrize("name", ["invented_number", "flickering", "drifting_scores"])
def test_a_fault_of_one_kind_turns_only_its_gate_red(name: str) -> None:
    assert [verdict.name for verdict in TRIALS[name].red] == list(TRIALS[name].caught)


def test_a_gate_that_lacks_the_limit_does_not_catch_the_fault() -> None:
    lax = GateConfig.model_validate({**LIMITS, "floor": [], "regression": [], "alive": {}})
    found = trials(lax)
    missed = [name for name, trial in found.items() if not trial.caught]
    assert missed == ["shuffled_ids", "no_lexical", "no_dense", "answers_all", "answers_none"]


def test_another_gates_red_is_not_enough() -> None:
    red = TRIALS["shifted_citations"].red
    assert Trial(Sabotage("x", "", lambda shop: shop.healthy(), ("floor:retrieval",)), red).caught == ()


def test_the_broken_arms_are_broken_in_one_way_each() -> None:
    query, terms, rows = vector(TEXTS[0]), list(TEXTS[0]), np.arange(len(ROWS))
    dense, lexical = INDEX.sentence_vectors, INDEX.sentence_terms

    mixed = mirrored(INDEX, len(ROWS), len(ROWS))
    assert mixed.sentence_vectors.search(query, 1)[0].tolist() == [len(ROWS) - 1]
    assert mixed.sentence_vectors.scores(query, rows).tolist() == dense.scores(query, rows)[::-1].tolist()
    assert mixed.sentence_vectors.background(query) == dense.background(query)
    assert mixed.sentence_terms.search(terms, 1)[0].tolist() == [len(ROWS) - 1]
    assert mixed.sentence_terms.scores(terms).tolist() == lexical.scores(terms)[::-1].tolist()
    assert mixed.sentence_terms.idf("灯") == lexical.idf("灯")

    quiet = without_terms(INDEX)
    assert quiet.sentence_vectors is dense
    assert quiet.sentence_terms.search(terms, 5)[0].size == 0
    assert not quiet.sentence_terms.scores(terms).any()
    assert quiet.sentence_terms.idf("灯") == lexical.idf("\0")

    flat = without_vectors(INDEX)
    assert flat.sentence_terms is lexical
    assert flat.sentence_vectors.search(query, 3)[0].tolist() == [0, 1, 2]
    assert not flat.sentence_vectors.scores(query, rows).any()
    assert flat.sentence_vectors.background(query) == (0.0, 0.0)


def test_the_broken_services_leave_abstentions_alone() -> None:
    silent = FakeService(threshold=2.0)
    reply = silent.ask("灯塔", [])
    assert ShiftedCitations(silent).ask("灯塔", []) == reply
    assert InventedNumber(silent).ask("灯塔", []) == reply
    assert InventedNumber(silent).search("灯塔", 3) == silent.search("灯塔", 3)


def test_the_invented_number_stands_in_sentence_and_answer() -> None:
    reply = InventedNumber(FakeService()).ask("守塔人傍晚", [])
    assert reply.answer == "守塔人每天傍晚点灯，清晨熄灯，共7319个。[1]"
    assert reply.sentences[0].text == "守塔人每天傍晚点灯，清晨熄灯，共7319个。"


def test_flickering_changes_with_every_question() -> None:
    service = Flickering(FakeService())
    seen = [service.ask("守塔人傍晚", []).confidence for _ in range(3)]
    assert seen == [1.0, 1 / 2, 1 / 3]


def test_the_result_is_shown_and_written() -> None:
    rows = list(TRIALS.values())
    assert trial_table(rows).row_count == len(rows)
    assert '"must_be_caught_by"' in selftest_json(rows)
