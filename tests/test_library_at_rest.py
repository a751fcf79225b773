"""What is done to a library without loading it, and the commands that need no model, where no model opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli.commands import app
from api.library.at_rest import LibraryAtRest, open_at_rest
from api.library.opening import open_library
from api.library.snapshots import encoder_key
from api.library_records import Removed
from index.store import Store
from rag.confidence.correction import Correction
from rag.errors import CewenError
from rag.settings import Settings
from tests.library_samples import (
    added,
    done,
    ids_of,
    is_found,
    listed,
    opened,
    page,
    settings_of,
    source_id,
    upload,
    write_seed,
)
from tests.tiny_model import write_tiny_model

PROJECT = Path(__file__).resolve().parent.parent


def resting(settings: Settings, *, writable: bool | None = True) -> LibraryAtRest:
    library = open_at_rest(settings, writable=writable)
    assert library is not None
    return library


def code_of(change: object) -> str:
    assert callable(change)
    with pytest.raises(CewenError) as caught:
        change()
    return caught.value.code


@pytest.fixture
def filled(tmp_path: Path) -> Settings:
    """A library with three documents of two sources, and a second collection."""
    with opened(tmp_path) as library:
        library.create_collection("sky")
        added(library, upload(1, essays=2), upload(2))
        added(library, upload(3), collection="sky")
    return settings_of(tmp_path)


def test_it_tells_of_every_collection_what_a_loaded_library_tells(tmp_path: Path) -> None:
    one = write_tiny_model(tmp_path / "models" / "one")
    two = write_tiny_model(tmp_path / "models" / "two", width=24)
    settings = settings_of(tmp_path, encoder=str(one), false_answer_rate=0.1)
    with open_library(settings) as library:
        for name in ("sky", "sea", "land", "void"):
            library.create_collection(name)
        for name in ("default", "sky", "sea"):
            added(library, upload(1, essays=3), upload(2), collection=name)
        library.remove("sky", ids_of(1, essays=3)[1])
        done(library, library.reindex("sea", str(two)))
        done(library, library.reindex("land", str(two)))
        keys = {name: encoder_key(library.live(name).snapshot.model.encoder) for name in ("sky", "sea")}
        basis = library.live("sky").snapshot.engine.judging.basis
    fitting = Correction(basis.model.name, basis.digest, 1.0, 0.5, (0.1,)).to_text({})
    other = Correction(basis.model.name, "0" * 16, 1.0, 0.5, (0.1,)).to_text({})
    with Store.open(settings.data_dir / "library") as store:
        store.set_calibration("sky", keys["sky"], fitting)
        store.set_calibration("sea", keys["sky"], fitting)  # for an encoder that it has no more
        store.set_calibration("default", keys["sky"], other)  # for another confidence model
        store.set_calibration("land", keys["sea"], "not one")
        store.set_calibration("void", keys["sky"].replace('"one"', '"of another name"'), fitting)
    with open_library(settings) as library:
        loaded = library.collections()
    with resting(settings, writable=None) as library:
        assert library.collections() == loaded
    assert [info.calibration for info in loaded] == ["none", "none", "none", "collection", "none"]
    assert [info.name for info in loaded] == ["default", "land", "sea", "sky", "void"]
    assert [info.chunks > 0 for info in loaded] == [True, False, True, True, False]


def test_what_is_removed_is_not_there_when_the_library_is_loaded(filled: Settings, tmp_path: Path) -> None:
    first, second = ids_of(1, essays=2)
    with resting(filled) as library:
        assert library.remove("default", second) == Removed(source_id(1, 2), (second,))
        assert library.remove("default", source_id(2)).document_ids == ids_of(2)
        assert [one.source_id for one in library.held("default")] == [source_id(1, 2)]
        for missing in (second, source_id(2), ids_of(2)[0], f"{first}-1", "-", "", "x-y-z"):
            assert code_of(lambda missing=missing: library.remove("default", missing)) == "document_not_found"
        for change in (lambda: library.remove("none", first), lambda: library.held("none")):
            assert code_of(change) == "collection_not_found"
    with opened(tmp_path) as library:
        assert listed(library) == [first]
        assert is_found(library.engine(), 1, 1)
        assert not is_found(library.engine(), 1, 2)
        assert library.encoded == 0
    with Store.open(filled.data_dir / "library") as store:
        gone = store.removal("default", second)
        assert gone is not None
        assert gone.by == "user"


def test_what_was_removed_stays_away_although_its_seed_is_there(tmp_path: Path) -> None:
    write_seed(tmp_path, 1)
    with opened(tmp_path):
        pass
    with resting(settings_of(tmp_path)) as library:
        library.remove("default", source_id(1))
    with opened(tmp_path) as library:
        assert listed(library) == []


def test_collections_come_and_go_with_what_is_on_the_disk_of_them(filled: Settings, tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        for name in ("default", "sky"):
            library.live(name).write_generation(always=True)
    written = {name: filled.index_dir / name / "CURRENT" for name in ("default", "sky")}
    assert all(path.exists() for path in written.values())
    with resting(filled) as library:
        assert library.create_collection("sea").documents == 0
        assert code_of(lambda: library.create_collection("sea")) == "collection_exists"
        assert code_of(lambda: library.create_collection("Sea")) == "invalid_collection_name"
        assert code_of(lambda: library.remove_collection("land")) == "collection_not_found"
        assert library.remove_collection("sky").documents == 1
        assert library.remove_collection("default").documents == 3
        assert [(info.name, info.documents) for info in library.collections()] == [("default", 0), ("sea", 0)]
    assert not any(path.exists() for path in written.values())
    with opened(tmp_path) as library:
        assert [(info.name, info.documents) for info in library.collections()] == [("default", 0), ("sea", 0)]


def test_where_another_process_writes_it_is_only_read(filled: Settings, tmp_path: Path) -> None:
    with opened(tmp_path):
        assert code_of(lambda: open_at_rest(filled, writable=True)) == "library_busy"
        with resting(filled, writable=None) as library:
            assert [info.documents for info in library.collections()] == [3, 1]
            assert code_of(lambda: library.remove("default", source_id(1, 2))) == "library_read_only"


def test_there_is_none_before_the_first_opening(tmp_path: Path) -> None:
    assert open_at_rest(settings_of(tmp_path), writable=True) is None
    assert not (tmp_path / "data").exists()


# The commands, with a model that cannot be opened.


@pytest.fixture
def place(filled: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with that library, and settings that name a model that is broken."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "config.json").write_text("{}", "utf-8")
    given = {"SEEDS_DIR": "seeds", "DATA_DIR": "data", "INDEX_DIR": "index", "ENCODER": str(broken)}
    for name, value in given.items():
        monkeypatch.setenv(f"CEWEN_{name}", value)
    return tmp_path


def cewen(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, prog_name="cewen")


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def names() -> list[str]:
    return [document["name"] for document in told(cewen("ls", "--json"))["documents"]]


def test_what_needs_no_model_works_without_one_and_the_rest_says_what_is_wrong(place: Path) -> None:
    assert names() == ["1.txt", "1.txt", "2.txt"]
    assert cewen("backup", "b.sqlite3").exit_code == 0
    assert cewen("check").exit_code == 0
    assert told(cewen("rm", source_id(2), "--json")) == {
        "removed": [{"source_id": source_id(2), "document_ids": list(ids_of(2))}]
    }
    assert cewen("rm", source_id(2)).exit_code == 1
    assert names() == ["1.txt", "1.txt"]
    listed = told(cewen("collections", "list", "--json"))["collections"]
    assert [(one["name"], one["encoder"]) for one in listed] == [("default", "broken"), ("sky", "broken")]
    assert told(cewen("collections", "create", "sea", "--json"))["documents"] == 0
    assert told(cewen("collections", "remove", "sky", "--json"))["documents"] == 1
    (place / "new.txt").write_text(page(5), "utf-8")
    for needing in (
        ("add", "new.txt"),
        ("reindex",),
        ("search", "茶"),
        ("reindex", "--encoder", str(place / "data")),
    ):
        refused = cewen(*needing)
        assert (refused.exit_code, refused.stdout) == (2, ""), needing
        assert "CEWEN_ENCODER" in refused.stderr
    assert names() == ["1.txt", "1.txt"]
    assert cewen("restore", "b.sqlite3").exit_code == 0
    assert names() == ["1.txt", "1.txt", "2.txt"]


def test_a_folder_is_synced_without_a_model_until_something_new_comes(place: Path) -> None:
    mine = place / "mine"
    mine.mkdir()
    for number in (6, 7):
        (mine / f"{number}.txt").write_text(page(number), "utf-8")
    with opened(place) as library:
        added(library, *(upload(number, origin="sync:mine") for number in (6, 7)))
    assert told(cewen("sync", "mine", "--origin", "mine", "--json"))["unchanged"] == ["6.txt", "7.txt"]
    (mine / "7.txt").unlink()
    assert told(cewen("sync", "mine", "--origin", "mine", "--dry-run", "--json"))["removed"] == ["7.txt"]
    assert told(cewen("sync", "mine", "--origin", "mine", "--json"))["removed"] == ["7.txt"]
    assert names() == ["1.txt", "1.txt", "2.txt", "6.txt"]
    (mine / "8.txt").write_text(page(8), "utf-8")
    refused = cewen("sync", "mine", "--origin", "mine")
    assert (refused.exit_code, "CEWEN_ENCODER" in refused.stderr) == (2, True)
    assert cewen("sync", "mine", "--origin", "mine", "--collection", "none").exit_code == 1
    assert names() == ["1.txt", "1.txt", "2.txt", "6.txt"]


def test_a_library_that_was_never_opened_is_loaded_first(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEWEN_DATA_DIR", "elsewhere")
    write_seed(place, 1)
    assert names() == ["1.txt"]  # the seeds, which it will hold then
    refused = cewen("rm", source_id(1))
    assert (refused.exit_code, "CEWEN_ENCODER" in refused.stderr) == (2, True)


def test_neither_torch_nor_faiss_is_imported_for_it(place: Path) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(PROJECT)!r})
from api.cli.commands import app
for arguments in (["ls"], ["rm", {source_id(2)!r}], ["collections", "list"], ["check"]):
    app(arguments, standalone_mode=False)
heavy = {{"torch", "faiss", "sentence_transformers", "transformers", "fastapi"}} & set(sys.modules)
sys.exit(f"imported: {{sorted(heavy)}}" if heavy else 0)
"""
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
