"""One document of a source is removed: no surface shows its words any more, the others read as before."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.library.library import Library
from rag.errors import NotFoundError
from tests.api_fakes import client_for
from tests.library_samples import (
    added,
    claim,
    everything,
    ids_of,
    opened,
    page,
    source,
    upload,
    word,
)

ESSAYS = 3
FIRST, GONE, LAST = ids_of(1, ESSAYS)


def check_is_gone(library: Library) -> None:
    """The words of the second essay are nowhere, those of the others where they were."""
    for document_id in (FIRST, LAST):
        shown = library.engine_holding(document_id).document(document_id).source
        assert word(1, 2) not in shown.text
        assert word(1, 1) in shown.text
        assert word(1, 3) in shown.text
        assert len(shown.text) == len(page(1, ESSAYS))
        assert shown.sha256 == source(1, ESSAYS).sha256
    with pytest.raises(NotFoundError):
        library.engine_holding(GONE).document(GONE)


def test_it_is_gone_at_once_after_a_start_and_for_those_who_follow(tmp_path: Path) -> None:
    with opened(tmp_path) as library, opened(tmp_path, writable=False) as reader:
        added(library, upload(1, ESSAYS), upload(2))
        assert word(1, 2) in reader.engine_holding(FIRST).document(FIRST).source.text
        library.remove("default", GONE)
        check_is_gone(library)
        check_is_gone(reader)
        before = everything(library.engine())
        library.live("default").write_generation(always=True)
    for _ in range(2):  # from what was kept of the rows
        with opened(tmp_path) as library:
            check_is_gone(library)
            assert everything(library.engine()) == before
    (tmp_path / "index" / "default" / "rows.kept").unlink()
    with opened(tmp_path) as library:  # from the text
        check_is_gone(library)
        assert everything(library.engine()) == before
        library.remove("default", FIRST)
        shown = library.engine_holding(LAST).document(LAST).source.text
        assert [word(1, essay) in shown for essay in (1, 2, 3)] == [False, False, True]


def test_it_is_there_again_when_the_text_is_added_again(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, ESSAYS))
        library.remove("default", GONE)
        added(library, upload(1, ESSAYS))
        shown = library.engine_holding(FIRST).document(FIRST).source
        assert (shown.text, shown.blanked) == (page(1, ESSAYS), ())


def test_it_stays_gone_when_something_else_is_said_of_the_source(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, ESSAYS))
        library.remove("default", GONE)
        library.describe("default", FIRST, lambda said: replace(said, tags=("井",)))
        assert library.engine().document(FIRST).source.metadata.tags == ("井",)
        check_is_gone(library)
    with opened(tmp_path) as library:
        check_is_gone(library)


def test_a_range_in_what_is_gone_is_removed_whatever_document_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, ESSAYS))
        cited, kept = claim(library, 1, 2), claim(library, 1, 3)
        library.remove("default", GONE)
        for given in (cited, replace(cited, document_id=FIRST), replace(cited, document_id=LAST, quote=None)):
            told = library.resolve(None, given)
            assert (told.status, told.quote, told.found_in) == ("removed", None, None)
        assert library.resolve(None, kept).status == "current"


def test_neither_page_nor_source_shows_it(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, ESSAYS))
        with client_for(library) as client:
            tag = client.get(f"/v1/documents/{FIRST}/source").headers["etag"]
            assert tag == f'"{source(1, ESSAYS).sha256}"'
            lines = page(1, ESSAYS).count("\n")
            assert client.delete(f"/v1/documents/{GONE}").status_code == 200
            check_pages(client, tag, lines)


def check_pages(client: TestClient, tag: str, lines: int) -> None:
    for document_id in (FIRST, LAST):
        plain = client.get(f"/v1/documents/{document_id}/source", headers={"If-None-Match": tag})
        assert plain.status_code == 200  # not what was kept from before
        assert word(1, 2) not in plain.text
        assert plain.text.count("\n") == lines
        assert plain.headers["etag"] == f'"{hashlib.sha256(plain.content).hexdigest()}"'
        again = client.get(
            f"/v1/documents/{document_id}/source", headers={"If-None-Match": plain.headers["etag"]}
        )
        assert again.status_code == 304
        shown = client.get(f"/documents/{document_id}").text
        assert word(1, 2) not in shown
        assert word(1, 3) in shown
        assert "已从文库删除" in shown
        assert shown.count("kind-removed") == len([each for each in removed_lines() if each.strip()])


def removed_lines() -> list[str]:
    """The lines of the second essay."""
    return page(1, ESSAYS).split("\n")[page(1, 1).count("\n") + 1 : page(1, 2).count("\n") + 1]
