"""Measuring what calibrating a collection is worth: the collections, their questions, the two halves."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from evals.fit import collection_cases as module
from evals.fit.cases import Case
from evals.fit.collection_cases import collection_cases
from evals.fit.collections import measure_collections
from evals.fit.confidence import Row
from evals.fit.reader.pairs import split_of
from evals.fit.vectors import VectorCache
from rag.confidence.model import GROUPS, ConfidenceModel
from rag.text.folding import squeeze
from tests.confidence_samples import ranking_by_hand
from tests.counting_encoder import CountingEncoder
from tests.reading_sets import write_reading_set

FULL = "dense+words+reader"
PLACE = GROUPS[FULL].index("reader_best")
WEIGHTS = np.eye(len(GROUPS[FULL]))[PLACE]
MODEL = ConfidenceModel(FULL, WEIGHTS, 0.0, ((0.1, 0.8), (0.5, 0.4), (0.8, 0.2)))


def test_collections_answer_what_they_hold_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PASSAGES_EACH", 4)
    path = tmp_path / "reading.jsonl.gz"
    rows = write_reading_set(path, each=13)
    answers = {row["question"]: squeeze(row["answers"][0]) for row in rows}
    titles = {row["title"] for row in rows if split_of(row["title"]) == "test"}

    def made() -> list[list[Case]]:
        cache = VectorCache(tmp_path / "kept", CountingEncoder())
        ranking = ranking_by_hand(cover_sentence=2.0, cover_chunk=1.0)
        return collection_cases(path, "test", cache, ranking, collections=3)

    collections = made()
    assert len(collections) == 3
    asked_of: list[set[str]] = []
    for number, cases in enumerate(collections):
        assert {case.corpus for case in cases} == {f"collection-{number}"}
        assert {case.trap for case in cases} == {"", "near", "other"}
        assert [case.answerable for case in cases] == [not case.trap for case in cases]
        for case in cases:
            answer = answers[case.question.text]
            texts = [squeeze(passage.chunk.text) for passage in case.found.passages]
            if case.answerable:
                assert any(answer in text for text in texts)
            elif case.trap == "near":
                assert not any(answer in text for text in texts)
            assert any(title in case.question.text for title in titles)
        asked_of.append({case.question.text for case in cases if case.trap != "other"})
    assert not asked_of[0] & asked_of[1]
    assert [[case.question.text for case in cases] for cases in made()] == [
        [case.question.text for case in cases] for cases in collections
    ]


def rows_of(count: int, *, offset: float, seed: int) -> list[Row]:
    """Questions of a collection on which the model's logit is `offset` too low."""
    generator = random.Random(seed)  # noqa: S311 -- the same for the same number
    rows = []
    for _ in range(count):
        logit = generator.gauss(0, 1.5)
        answerable = generator.random() < 1 / (1 + np.exp(-(logit + offset)))
        rows.append(Row("c", WEIGHTS * logit, np.zeros(4), bool(answerable), ""))
    return rows


def test_every_question_is_measured_once_and_by_the_other_half() -> None:
    collections = [rows_of(260, offset=1.5, seed=1), rows_of(240, offset=1.2, seed=2)]
    found = measure_collections(collections, MODEL, "r", (0.5,))["rate 0.5"]
    total = found["all"]
    assert {
        side: figures["answerable"] + figures["unanswerable"] for side, figures in total.items()
    } == dict.fromkeys(("before", "after", "kept"), 500)
    assert total["after"]["brier"] < total["before"]["brier"]
    assert total["after"]["calibration_error"] < total["before"]["calibration_error"]
    assert total["kept"] == total["after"]  # it helps in both halves of both
    truth = np.array([row.answerable for rows in collections for row in rows], float)
    said = 1 / (1 + np.exp(-np.array([row.features[PLACE] for rows in collections for row in rows])))
    assert total["before"]["brier"] == pytest.approx(np.mean((said - truth) ** 2), abs=1e-4)
    for one in found["collections"]:
        assert len(one["corrections"]) == 2
        assert one["corrections"][0] != one["corrections"][1]


def test_a_collection_that_is_better_left_alone_is_left_alone() -> None:
    collections = [rows_of(80, offset=0.0, seed=seed) for seed in range(8)]
    found = measure_collections(collections, MODEL, None, (0.2,))["rate 0.2"]
    kept = [fit["kept"] for one in found["collections"] for fit in one["corrections"]]
    assert not all(kept)
    for one in found["collections"]:
        if not any(fit["kept"] for fit in one["corrections"]):
            assert one["kept"] == one["before"]
