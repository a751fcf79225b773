"""Requests as they are counted, the state at the moment of looking, and the dashboard that shows it."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.keys.model import Key
from api.library_records import Upload
from api.observing.library import ObservedLibrary
from api.observing.metrics import Metrics
from api.observing.requests import SURFACES, surface_of
from api.settings import ApiSettings
from rag.errors import InputError, NotFoundError
from rag.reading.decoding import source_from_text
from tests.api_fakes import LIGHTHOUSE, FakeEngine, FakeLibrary, client_for
from tests.observing_fakes import QUESTION, asks, samples, value

PROJECT = Path(__file__).parent.parent
DASHBOARD = PROJECT / "docs" / "deploy" / "grafana-dashboard.json"
OPERATIONS = PROJECT / "docs" / "operations.md"
LIMIT_SECONDS = 20.0


@pytest.mark.parametrize(
    ("path", "surface"),
    [
        ("/v1/ask", "native"),
        ("/v1/nothing", "native"),
        ("/v1/chat/completions", "openai"),
        ("/v1/models", "openai"),
        ("/v1/models/cewen", "openai"),
        ("/dify/retrieval", "dify"),
        ("/retrieval", "dify"),
        ("/mcp", "mcp"),
        ("/mcp/", "mcp"),
        ("/", "pages"),
        ("/static/base.css", "pages"),
        ("/没有这个地址", "pages"),
        ("/healthz", "probes"),
        ("/readyz", "probes"),
        ("/metrics", "probes"),
    ],
)
def test_the_path_tells_the_surface(path: str, surface: str) -> None:
    assert surface_of(path) == surface
    assert surface in SURFACES


def test_requests_are_counted_by_surface_method_and_status() -> None:
    with client_for() as client:
        for path, body, headers in asks(QUESTION).values():
            client.post(path, json=body, headers=headers)
        client.post("/v1/ask", json={})
        client.head("/v1/documents")
        client.get("/v1/documents/没有")
        client.get("/static/base.css")
        client.request("BREW", "/咖啡")
        for surface, method, status, count in (
            ("native", "POST", "200", 2),
            ("native", "POST", "422", 1),
            ("native", "HEAD", "200", 1),
            ("native", "GET", "404", 1),
            ("openai", "POST", "200", 2),
            ("dify", "POST", "200", 1),
            ("mcp", "POST", "200", 1),
            ("pages", "GET", "200", 1),
            ("pages", "other", "404", 1),
        ):
            labels = {"surface": surface, "method": method, "status": status}
            assert value(client, "cewen_requests_total", **labels) == count, labels
        assert value(client, "cewen_request_seconds_count", surface="native") == 5
        assert value(client, "cewen_refused_total", code="invalid_request") == 1
        assert value(client, "cewen_refused_total", code="document_not_found") == 1
        # This request itself is under way.
        assert value(client, "cewen_requests_in_progress") == 1


def test_no_text_of_anybody_is_a_label() -> None:
    with client_for() as client:
        for path, body, headers in asks("清晨熄灯，我的口令是芝麻开门").values():
            client.post(f"{path}?q=芝麻开门", json=body, headers=headers)
        client.get("/芝麻开门/1")
        text = client.get("/metrics").text
    assert "芝麻" not in text
    assert "%E8%8A%9D" not in text
    assert LIGHTHOUSE not in text


def test_errors_are_counted_by_code_on_every_surface() -> None:
    with client_for() as client:
        for path, body, headers in asks("").values():
            client.post(path, json=body, headers=headers)
        # Dify's blank query finds nothing and is no error.
        assert value(client, "cewen_refused_total", code="empty_question") == 5


def test_the_queue_is_what_it_is_at_the_moment() -> None:
    asked, may_answer = threading.Semaphore(0), threading.Event()

    def wait() -> None:
        asked.release()
        assert may_answer.wait(LIMIT_SECONDS)

    settings = ApiSettings(max_concurrent=1, max_waiting=0)
    with client_for(FakeEngine(wait), settings) as client:
        thread = threading.Thread(target=client.post, args=("/v1/ask",), kwargs={"json": {"question": "灯"}})
        thread.start()
        assert asked.acquire(timeout=LIMIT_SECONDS)
        assert value(client, "cewen_queue_in_use") == value(client, "cewen_queue_places") == 1
        assert value(client, "cewen_queue_waiting") == 0
        assert value(client, "cewen_requests_in_progress", surface="native") == 1
        assert client.post("/v1/ask", json={"question": "灯"}).status_code == 503
        assert value(client, "cewen_refused_total", code="overloaded") == 1
        may_answer.set()
        thread.join(LIMIT_SECONDS)
        assert value(client, "cewen_queue_in_use") == 0


def test_the_corpus_and_the_build() -> None:
    with client_for() as client:
        assert value(client, "cewen_engine_ready") == 1
        assert value(client, "cewen_shutting_down") == 0
        assert value(client, "cewen_corpus_documents") == 2
        assert value(client, "cewen_corpus_paragraphs") == 3
        assert value(client, "cewen_corpus_characters") == 98
        assert value(client, "cewen_build_info", fingerprint="fake-1") == 1


def test_metrics_are_there_before_the_engine_is() -> None:
    may_open = threading.Event()

    def open_late() -> FakeEngine:
        assert may_open.wait(LIMIT_SECONDS)
        return FakeEngine()

    app = create_app(open_late)
    with TestClient(app) as client:
        assert value(client, "cewen_engine_ready") == 0
        assert value(client, "cewen_corpus_documents") == 0
        may_open.set()
        assert app.state.engine_slot.wait(LIMIT_SECONDS)
        assert value(client, "cewen_engine_ready") == 1


class AdminRing:
    """One key, which may do everything."""

    required = True

    def find(self, token: str) -> Key | None:
        return Key("admin", frozenset({"admin"})) if token == "k-admin" else None


def test_where_a_key_is_needed_metrics_need_it() -> None:
    with TestClient(create_app(FakeEngine, keys=AdminRing())) as client:
        assert client.get("/metrics").status_code == 401
        reply = client.get("/metrics", headers={"Authorization": "Bearer k-admin"})
        assert reply.status_code == 200
        assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_metrics_are_not_in_the_openapi_document() -> None:
    with client_for() as client:
        assert "/metrics" not in client.get("/openapi.json").json()["paths"]


# The library.


def upload(number: int) -> Upload:
    return Upload(source_from_text("t.txt", f"第{number}篇\n\n这是第{number}篇的正文，写的是茶。\n"))


def test_collections_have_a_label_each_as_long_as_they_are_few() -> None:
    library = FakeLibrary()
    with client_for(library) as client:
        for number in range(60):
            library.create_collection(f"c{number:02}")
            library.add(f"c{number:02}", upload(number))
        assert value(client, "cewen_collection_documents", collection="default") == 2
        assert value(client, "cewen_collection_chunks", collection="default") == 3
        assert value(client, "cewen_collection_documents", collection="c48") == 1
        assert value(client, "cewen_collection_documents", collection="_other") == 11
        labels = {has for name, has in samples(client) if name == "cewen_collection_documents"}
        assert len(labels) == 51
        library.remove_collection("c00")
        assert value(client, "cewen_collection_documents", collection="c00") == 0
        assert value(client, "cewen_collection_documents") == 61


def test_jobs_and_changes_are_counted_when_they_end() -> None:
    inner, metrics, clock = FakeLibrary(), Metrics(), iter(range(100))
    library = ObservedLibrary(inner, metrics, timeout_seconds=1.0, clock=lambda: float(next(clock)))
    inner.hold = True

    def count(name: str, **labels: str) -> float:
        return metrics.registry.get_sample_value(name, labels) or 0.0

    first = library.add("default", upload(1))
    second = library.add("default", upload(2))
    third = library.reindex("default", None)
    assert [job.job_id for job in library.jobs()] == [first.job_id, second.job_id, third.job_id]
    library.settle()
    assert count("cewen_job_seconds_count", kind="add", state="done") == 0
    inner.finish(first.job_id)
    assert library.wait(first.job_id, 1.0).ended
    assert library.job(first.job_id).ended
    inner.fail = InputError("坏了。", code="document_without_text")
    inner.finish(second.job_id)
    inner.finish(third.job_id)
    for _ in range(2):
        library.settle()
    assert count("cewen_job_seconds_count", kind="add", state="done") == 1
    assert count("cewen_job_seconds_count", kind="add", state="failed") == 1
    assert count("cewen_job_seconds_count", kind="reindex", state="done") == 1
    assert count("cewen_write_seconds_count", operation="add") == 2
    library.remove("default", LIGHTHOUSE)
    with pytest.raises(NotFoundError):
        library.remove("default", LIGHTHOUSE)
    assert count("cewen_write_seconds_count", operation="remove") == 1


def test_a_job_that_nobody_remembers_is_not_waited_for() -> None:
    inner = FakeLibrary()
    library = ObservedLibrary(inner, Metrics(), timeout_seconds=1.0)
    inner.hold = True
    job = library.add("default", upload(1))
    inner._jobs.clear()
    for _ in range(2):
        library.settle()
    with pytest.raises(NotFoundError):
        library.job(job.job_id)


def test_no_more_is_kept_of_jobs_than_there_are() -> None:
    inner, metrics = FakeLibrary(), Metrics()
    library = ObservedLibrary(inner, metrics, timeout_seconds=1.0)
    count = 1_200
    for number in range(count):  # nobody waits for them, and nobody collects the metrics
        inner.hold = True
        job = library.add("default", upload(number))
        inner.finish(job.job_id)
    assert len(library._begun) <= 500
    library.settle()
    counted = metrics.registry.get_sample_value("cewen_job_seconds_count", {"kind": "add", "state": "done"})
    assert (counted, len(library._begun)) == (count, 0)


def test_jobs_that_wait_are_shown() -> None:
    library = FakeLibrary()
    library.hold = True
    with client_for(library) as client:
        job = library.add("default", upload(1))
        assert value(client, "cewen_jobs", state="queued") == 1
        library.finish(job.job_id)
        assert value(client, "cewen_jobs") == 0


# The dashboard.


def expressions() -> list[str]:
    board = json.loads(DASHBOARD.read_text("utf-8"))
    variables = [variable["query"]["query"] for variable in board["templating"]["list"][1:]]
    return variables + [target["expr"] for panel in board["panels"] for target in panel.get("targets", ())]


def names_in(text: str) -> set[str]:
    return set(re.findall(r"\b(?:cewen|process)_\w+", text))


def exposed() -> set[str]:
    with client_for() as client:
        client.post("/v1/ask", json={"question": QUESTION})
        return {name for name, _ in samples(client)} | {"cewen_degraded_total"}


def families(names: set[str]) -> set[str]:
    kept = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names if not name.endswith("_created")}
    return {name for name in kept if name.startswith("cewen_")}


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    shown = set[str]().union(*map(names_in, expressions()))
    there = exposed()
    assert shown <= there
    assert families(shown) == families(there)


def test_the_page_describes_every_metric_and_no_other() -> None:
    page = OPERATIONS.read_text("utf-8")
    described = set(re.findall(r"`(cewen_\w+)`", page))
    assert described == families(exposed())
    used = re.findall(r"^ +expr: (.+)$|^ +(?:[>s].*)$", page, re.MULTILINE)
    assert used
    assert names_in(page) - {"cewen_request_seconds"} <= exposed() | described


def test_the_dashboard_is_one_that_grafana_takes() -> None:
    board: dict[str, Any] = json.loads(DASHBOARD.read_text("utf-8"))
    assert (board["uid"], board["title"]) == ("cewen", "策问 Cewen")
    assert board["schemaVersion"] >= 36
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["targets"], panel["title"]
            assert panel["datasource"]["uid"] == "${datasource}"
    for expression in expressions():
        assert expression.count("(") == expression.count(")"), expression
        assert expression.count("{") == expression.count("}"), expression
