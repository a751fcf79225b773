"""Over REST: what is said of a source, changed alone; failed additions; uploads when the service leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import pytest
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from api.guards.auth import scope_needed
from api.observing.draining import Leaving, LeavingMiddleware
from api.uploads.gate import is_other_change
from rag.errors import CewenError
from tests.api_fakes import LIGHTHOUSE, TEA, FakeLibrary, client_for
from tests.library_samples import Gate, WatchedEncoder, added, ids_of, listed, opened, source_id, upload
from tests.test_api_bad_input import check_refusal
from tests.test_middleware import http_scope
from tests.uploading import ESSAY

LIMIT_SECONDS = 20.0


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def client(library: FakeLibrary) -> Iterator[TestClient]:
    with client_for(library) as opened_client:
        yield opened_client


# What is said of a source.


def test_what_is_named_changes_and_the_rest_stays(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1, title="井", tags=("水",), date="1998"), upload(2))
        texts = encoder.encoded
        with client_for(library) as client:
            path = f"/v1/documents/{ids_of(1)[0]}"
            reply = client.patch(path, json={"title": "泉", "date": None, "authors": ["陆青山", "陆青山"]})
            assert reply.status_code == 200
            body = reply.json()
            assert body["source_id"] == source_id(1)
            (document,) = body["documents"]
            assert (document["title"], document["date"], document["tags"], document["authors"]) == (
                *("泉", None, ["水"]),
                ["陆青山"],
            )
            found = client.get("/v1/documents", params={"title": "泉"}).json()["documents"]
            assert [one["id"] for one in found] == [ids_of(1)[0]]
            assert client.get("/v1/documents", params={"title": "井"}).json()["total"] == 0
            assert client.get("/v1/documents", params={"date_from": "1990"}).json()["total"] == 0
            hit = client.post("/v1/search", json={"query": "QX0001Z1", "filters": {"titles": ["泉"]}}).json()
            assert {one["title"] for one in hit["hits"]} == {"泉"}
            again = client.patch(f"/v1/documents/{source_id(1)}", json={"title": "泉"})
            assert again.json() == body
            ids = [one["id"] for one in client.get("/v1/documents").json()["documents"]]
            assert ids == [*ids_of(2), *ids_of(1)]
        assert encoder.encoded == texts


def test_a_collection_is_named_as_elsewhere(client: TestClient, library: FakeLibrary) -> None:
    library.create_collection("other")
    client.post("/v1/documents", json={"text": ESSAY, "collection": "other"})
    (document,) = client.get("/v1/documents?collection=other").json()["documents"]
    path = f"/v1/documents/{document['id']}"
    assert client.patch(f"{path}?collection=other", json={"tags": ["灯"]}).status_code == 200
    check_refusal(client.patch(path, json={"tags": ["灯"]}), 404, "document_not_found")
    assert client.get(f"{path}?collection=other").json()["tags"] == ["灯"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"name": "x"}, "invalid_request"),
        ({"title": 1}, "invalid_request"),
        ({"tags": "灯"}, "invalid_request"),
        ({"title": " "}, "invalid_metadata"),
        ({"title": "长" * 301}, "invalid_metadata"),
        ({"date": "2024-13"}, "invalid_metadata"),
        ({"source_url": "javascript:x"}, "invalid_metadata"),
        ({"tags": ["x" * 65]}, "invalid_metadata"),
    ],
)
def test_what_may_not_be_said_changes_nothing(client: TestClient, body: object, code: str) -> None:
    before = client.get("/v1/documents").json()
    check_refusal(client.patch(f"/v1/documents/{TEA}", json=body), 422, code)
    assert client.get("/v1/documents").json() == before


def test_who_may_and_how_many_at_once() -> None:
    for method, path in (("PATCH", f"/v1/documents/{LIGHTHOUSE}"), ("POST", "/v1/jobs/job-1/retry")):
        assert scope_needed(method, path) == "write"
        assert is_other_change(http_scope(path=path, method=method))


# Additions that failed.


def begun(client: TestClient) -> str:
    job_id: str = client.post("/v1/documents?wait=0", json={"text": ESSAY}).json()["job"]["job_id"]
    return job_id


def test_what_failed_later_is_done_again_when_asked(client: TestClient, library: FakeLibrary) -> None:
    library.hold = True
    job_id = begun(client)
    library.fail = CewenError("磁盘满了。", code="library_unwritable")
    library.finish(job_id)
    failed = client.get(f"/v1/jobs/{job_id}").json()
    assert (failed["state"], failed["kept"]) == ("failed", True)
    again = client.post(f"/v1/jobs/{job_id}/retry")
    assert (again.status_code, again.json()["job"]["state"]) == (202, "queued")
    assert again.headers["location"] == f"/v1/jobs/{job_id}"
    library.finish(job_id)
    assert client.get(f"/v1/jobs/{job_id}").json()["state"] == "done"
    check_refusal(client.post(f"/v1/jobs/{job_id}/retry"), 409, "job_ended")
    check_refusal(client.post("/v1/jobs/job-9/retry"), 404, "job_not_found")
    check_refusal(client.post("/v1/jobs/a%20b/retry"), 404, "job_not_found")


def test_what_is_refused_at_once_is_not_kept(tmp_path: Path) -> None:
    encoder = WatchedEncoder()

    def broken() -> None:
        raise CewenError("坏了。", code="encoder_failed")

    with opened(tmp_path, encoder) as library:
        encoder.before = broken
        with client_for(library) as client:
            assert client.post("/v1/documents", json={"text": ESSAY}).status_code >= 500
            assert [job.state for job in library.jobs()] == ["cancelled"]
            assert library._store.pending() == ()
    with opened(tmp_path) as library:
        assert (library.jobs(), listed(library)) == ((), [])


# The service leaves.


def test_whoever_waits_is_told_to_look_later(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    encoder.before = gate
    with opened(tmp_path, encoder) as library, client_for(library) as client:
        replies: list[tuple[int, str]] = []

        def send() -> None:
            reply = client.post("/v1/documents?wait=120", json={"text": ESSAY})
            replies.append((reply.status_code, reply.json()["job"]["state"]))

        sending = threading.Thread(target=send)
        sending.start()
        assert gate.reached.wait(LIMIT_SECONDS)
        begun_at = monotonic()
        client.app.state.observing.leaving.begin()  # type: ignore[attr-defined]
        sending.join(LIMIT_SECONDS)
        assert replies in ([(202, "running")], [(202, "queued")])  # as it stood when it was looked at last
        assert monotonic() - begun_at < 10.0  # of the 120 seconds that it was told to wait
        gate.open.set()


@pytest.mark.parametrize("leaves", [True, False])
@pytest.mark.parametrize("replies", [False, True])
def test_what_is_cut_off_is_told_so_in_our_words(leaves: bool, replies: bool) -> None:
    leaving, sent = Leaving(), list[Message]()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        if replies:
            await send({"type": "http.response.start", "status": 200, "headers": []})
        inside.set()
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def run() -> None:
        task = asyncio.create_task(
            LeavingMiddleware(app, leaving=leaving)(http_scope(path="/v1/ask"), receive, send)
        )
        await inside.wait()
        if leaves:
            leaving.begin()
        task.cancel()
        await task

    inside = asyncio.Event()
    if leaves and not replies:
        asyncio.run(run())
        assert sent[0]["status"] == 503
        assert b'"code":"shutting_down"' in sent[1]["body"]
        assert dict(sent[0]["headers"])[b"retry-after"]
        return
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert [message.get("status") for message in sent] == [200] * replies
