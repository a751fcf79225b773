"""Both clients against the real app over a library in memory: what is added, found, replaced and removed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from api.library_records import Job
from cewen import (
    BadRequestError,
    Client,
    ConfigError,
    Filters,
    JobFailedError,
    Metadata,
    NotFoundError,
)
from rag.errors import InputError
from tests.api_fakes import EXAMPLES, LIGHTHOUSE, PAGE, SHA256, TEA, FakeLibrary
from tests.client_driver import ANSWERED, KINDS, Opener, opener, serving_library

BRIDGE = "石桥记\n\n  石桥修好以后，两岸的人天天来往。\n"
DOCUMENT: dict[str, object] = {
    "title": None,
    "label": "文",
    "authors": [],
    "affiliation": None,
    "source_sha256": SHA256,
}
FERRY = "渡口记\n\n  渡口从此冷清，船夫改行种茶。\n"


@pytest.fixture(params=KINDS)
def open_client(request: pytest.FixtureRequest) -> Iterator[Opener]:
    with opener(request.param) as opened:
        yield opened


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def client(open_client: Opener, library: FakeLibrary) -> Iterator[Client]:
    with serving_library(library) as url:
        yield open_client(url)


def test_a_text_is_added_found_replaced_and_removed(client: Client) -> None:
    added = client.add_text(
        BRIDGE,
        name="石桥.txt",
        metadata=Metadata(title="石桥", authors=("林听雨",), date="1931-05", tags=("桥",)),
        origin="notes",
    )
    assert (added.created, added.replaced, added.job) == (True, (), None)
    (document,) = [one for one in client.documents() if one.id in added.document_ids]
    assert (document.source_id, document.name, document.origin) == (added.source_id, "石桥.txt", "notes")
    assert (document.date, document.tags, document.original_sha256) == ("1931-05", ("桥",), "")
    assert client.source(document.id) == BRIDGE
    assert client.document(document.id).tags == ("桥",)
    again = client.add_text(BRIDGE)
    assert (again.created, again.source_id) == (False, added.source_id)
    replaced = client.replace(document.id, text=FERRY, name="渡口.txt")
    assert replaced.replaced == added.document_ids
    removed = client.remove(replaced.source_id)
    assert removed.document_ids == replaced.document_ids
    assert [one.id for one in client.documents()] == [LIGHTHOUSE, TEA]
    with pytest.raises(NotFoundError) as caught:
        client.remove(replaced.source_id)
    assert caught.value.code == "document_not_found"


def test_what_is_said_is_changed_alone(client: Client) -> None:
    added = client.add_text(BRIDGE, metadata=Metadata(title="石桥", date="1931", tags=("桥",)))
    described = client.describe(added.source_id, {"title": "新桥", "date": None, "tags": ("河", "桥")})
    assert described.source_id == added.source_id
    (document,) = described.documents
    assert (document.title, document.date, document.tags) == ("新桥", None, ("河", "桥"))
    assert client.document(document.id).title == "新桥"
    for changes, code in (({}, "invalid_request"), ({"date": "昨天"}, "invalid_metadata")):
        with pytest.raises(BadRequestError) as refused:
            client.describe(added.source_id, changes)
        assert refused.value.code == code
    with pytest.raises(NotFoundError):
        client.describe(added.source_id, {"title": "新桥"}, collection="nowhere")


def test_what_failed_is_done_again(client: Client, library: FakeLibrary) -> None:
    library.hold = True
    job = client.add_text(BRIDGE, wait=0).job
    assert job is not None
    library.fail = InputError("磁盘满了。", code="library_unwritable")
    library.finish(job.job_id)
    assert client.job(job.job_id).kept
    assert client.retry(job).state == "queued"
    library.finish(job.job_id)
    assert client.wait_for(job).state == "done"
    with pytest.raises(BadRequestError) as refused:
        client.retry(job.job_id)
    assert refused.value.code == "job_ended"


def test_a_file_is_sent_as_it_is(client: Client, tmp_path: Path) -> None:
    path = tmp_path / '怪"名.txt'
    path.write_bytes(BRIDGE.encode("gb18030") * 3)
    metadata = {
        "title": "石桥",
        "authors": ["林听雨", "周望潮"],
        "tags": ["桥"],
        "source_url": "https://a.example/b",
    }
    added = client.add_file(path, metadata=metadata)
    (document,) = [one for one in client.documents() if one.id in added.document_ids]
    assert client.source(document.id) == BRIDGE * 3
    assert document.name == "怪%22名.txt"
    assert document.source_url == "https://a.example/b"
    by_bytes = client.add_file(path.read_bytes(), name="别名.txt")
    assert (by_bytes.created, by_bytes.source_id) == (False, added.source_id)
    replaced = client.replace(added.source_id, file=FERRY.encode(), name="渡口.md")
    assert replaced.replaced == added.document_ids


def test_a_file_that_cannot_be_sent_is_refused_before_anything_is_sent(
    client: Client, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="读不了文件"):
        client.add_file(tmp_path / "none.txt")
    with pytest.raises(ConfigError, match="文件名"):
        client.add_file(b"x")
    with pytest.raises(ConfigError, match="text 和 file"):
        client.replace("x")
    with pytest.raises(ConfigError, match="text 和 file"):
        client.replace("x", text="x", file=b"x", name="x")


def test_what_the_service_refuses(client: Client) -> None:
    for metadata in ({"date": "昨天"}, {"source_url": "javascript:x"}):
        with pytest.raises(BadRequestError) as caught:
            client.add_text(BRIDGE, metadata=metadata)
        assert caught.value.code == "invalid_metadata"
    for name in ("", "..", "a/b"):
        for call in (client.remove_collection, client.job, client.remove):
            with pytest.raises(NotFoundError):
                call(name)
    with pytest.raises(NotFoundError) as missing:
        client.documents(collection="nowhere")
    assert missing.value.code == "collection_not_found"
    with pytest.raises(ConfigError, match="document_ids"):
        client.documents(filters=Filters(document_ids=(TEA,)))


def test_whoever_does_not_wait_gets_the_job(client: Client, library: FakeLibrary) -> None:
    library.hold = True
    added = client.add_text(BRIDGE, wait=0)
    assert added.job is not None
    assert not added.job.ended
    assert client.job(added.job.job_id).state == "queued"
    assert client.wait_for(added.job, seconds=1).state == "queued"
    library.finish(added.job.job_id)
    done = client.wait_for(added.job.job_id)
    assert (done.state, done.source_id, done.document_ids) == ("done", added.source_id, added.document_ids)


class SlowLibrary(FakeLibrary):
    """Ends a job when it is looked at for the third time."""

    looks = 0

    def job(self, job_id: str) -> Job:
        if not super().job(job_id).ended:
            self.looks += 1
            if self.looks == 3:
                self.finish(job_id)
        return super().job(job_id)

    def wait(self, job_id: str, seconds: float) -> Job:
        del seconds
        return super().job(job_id)


@pytest.mark.parametrize("fails", [False, True])
def test_whoever_waits_to_the_end_is_told_how_it_ended(
    open_client: Opener, fails: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cewen.adding._AT_ONCE_SECONDS", 0.05)
    library = SlowLibrary()
    library.hold = True
    if fails:
        library.fail = InputError("没有正文。", code="document_without_text")
    with serving_library(library) as url:
        client = open_client(url)
        if fails:
            with pytest.raises(JobFailedError) as caught:
                client.add_text(BRIDGE)
            assert (caught.value.code, caught.value.message) == ("document_without_text", "没有正文。")
        else:
            added = client.add_text(BRIDGE)
            assert (added.job, client.source(added.document_ids[0])) == (None, BRIDGE)
    assert open_client.waits == [0.2, 0.4]


def test_collections_are_worlds_of_their_own(client: Client) -> None:
    assert client.create_collection("bridges").documents == 0
    client.add_text(BRIDGE, collection="bridges")
    assert [(one.name, one.documents) for one in client.collections()] == [("default", 2), ("bridges", 1)]
    assert client.ask("天天来往", collection="bridges").status == "answered"
    assert client.ask("天天来往").status == "abstained"
    assert client.ask(ANSWERED, collection="bridges").collection == "bridges"
    assert client.search("石桥 两岸", collection="bridges", top_k=1).hits[0].text.startswith("石桥修好")
    *_, streamed = client.stream("天天来往", collection="bridges")
    assert streamed.status == "answered"  # type: ignore[union-attr]
    assert client.examples() == EXAMPLES
    with pytest.raises(BadRequestError) as caught:
        client.create_collection("bridges")
    assert caught.value.code == "collection_exists"
    assert client.remove_collection("bridges").documents == 1
    with pytest.raises(NotFoundError):
        client.ask("天天来往", collection="bridges")


def test_filters_narrow_what_is_asked(client: Client) -> None:
    tea = Filters(document_ids=(TEA,))
    assert client.ask(ANSWERED, filters=tea).status == "abstained"
    assert {hit.document_id for hit in client.search("灯塔 茶", filters={"document_ids": [TEA]}).hits} <= {
        TEA
    }
    assert client.ask(ANSWERED, filters=Filters()).status == "answered"
    assert [one.id for one in client.documents(filters={"authors": ["何采薇"]})] == [TEA]
    with pytest.raises(BadRequestError) as caught:
        client.ask(ANSWERED, filters={"date_from": "昨天"})
    assert caught.value.code == "invalid_filters"


def test_a_list_comes_in_pages(client: Client) -> None:
    first, second = client.documents()
    assert client.documents(limit=1) == (first,)
    assert client.documents(limit=1, offset=1) == (second,)
    assert client.documents(offset=2) == ()
    assert json.loads(client.documents_json(limit=1))["next_offset"] == 1


@pytest.mark.parametrize(("limit", "sizes"), [(None, [1000, 1000, 500]), (1500, [1000, 500]), (7, [7])])
def test_all_pages_are_asked_for(open_client: Opener, limit: int | None, sizes: list[int]) -> None:
    sent: list[int] = []

    def page(request: httpx.Request) -> httpx.Response:
        query = request.url.params
        start = int(query.get("offset", 0))
        end = min(2500, start + int(query.get("limit", 1000)))
        sent.append(end - start)
        listed = [{**DOCUMENT, "id": f"d-{number}"} for number in range(start, end)]
        rest = {"total": 2500, "next_offset": end if end < 2500 else None}
        return httpx.Response(200, json={"documents": listed, **rest})

    with_pages = open_client.handled(page)
    found = with_pages.documents(limit=limit)
    assert [one.id for one in found] == [f"d-{number}" for number in range(sum(sizes))]
    assert sent == sizes
    whole = json.loads(with_pages.documents_json(limit=limit))
    assert [one["id"] for one in whole["documents"]] == [one.id for one in found]
    assert (whole["total"], whole["next_offset"]) == (2500, None if limit is None else limit)


def test_a_citation_is_resolved(client: Client) -> None:
    (citation,) = client.ask(ANSWERED).citations
    here = client.resolve_citation(citation)
    assert (here.status, here.start_char, here.end_char) == (
        "current",
        citation.start_char,
        citation.end_char,
    )
    claim = {"document_id": LIGHTHOUSE, "start_char": citation.start_char, "end_char": citation.end_char}
    client.remove(LIGHTHOUSE)
    assert client.resolve_citation(claim).status == "removed"
    assert client.resolve_citation(claim, collection="default").status == "removed"
    assert (
        client.resolve_citation({**claim, "document_id": "0-1", "source_sha256": SHA256}).status == "unknown"
    )
    assert citation.verify(PAGE)


def test_reindexing_is_a_job(client: Client) -> None:
    job = client.reindex("default")
    assert (job.kind, client.wait_for(job).state) == ("reindex", "done")
