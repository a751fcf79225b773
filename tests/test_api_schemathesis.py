"""Generated requests against the OpenAPI document and a real service: no 5xx, nothing that it does not say.

All phases of schemathesis over all operations, then texts of broken Unicode in every field: in the ordinary
run some two thousand requests; `make hammer` goes on until there were `HAMMER_CASES`.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.engine import events, from_schema
from schemathesis.specs.openapi import checks

from api.errors.codes import CODES
from tests.hammer_texts import send, spoilt_requests
from tests.hammering import QUESTION, Hammered, hammered

CASES = int(os.environ.get("HAMMER_CASES", "20000"))
FUZZED, CHAINED, SPOILT = 5, 8, 8
"""Examples of an operation: generated from its schema, in chains of requests, with broken texts."""

MANY = 60
"""Examples of an operation in one of many rounds."""

# A schema cannot say "not only zero-width spaces" or "no such generator", so what it allows may be refused.
NOT_MEANT = ("positive_data_acceptance",)


@schemathesis.check
def refused_in_our_shape(_: Any, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """Every error is one of the table, in the shape that the path's callers know, with its request id."""
    assert "x-request-id" in response.headers
    assert response.headers["x-content-type-options"] == ["nosniff"]
    if response.status_code < 400:
        return
    assert "Traceback" not in response.text
    body = response.json()
    if case.path.startswith("/dify"):
        assert list(body) == ["error_code", "error_msg"]
        return
    error = body["error"]
    assert error["message"]
    if case.path.startswith(("/v1/chat", "/v1/models")):
        assert list(error) == ["message", "type", "param", "code"]
        return
    assert list(error) == ["type", "code", "message", "request_id"]
    assert response.status_code == CODES[error["code"]].status
    assert [error["request_id"]] == response.headers["x-request-id"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hammered]:
    with hammered(tmp_path_factory.mktemp("hammered")) as running:
        yield running
        sys.stdout.write(f"\n{running.table()}\n")  # seen with `pytest -s`


def schema_of(service: Hammered, phases: list[str], *, seed: int, examples: int) -> Any:
    config = schemathesis.Config(seed=seed)
    schema = schemathesis.openapi.from_url(f"{service.url}/openapi.json", config=config)
    schema.config.phases.update(phases=phases)
    schema.config.checks.update(excluded_check_names=list(NOT_MEANT))
    schema.config.generation.update(max_examples=examples, database="none")
    return schema


def is_text_after_all(check: Any) -> bool:
    """Whether what is said to be invalid is a number in a query, where all there is is text."""
    said = str(check.failure_info.failure)
    wrong = [line for line in said.splitlines() if "- violates" in line]
    return (
        check.name == "negative_data_rejection"
        and bool(wrong)
        and "in query" in said
        and "in body" not in said
        and all("`type`" in line for line in wrong)
    )


def stays_after_all(check: Any) -> bool:
    """Whether what is said to be still there is meant to be: an emptied "default", a cancelled job.

    What is told of a calibration is that there is none.
    """
    deleted = re.search(r"was deleted with `DELETE ([^`]*)`", str(check.failure_info.failure))
    return (
        check.name == "use_after_free"
        and deleted is not None
        and re.fullmatch(r"/v1/(collections/(default|[^/]+/calibration)|jobs/[^/]+)", deleted[1]) is not None
    )


def faults_of(service: Hammered, phases: list[str], *, seed: int = 1, examples: int = 1) -> list[str]:
    """Run these phases; what was found, with a command to see it again."""
    service.clear()
    found = []
    for event in from_schema(schema_of(service, phases, seed=seed, examples=examples)).execute():
        if isinstance(event, events.ScenarioFinished):
            found += [
                f"{event.phase.value}: {event.label}: {check.name}: {check.failure_info.failure}\n"
                f"{check.failure_info.code_sample[:2_000]}"
                for made in event.recorder.checks.values()
                for check in made
                if check.failure_info is not None and not (stays_after_all(check) or is_text_after_all(check))
            ]
        elif isinstance(event, events.NonFatalError | events.FatalError):
            found.append(str(event))
    return found


def operations_of(service: Hammered) -> list[Any]:
    schema = schema_of(service, [], seed=1, examples=1)
    return [result.ok() for result in schema.get_all_operations()]


def spoil(service: Hammered, operation: Any, *, number: int, examples: int) -> None:
    """Send an operation's requests with broken texts, and hold the replies against the document."""
    entries = service.library.entries("default")
    ids = [entry.document.document_id for entry in entries][:3]
    known: dict[str, list[Any]] = {
        "document_id": ids,
        "document_ids": ids[:1],
        "name": ["default"],
        "collection": ["default"],
        "model": ["cewen", "cewen-footnotes"],
        "knowledge_id": ["default", "default.answer"],
        "generator": [None],
        "filters": [None],
        "metadata_condition": [None],
        "role": ["user"],
        "messages": [[{"role": "user", "content": QUESTION}]],
        "content": [QUESTION, [{"type": "text", "text": QUESTION}]],
    }

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=False,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn=spoilt_requests(operation, known))
    def sent(drawn: tuple[Any, httpx.Request]) -> None:
        case, request = drawn
        response = send(client, request, service.url)
        meant = (checks.positive_data_acceptance, checks.negative_data_rejection)
        case.validate_response(response, excluded_checks=[*meant, checks.missing_required_header])

    with httpx.Client(timeout=60) as client:
        sent()


def report(faults: list[str]) -> None:
    assert not faults, "\n\n".join(faults)


@pytest.mark.parametrize("phase", ["examples", "coverage"])
def test_what_the_document_names(service: Hammered, phase: str) -> None:
    report(faults_of(service, [phase]))


def test_what_its_schemas_allow_and_forbid(service: Hammered) -> None:
    report(faults_of(service, ["fuzzing"], examples=FUZZED))


def test_requests_that_go_on_from_replies(service: Hammered) -> None:
    report(faults_of(service, ["stateful"], examples=CHAINED))


def test_broken_texts_in_every_field(service: Hammered) -> None:
    for operation in operations_of(service):
        spoil(service, operation, number=1, examples=SPOILT)


@pytest.mark.nightly
def test_until_there_were_enough(service: Hammered) -> None:
    report(faults_of(service, ["examples", "coverage"]))
    round_ = 1
    while service.requests < CASES:
        round_ += 1
        report(faults_of(service, ["fuzzing", "stateful"], seed=round_, examples=MANY))
        for operation in operations_of(service):
            spoil(service, operation, number=round_, examples=MANY)
    check_it_answers(service)


def test_it_answers_after_all_that(service: Hammered) -> None:
    check_it_answers(service)


def check_it_answers(service: Hammered) -> None:
    """It still answers, from documents that are there, and has never failed."""
    reply = httpx.post(f"{service.url}/v1/ask", json={"question": QUESTION}, timeout=60)
    assert reply.status_code == 200
    assert "灯塔" in reply.json()["answer"]
    assert not [status for (_, _, status) in service.counts if status >= 500 or status == 0]
