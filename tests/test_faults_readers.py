"""Processes beside each other: a second writer, a reader that asks while one writes; a clock that jumps."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.library.opening import open_library
from rag.errors import UnavailableError
from tests.counting_encoder import CountingEncoder
from tests.fault_library import Model, agree, make_place, opened, settings_of, small
from tests.fault_nursery import Nursery, nightly_seed, possible

JUMPS = (86_400, -400_000_000, -3_600, 900_000_000, -1)
"""Seconds: twelve years back, thirty forward, and smaller ones."""


def states_of(said: list[dict[str, object]]) -> set[tuple[str, tuple[str, ...]]]:
    """Every state that each collection was in, as a name and the ids of its documents in order."""
    found: set[tuple[str, tuple[str, ...]]] = {("default", ())}
    for end in range(len(said) + 1):
        if end == len(said) or {"accepted", "done"} & said[end].keys() or end == 0:
            for model in possible(Model.fresh(), said[: end + 1]):
                for name, sources in model.sources.items():
                    found.add((name, tuple(one for held in sources for one in held.ids)))
    return found


@pytest.mark.parametrize("seconds", [2, pytest.param(60, marks=pytest.mark.nightly)])
def test_every_answer_of_a_reader_is_from_one_state_of_the_writer(
    nurse: Nursery, tmp_path: Path, seconds: int
) -> None:
    place = make_place(tmp_path / "place")
    agree(place, [Model.fresh()])
    writer = nurse.start(
        "random", place, seed=1 if seconds == 2 else nightly_seed(), first=100, aim="reindex"
    )
    reader = nurse.start("read", place)
    assert reader.listen() == {"open": True}, reader.complaints
    writer.listen_until(seconds)
    writer.kill()
    (place / "stop").touch()
    assert reader.end() == 0, reader.complaints
    assert reader.complaints == ""
    assert reader.said[-1]["answers"] > 10
    seen = {(name, tuple(ids)) for name, ids in (fact["state"] for fact in reader.said if "state" in fact)}
    states = states_of(writer.said)
    assert seen <= states, seen - states
    assert len(seen) > 2
    agree(place, possible(Model.fresh(), writer.said))


def test_a_second_writer_is_refused_with_the_first_ones_number_or_reads(
    nurse: Nursery, tmp_path: Path
) -> None:
    place = make_place(tmp_path / "place")
    worker = nurse.start("hold", place)
    assert worker.listen() == {"open": True}, worker.complaints
    with small():
        with pytest.raises(UnavailableError) as caught:
            opened(place)
        assert caught.value.code == "library_busy"
        assert f"进程号 {worker.pid}，http://127.0.0.1:1" in caught.value.message
        with open_library(settings_of(place), encoder=CountingEncoder(), writable=None) as library:
            assert len(library.entries("default")) == 6
            with pytest.raises(UnavailableError) as caught:
                library.create_collection("alpha")
            assert caught.value.code == "library_read_only"
    worker.kill()
    agree(place, [Model.fresh()])


def test_a_clock_that_jumps_changes_nothing(nurse: Nursery, tmp_path: Path) -> None:
    place, clock = make_place(tmp_path / "place"), tmp_path / "clock"
    environment = {"FAULT_CLOCK": str(clock), "FAULT_ACTION": "kill"}
    worker = nurse.start("script", place, environment=environment, jumps=JUMPS)
    assert worker.end() == 0
    assert worker.complaints == ""
    assert worker.said[-1] == {"closed": True}
    with small(), opened(place) as library:
        years = {entry.added_at[:4] for entry in library.entries("default")}
    assert len(years) > 1, years
    agree(place, possible(Model.fresh(), worker.said))
