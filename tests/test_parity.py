"""The same thirty questions on every surface: the same text, the same spans, each span verified."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from evals.schema import load_questions
from tests.parity_surfaces import SURFACES, Seen

DEV = Path(__file__).parent.parent / "evals" / "questions" / "dev.jsonl"
EVERY = 3
QUESTIONS = 30
# Two, because the service answers two at a time on the machines that tests run on.
SIDE_BY_SIDE = 2


def questions() -> list[str]:
    """Every third of the questions that stand alone: some of each kind, some without an answer."""
    (file,) = load_questions([DEV])
    return [row.question for row in file.questions if not row.history][::EVERY][:QUESTIONS]


@pytest.fixture(scope="module")
def seen(live_url: str) -> dict[str, dict[str, Seen]]:
    """For each question what each surface said."""

    def on_all(question: str) -> dict[str, Seen]:
        return {name: ask(live_url, question) for name, ask in SURFACES.items()}

    asked = questions()
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return dict(zip(asked, pool.map(on_all, asked), strict=True))


def test_there_are_thirty_and_of_both_kinds(seen: dict[str, dict[str, Seen]]) -> None:
    answered = [said for said in seen.values() if said["native"].spans]
    assert len(seen) == QUESTIONS
    assert 10 <= len(answered) <= QUESTIONS - 3


@pytest.mark.parametrize("surface", [name for name in SURFACES if name != "native"])
def test_every_surface_says_the_same(seen: dict[str, dict[str, Seen]], surface: str) -> None:
    for question, said in seen.items():
        assert said[surface].spans == said["native"].spans, question
        if said[surface].answer is None:
            assert said["native"].spans == (), question
        else:
            assert said[surface].answer == said["native"].answer, question


def test_every_span_is_verbatim(seen: dict[str, dict[str, Seen]], live_url: str) -> None:
    sources: dict[str, str] = {}
    checked = 0
    for said in seen.values():
        for place in said["native"].spans:
            if place.document_id not in sources:
                address = f"{live_url}/v1/documents/{place.document_id}/source"
                sources[place.document_id] = httpx.get(address).content.decode("utf-8")
            source = sources[place.document_id]
            cut = source[place.start_char : place.end_char]
            assert "".join(cut.split()) == "".join(place.quote.split())
            first = source.count("\n", 0, place.start_char) + 1
            assert (first, first + cut.count("\n")) == (place.start_line, place.end_line)
            checked += 1
    assert checked > 20
