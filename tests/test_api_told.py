"""What callers are not told: where files of the machine lie, and what took the place of a document."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.errors.codes import CODES
from api.settings import ApiSettings
from index.store.faults import busy, closed, unwritable
from rag.errors import CewenError
from tests.api_fakes import FakeLibrary, client_for
from tests.library_samples import added, ids_of, opened, source_id, upload
from tests.uploading import ESSAY

KEY = "k-3f9Q7z"
BROWSER = {"Accept": "text/html"}
PLACE = Path("/srv/geheim/library.sqlite3")


@pytest.mark.parametrize("fault", [unwritable(PLACE, "disk full"), busy(PLACE, "locked"), closed(PLACE)])
def test_a_reply_names_no_file_of_the_machine(fault: CewenError, caplog: pytest.LogCaptureFixture) -> None:
    library = FakeLibrary()
    row = CODES[fault.code]
    with client_for(library) as client:
        library.fail = fault
        failed = client.post("/v1/documents", json={"text": ESSAY})
        assert failed.status_code == row.status
        assert failed.json()["error"]["message"] == f"{row.meaning}。{row.action}。"
        library.fail = fault
        begun = client.post("/v1/documents?wait=0", json={"text": f"{ESSAY}{ESSAY}"})
        for reply in (failed, begun, client.get("/v1/jobs")):
            assert "geheim" not in reply.text
    assert "geheim" in caplog.text  # the operator is told


def test_a_feedback_file_that_is_busy_is_not_named(tmp_path: Path) -> None:
    with client_for(settings=ApiSettings(data_dir=tmp_path)) as client:
        given = {"answer_id": "ans_1", "verdict": "up"}
        assert client.post("/v1/feedback", json=given).status_code == 201
        with closing(sqlite3.connect(tmp_path / "feedback.sqlite3")) as other:
            other.execute("BEGIN EXCLUSIVE")
            refused = client.post("/v1/feedback", json=given)
    assert refused.json()["error"]["code"] == "feedback_busy"
    assert refused.status_code == 503
    assert str(tmp_path) not in refused.text
    assert "sqlite" not in refused.text


def look(client: TestClient, document_id: str, key: str | None) -> str:
    headers = BROWSER | ({"Authorization": f"Bearer {key}"} if key else {})
    page = client.get(f"/documents/{document_id}", headers=headers)
    assert page.status_code == 410
    assert "取代" in page.text
    return page.text


def test_who_has_no_key_is_not_led_to_what_took_the_place_of_a_document(tmp_path: Path) -> None:
    (old,), (new,) = ids_of(1), ids_of(2)
    with opened(tmp_path) as library:
        added(library, upload(1))
        added(library, upload(2, title="机密的题目"), replaces=source_id(1))
        with client_for(library, ApiSettings(api_key=KEY)) as client:
            for key in (None, "nope"):
                told = look(client, old, key)
                assert new not in told
                assert "机密的题目" not in told
                plain = client.get(f"/v1/documents/{old}/source").text
                assert new not in plain
            assert new in look(client, old, KEY)
    with opened(tmp_path) as library, client_for(library) as client:  # a service for everybody
        assert "机密的题目" in look(client, old, None)
