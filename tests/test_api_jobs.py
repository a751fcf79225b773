"""Jobs over REST: called off by whoever may, also while one waits; changes that leave room for reads."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from api.app import create_app
from api.guards.auth import scope_needed
from api.library.library import Library
from api.library_records import Job, Removed, Upload
from api.settings import ApiSettings
from api.uploads.gate import is_other_change
from rag.metadata import Filters
from tests.api_fakes import LIGHTHOUSE, FakeEngine, FakeLibrary, client_for
from tests.library_samples import Gate, WatchedEncoder, added, ids_of, opened, upload
from tests.test_api_bad_input import check_refusal
from tests.test_auth import OneOfEach
from tests.test_middleware import http_scope
from tests.uploading import ESSAY

WAIT_SECONDS = 20.0


@pytest.fixture
def library() -> FakeLibrary:
    held = FakeLibrary()
    held.hold = True
    return held


@pytest.fixture
def client(library: FakeLibrary) -> Iterator[TestClient]:
    with client_for(library) as opened_client:
        yield opened_client


def begun(client: TestClient) -> str:
    job_id: str = client.post("/v1/documents?wait=0", json={"text": ESSAY}).json()["job"]["job_id"]
    return job_id


def test_a_job_is_called_off_once_and_for_all(client: TestClient) -> None:
    job_id = begun(client)
    cancelled = client.delete(f"/v1/jobs/{job_id}")
    assert cancelled.status_code == 200
    assert (cancelled.json()["state"], cancelled.json()["notes"]) == ("cancelled", ["已取消。"])
    again = client.delete(f"/v1/jobs/{job_id}")
    assert (again.status_code, again.json()["state"]) == (200, "cancelled")
    assert client.get(f"/v1/jobs/{job_id}").json()["state"] == "cancelled"
    assert client.get("/v1/documents").json()["total"] == 2


def test_what_has_ended_cannot_be_called_off(client: TestClient, library: FakeLibrary) -> None:
    job_id = begun(client)
    library.finish(job_id)
    check_refusal(client.delete(f"/v1/jobs/{job_id}"), 409, "job_ended")
    assert client.get(f"/v1/jobs/{job_id}").json()["state"] == "done"
    check_refusal(client.delete("/v1/jobs/job-9"), 404, "job_not_found")
    with client_for() as fixed:
        check_refusal(fixed.delete("/v1/jobs/job-1"), 404, "job_not_found")


@contextmanager
def scoped(library: FakeLibrary, token: str) -> Iterator[TestClient]:
    app = create_app(lambda: library, None, OneOfEach())
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as opened_client:
        assert app.state.engine_slot.wait(10)
        yield opened_client


@pytest.mark.parametrize(
    ("token", "add", "other"),
    [("read", 403, 403), ("ask", 403, 403), ("write", 200, 403), ("admin", 200, 200)],
)
def test_whoever_may_begin_a_job_may_end_it(library: FakeLibrary, token: str, add: int, other: int) -> None:
    with scoped(library, "admin") as admin:
        jobs = [
            begun(admin),
            admin.post("/v1/admin/reindex", json={}).json()["job"]["job_id"],
            admin.post(
                "/v1/collections/default/calibration",
                json={"questions": [{"question": "灯", "type": "unanswerable"}]},
            ).json()["job"]["job_id"],
        ]
    with scoped(library, token) as client:
        for job_id, status in zip(jobs, (add, other, other), strict=True):
            reply = client.delete(f"/v1/jobs/{job_id}")
            assert reply.status_code == status
            if status == 403:
                assert "要有 " in check_refusal(reply, 403, "scope_missing")
                assert library.job(job_id).state == "queued"


def test_scopes_of_the_new_paths() -> None:
    for method, path, needed in (
        ("DELETE", "/v1/jobs/job-1", "write"),
        ("GET", "/v1/jobs/job-1", "read"),
        ("POST", "/v1/collections/x/calibration", "admin"),
        ("DELETE", "/v1/collections/x/calibration", "admin"),
        ("DELETE", "/v1/collections/a\nb/calibration", "admin"),
        ("GET", "/v1/collections/x/calibration", "read"),
        ("DELETE", "/v1/collections/x", "write"),
    ):
        assert scope_needed(method, path) == needed, path


# Callers who leave.


class Slow(FakeLibrary):
    """A library that, once it is open, looks whether a collection is there only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.opened, self.begun, self.let_go, self.accepted = (threading.Event() for _ in range(4))

    def engine(self, collection: str = "default", filters: Filters | None = None) -> FakeEngine:
        if self.opened.is_set():
            self.begun.set()
            assert self.let_go.wait(WAIT_SECONDS)
        return super().engine(collection, filters)

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        job = super().add(collection, upload, replaces=replaces)
        self.accepted.set()
        return job


def sent_and_left(library: Slow, *, after: threading.Event, then: threading.Event) -> list[Message]:
    """Send a text and leave after something; `then` is set once the service knows. What nobody hears."""
    app = create_app(lambda: library)
    app.state.engine_slot.open()
    library.opened.set()
    sent: list[Message] = []
    body = json.dumps({"text": ESSAY}).encode()
    parts = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if parts:
            return parts.pop()
        if not after.is_set():
            await anyio.to_thread.run_sync(after.wait, WAIT_SECONDS, abandon_on_cancel=True)
        # Not before whoever hears of it now has noted it, which is still the same step.
        asyncio.get_running_loop().call_soon(then.set)
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def scene() -> None:
        headers = [(b"content-type", b"application/json"), (b"host", b"127.0.0.1")]
        scope = http_scope(method="POST", path="/v1/documents", headers=headers, query_string=b"")
        with anyio.fail_after(WAIT_SECONDS):
            await app(scope, receive, send)

    anyio.run(scene)
    return sent


def test_an_upload_whose_caller_leaves_before_it_is_accepted_is_given_up() -> None:
    library = Slow()
    sent = sent_and_left(library, after=library.begun, then=library.let_go)
    assert sent[0]["status"] == 503
    assert b"upload_abandoned" in sent[1]["body"]
    assert (library.jobs(), len(library.entries("default"))) == ((), 2)


def test_an_upload_whose_caller_leaves_afterwards_goes_on() -> None:
    library = Slow()
    library.hold = True
    library.let_go.set()
    sent = sent_and_left(library, after=library.accepted, then=threading.Event())
    assert sent[0]["status"] == 202
    (job,) = library.jobs()
    library.finish(job.job_id)
    assert len(library.entries("default")) == 3


def test_whoever_waits_for_an_upload_is_told_that_it_was_called_off() -> None:
    library = Slow()
    library.hold = True
    with client_for(library) as client, ThreadPoolExecutor(1) as threads:
        sent = threads.submit(client.post, "/v1/documents?wait=60", json={"text": ESSAY})
        assert library.accepted.wait(WAIT_SECONDS)
        (job,) = library.jobs()
        assert client.delete(f"/v1/jobs/{job.job_id}").status_code == 200
        check_refusal(sent.result(WAIT_SECONDS), 409, "job_cancelled")


# Changes that have to wait.


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("DELETE", "/v1/documents/x", True),
        ("POST", "/v1/collections", True),
        ("DELETE", "/v1/collections/x", True),
        ("POST", "/v1/collections/x/calibration", True),
        ("DELETE", "/v1/jobs/job-1", True),
        ("POST", "/v1/admin/reindex", True),
        ("POST", "/v1/documents", False),
        ("PUT", "/v1/documents/x", False),
        ("GET", "/v1/documents", False),
        ("HEAD", "/v1/documents", False),
        ("POST", "/v1/ask", False),
        ("POST", "/v1/documentsx", False),
    ],
)
def test_what_another_change_is(method: str, path: str, *, expected: bool) -> None:
    assert is_other_change(http_scope(method=method, path=path)) is expected


class Busy(FakeLibrary):
    """A library in which nothing is removed until it is let, as while a new index is swapped in."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.inside = 0

    def remove(self, collection: str, identifier: str) -> Removed:
        self.inside += 1
        assert self.let_go.wait(WAIT_SECONDS)
        return super().remove(collection, identifier)


def test_removals_that_have_to_wait_leave_room_for_reading() -> None:
    library, crowd = Busy(), 80  # more than there are worker threads
    settings = ApiSettings(upload_places=3, wait_seconds=0.05)
    with client_for(library, settings) as client, ThreadPoolExecutor(crowd) as threads:
        calls = [threads.submit(client.delete, f"/v1/documents/{LIGHTHOUSE}") for _ in range(crowd)]
        refused = [call.result() for call in islice(as_completed(calls, WAIT_SECONDS), crowd - 3)]
        assert library.inside == 3
        for reply in refused:
            check_refusal(reply, 503, "overloaded")
            assert reply.headers["retry-after"].isdecimal()
        assert client.get("/v1/documents").json()["total"] == 2
        assert client.post("/v1/search", json={"query": "灯塔"}).status_code == 200
        check_refusal(client.post("/v1/collections", json={"name": "x"}), 503, "overloaded")
        library.let_go.set()
        ended = Counter(call.result(WAIT_SECONDS).status_code for call in calls)
        assert ended == {503: crowd - 3, 404: 2, 200: 1}
        assert client.post("/v1/collections", json={"name": "x"}).status_code == 201


def test_reading_goes_on_while_a_real_library_is_locked(tmp_path: Path) -> None:
    with opened(tmp_path) as held:
        added(held, *(upload(number) for number in range(1, 9)))
        with _served(held) as client, ThreadPoolExecutor(8) as threads:
            with held.live()._lock:  # as a swap holds it
                calls = [threads.submit(client.delete, f"/v1/documents/{ids_of(n)[0]}") for n in range(1, 9)]
                for call in islice(as_completed(calls, WAIT_SECONDS), 4):
                    check_refusal(call.result(), 503, "overloaded")
                assert client.get("/v1/documents").json()["total"] == 8
            ended = Counter(call.result(WAIT_SECONDS).status_code for call in calls)
            assert ended == {503: 4, 200: 4}
            assert client.get("/v1/documents").json()["total"] == 4


@contextmanager
def _served(library: Library) -> Iterator[TestClient]:
    with client_for(library, ApiSettings(upload_places=4, wait_seconds=0.05)) as client:
        yield client


# All of them.


def test_jobs_are_listed_the_latest_first(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as held, _served(held) as client:
        held.create_collection("sea")
        first = added(held, upload(1))
        second = added(held, upload(2), collection="sea")
        encoder.before = gate
        third = held.add("default", upload(3))
        assert gate.reached.wait(WAIT_SECONDS)

        def said(query: str) -> list[str]:
            reply = client.get(f"/v1/jobs{query}").json()
            assert reply["total"] >= len(reply["jobs"])
            return [job["job_id"] for job in reply["jobs"]]

        everything = [third.job_id, second.job_id, first.job_id]
        assert sorted(said("")) == sorted(everything)
        assert said("?state=running") == [third.job_id]
        assert said("?state=done") == [second.job_id, first.job_id]
        assert said("?state=done&limit=1") == [second.job_id]
        assert sorted(said("?state=done&state=running")) == sorted(everything)
        assert said("?collection=sea") == [second.job_id]
        assert said("?state=failed") == []
        check_refusal(client.get("/v1/jobs?collection=none"), 404, "collection_not_found")
        client.delete(f"/v1/jobs/{third.job_id}")
        gate.open.set()
        assert said("?state=cancelled") == [third.job_id]
