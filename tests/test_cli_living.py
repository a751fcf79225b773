"""The commands and the client over a real library: store, index, engine; an encoder one can compute."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.app import create_app
from api.assembly import open_library
from api.cli.commands import app
from api.cli.console import Progress
from api.cli.parts import Parts
from api.library_records import Upload
from cewen import Client, NotFoundError
from rag.metadata import check_metadata
from rag.reading.decoding import source_from_text
from rag.settings import Settings, read_settings
from tests.counting_encoder import CountingEncoder
from tests.evals_server import serving_app

SEED = "茶山记\n\n  茶山的春茶在清明前采摘，一斤鲜叶只能制二两干茶。\n"
BOAT = "渡船记\n\n  渡船每天早晨六点开出，傍晚六点回港。\n"
STARS = "观星记\n\n  观星台建在山顶，冬天的星最亮。\n"


def opened(settings: Settings, progress: Progress, writable: bool | None = None) -> Any:
    return open_library(settings, encoder=CountingEncoder(), writable=writable, told=progress)


def cewen(*arguments: str) -> Result:
    parts = Parts(open_engine=opened, open_library=opened)
    return CliRunner().invoke(app, arguments, obj=parts, prog_name="cewen")


@pytest.fixture(autouse=True)
def _place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "SEEDS_DIR": "seeds",
        "DATA_DIR": "data",
        "INDEX_DIR": "index",
        "READER": "off",
    }.items():
        monkeypatch.setenv(f"CEWEN_{name}", value)
    for folder, name, text in (("seeds", "tea.txt", SEED), ("mine", "boat.txt", BOAT)):
        Path(folder).mkdir()
        Path(folder, name).write_text(text, "utf-8")


def listed(*arguments: str) -> dict[str, str]:
    documents = json.loads(cewen("ls", "--json", *arguments).stdout)["documents"]
    return {document["name"]: document["origin"] for document in documents}


def test_a_library_lives_through_the_commands(tmp_path: Path) -> None:
    assert listed() == {"tea.txt": "seeds"}  # before it was ever opened
    assert cewen("sync", "mine").exit_code == 0
    origin = listed()["boat.txt"]
    assert origin.startswith("sync:mine-")
    assert str(tmp_path) not in origin
    assert listed() == {"tea.txt": "seeds", "boat.txt": origin}
    assert cewen("collections", "create", "sky").exit_code == 0
    Path("stars.txt").write_text(STARS, "utf-8")
    assert cewen("add", "stars.txt", "--collection", "sky", "--tag", "星").exit_code == 0
    assert listed("--collection", "sky", "--tag", "星") == {"stars.txt": "upload"}
    hits = json.loads(cewen("search", "星", "--collection", "sky", "--json").stdout)["hits"]
    assert [hit["text"] for hit in hits] == ["观星台建在山顶，冬天的星最亮。"]
    assert (cewen("check").exit_code, cewen("backup", "b.sqlite3").exit_code) == (0, 0)
    Path("mine", "boat.txt").unlink()
    assert cewen("sync", "mine", "--allow-empty").exit_code == 0
    assert cewen("rm", json.loads(cewen("ls", "--json").stdout)["documents"][0]["id"]).exit_code == 0
    assert listed() == {}
    assert cewen("search", "茶").stdout.startswith("没有合适的段落")  # nor does it come back by itself
    assert cewen("restore", "b.sqlite3").exit_code == 0
    assert listed() == {"tea.txt": "seeds", "boat.txt": origin}


def test_what_an_earlier_version_synced_is_taken_over(tmp_path: Path) -> None:
    old = f"sync:{tmp_path / 'mine'}"
    settings = Settings(
        seeds_dir=Path("seeds"), data_dir=Path("data"), index_dir=Path("index"), reader="off", _env_file=None
    )  # type: ignore[call-arg]
    with opened(settings, lambda *_: None) as library:
        for name, text in (("boat.txt", BOAT), ("gone.txt", STARS)):
            job = library.add("default", Upload(source_from_text(name, text), old))
            assert library.wait(job.job_id, 60).state == "done"
    assert set(listed()) == {"tea.txt", "boat.txt", "gone.txt"}
    assert cewen("sync", "mine").stdout.endswith("添加 0，替换 0，删除 1，未变 1，失败 0\n")
    assert set(listed()) == {"tea.txt", "boat.txt"}
    assert listed()["boat.txt"].startswith("sync:mine-")
    assert cewen("sync", "mine").stdout.endswith("添加 0，替换 0，删除 0，未变 1，失败 0\n")


def ids(*arguments: str) -> dict[str, str]:
    documents = json.loads(cewen("ls", "--json", *arguments).stdout)["documents"]
    return {document["name"]: document["id"] for document in documents if document["name"] != "tea.txt"}


@pytest.mark.parametrize("there", [False, True])
def test_a_synced_document_keeps_what_is_said_of_it_and_has_its_files_name(
    request: pytest.FixtureRequest, *, there: bool
) -> None:
    where = ("--url", request.getfixturevalue("url")) if there else ()
    assert cewen("sync", "mine", *where).exit_code == 0
    first = ids(*where)["boat.txt"]
    Path("mine", "boat.txt").rename(Path("mine", "渡船.txt"))
    renamed = cewen("sync", "mine", *where)
    assert "已改名：boat.txt → 渡船.txt\n" in renamed.stdout
    assert renamed.stdout.endswith("添加 0，替换 0，删除 0，未变 1（其中改名 1），失败 0\n")
    assert ids(*where) == ids("--name", "渡船.txt", *where) == {"渡船.txt": first}
    _say_of(first, where, tags=["渡口"])
    Path("mine", "渡船.txt").write_text(BOAT + "\n  船票一元。\n", "utf-8")
    edited = json.loads(cewen("sync", "mine", "--json", *where).stdout)
    assert (edited["replaced"], edited["renamed"], edited["removed"]) == (["渡船.txt"], [], [])
    (second,) = ids("--tag", "渡口", *where).values()
    assert second != first
    again = json.loads(cewen("sync", "mine", "--json", *where).stdout)
    assert (again["unchanged"], again["renamed"]) == (["渡船.txt"], [])


def _say_of(document_id: str, where: tuple[str, ...], **said: Any) -> None:
    if where:
        with Client(where[1]) as client:
            client.describe(document_id, said)
        return
    with opened(read_settings(), lambda *_: None, writable=True) as library:
        library.describe("default", document_id, lambda _: check_metadata(**said))


def test_what_is_at_fault_is_found_by_the_check() -> None:
    assert cewen("sync", "mine").exit_code == 0
    (store,) = Path("data").rglob("library.sqlite3")
    data = store.read_bytes()
    place = data.index("渡船每天".encode())
    store.write_bytes(data[:place] + "船渡".encode() + data[place + 6 :])
    result = cewen("check", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["findings"]


@pytest.fixture
def url() -> Iterator[str]:
    settings = Settings(
        seeds_dir=Path("seeds"), data_dir=Path("data"), index_dir=Path("index"), reader="off", _env_file=None
    )  # type: ignore[call-arg]
    application = create_app(lambda: opened(settings, lambda *_: None))
    with serving_app(application) as address:
        assert application.state.engine_slot.wait(60)
        yield address
    application.state.engine_slot.close()


def test_a_service_and_its_client(url: str) -> None:
    with Client(url) as client:
        added = client.add_text(BOAT, name="boat.txt")
        assert added.document_ids[0] in {document.id for document in client.documents()}
        (hit,) = client.search("船", filters={"names": ["boat.txt"]}).hits
        claim = {**hit.model_dump(), "quote": hit.text}
        assert client.resolve_citation(claim).status == "current"
        replaced = client.replace(added.source_id, text=BOAT + "\n  船票一元。\n", name="boat.txt")
        assert replaced.replaced == added.document_ids
        resolution = client.resolve_citation(claim)
        assert (resolution.status, resolution.found_in) == ("changed", replaced.document_ids[0])
        client.remove(replaced.source_id)
        with pytest.raises(NotFoundError):
            client.source(replaced.document_ids[0])
    busy = cewen("add", "mine/boat.txt")
    assert (busy.exit_code, str(os.getpid()) in busy.stderr, "--url" in busy.stderr) == (2, True, True)
    assert cewen("sync", "mine", "--url", url).exit_code == 0
    assert set(listed("--url", url)) == set(listed()) == {"tea.txt", "boat.txt"}
