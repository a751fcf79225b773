"""Overload and soak: the arithmetic by hand, and both against a small service."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest

from evals.bench import load, load_report, soak
from evals.bench.load import Caller
from evals.bench.load_report import Sample
from evals.bench.server_process import Usage, usage_of
from tests.hammering import QUESTION, Hammered, hammered

HELD = Usage(100.0, 20, 8)
QUESTIONS = [QUESTION, "清明前三天采的茶叫什么？", "船票多少钱？"]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hammered]:
    with hammered(tmp_path_factory.mktemp("load"), max_concurrent=1, max_waiting=0) as running:
        yield running


def test_the_load_report_by_hand() -> None:
    quiet = [Sample(200, 10.0, False), Sample(200, 20.0, False), Sample(200, 30.0, False)]
    flood = [Sample(200, 40.0, False)] * 4 + [Sample(503, 2.0, True)] * 5 + [Sample(503, 4.0, False)]
    report = load_report.summed_up(quiet, 2.5, flood, 2.0, (HELD, HELD))
    assert (report.unloaded_p50_ms, report.unloaded_p99_ms) == (20.0, 29.8)
    assert (report.sustainable_rate, report.offered_rate) == (2.5, 5.0)
    assert report.statuses == {200: 4, 503: 6}
    assert (report.served_p50_ms, report.slowdown) == (40.0, 1.34)
    assert (report.refused_p50_ms, report.goodput, report.faults) == (2.0, 0.8, 1)
    assert len(report.missed()) == 1


def test_every_target_of_the_load_can_be_missed() -> None:
    quiet = [Sample(200, 10.0, False)]
    flood = [
        Sample(200, 31.0, False),
        Sample(429, 51.0, True),
        Sample(0, 1.0, False),
        Sample(500, 1.0, False),
    ]
    report = load_report.summed_up(quiet, 10.0, flood, 1.0, (HELD, HELD))
    assert report.faults == 2
    assert len(report.missed()) == 4


def test_a_service_with_one_place_is_overloaded(service: Hammered) -> None:
    async def tried() -> tuple[list[Sample], float, list[Sample]]:
        async with Caller(service.url) as caller:
            quiet = await load.alone(caller, QUESTIONS, 3)
            rate = await load.sustained(caller, QUESTIONS, 1, 0.2)
            return quiet, rate, await load.flooded(caller, QUESTIONS, 200.0, 0.3)

    quiet, rate, flood = asyncio.run(tried())
    assert [sample.status for sample in quiet] == [200] * 3
    assert rate > 0
    assert len(flood) == 60
    assert {sample.status for sample in flood} <= {200, 503}
    assert all(sample.retry_after for sample in flood if sample.status == 503)


def test_a_server_that_is_not_there_is_a_fault() -> None:
    async def tried() -> Sample:
        return await Caller("http://127.0.0.1:9").ask(QUESTION)

    assert asyncio.run(tried()).status == 0


def test_the_soak_report_by_hand() -> None:
    statuses = Counter({200: 80, 201: 15, 422: 4, 500: 1})
    report = soak.summed_up(statuses, 12.34, 10, HELD, Usage(115.0, 31, 13))
    assert (report.requests, report.seconds, report.growth, report.faults) == (100, 12.3, 1.15, 1)
    assert len(report.missed()) == 4
    calm = soak.summed_up(Counter({200: 5, 503: 1}), 1.0, 2, HELD, Usage(110.0, 30, 12))
    assert calm.missed() == []


def test_every_kind_of_request_is_sent(service: Hammered) -> None:
    service.counts.clear()
    report = soak.soaked(service.url, lambda: HELD, QUESTIONS, 200, 100)
    assert report.faults == 0
    assert report.requests == 200
    assert {200, 201, 400, 422} <= set(report.statuses)
    sent = {(method, route) for method, route, _ in service.counts}
    assert sent >= {
        ("POST", "/v1/ask"),
        ("POST", "/v1/search"),
        ("POST", "/v1/documents"),
        ("PUT", "/v1/documents/{document_id}"),
        ("DELETE", "/v1/documents/{document_id}"),
        ("GET", "/v1/documents"),
        ("POST", "/v1/feedback"),
    }


def test_a_process_that_is_gone_holds_nothing() -> None:
    assert usage_of(2**22 + 1) == Usage(0.0, 0, 0)
