"""`cewen add`, `rm`, `ls`, `sync`: the same over a library opened here and over a service elsewhere."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

import cewen
from api.library_records import Job
from rag.errors import IndexFileError, InputError, UnavailableError
from tests.api_fakes import LIGHTHOUSE, TEA, FakeLibrary
from tests.client_driver import serving_library
from tests.converting_files import docx, paragraph
from tests.test_cli import Stage

BRIDGE = "石桥记\n\n  石桥修好以后，两岸的人天天来往。\n"
FERRY = "渡口记\n\n  渡口从此冷清，船夫改行种茶。\n"
Run = Callable[..., Result]


@pytest.fixture(autouse=True)
def _away_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CEWEN_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture(params=["here", "there"])
def run(request: pytest.FixtureRequest, library: FakeLibrary) -> Iterator[Run]:
    """A command line over the library, opened in this process or behind a service."""
    stage = Stage(engine=library, library=library)  # type: ignore[arg-type]
    if request.param == "here":
        yield stage.run
        return
    with serving_library(library) as url:

        def remote(*arguments: str, **options: Any) -> Result:
            return stage.run(*arguments, "--url", url, **options)

        yield remote
    assert stage.opened_with == []


def said(result: Result) -> dict[str, Any]:
    assert result.stdout.count("\n") == 1
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def names(library: FakeLibrary, collection: str = "default") -> dict[str, str]:
    """Names and origins of what was added to a collection."""
    return {
        entry.document.source.name: entry.origin
        for entry in library.entries(collection)
        if entry.document.document_id not in (LIGHTHOUSE, TEA)
    }


# add


def test_a_file_is_added_with_what_is_known_of_it(run: Run, library: FakeLibrary) -> None:
    Path("石桥.txt").write_bytes(BRIDGE.encode("gb18030") * 3)
    about = (
        "--title",
        "石桥",
        "--author",
        "林听雨",
        "--author",
        "何采薇",
        "--date",
        "1931-05",
        "--tag",
        "桥",
    )
    result = run("add", "石桥.txt", *about, "--source-url", "https://a.example/b", "--json")
    assert result.exit_code == 0, result.stderr
    (added,) = said(result)["added"]
    (entry,) = [
        one for one in library.entries("default") if one.document.document_id in added["document_ids"]
    ]
    metadata = entry.document.source.metadata
    assert (metadata.title, metadata.authors, metadata.date) == ("石桥", ("林听雨", "何采薇"), "1931-05")
    assert (metadata.tags, metadata.source_url) == (("桥",), "https://a.example/b")
    assert (entry.origin, entry.document.source.text) == ("upload", BRIDGE * 3)
    assert (added["name"], added["created"]) == ("石桥.txt", True)
    again = run("add", "石桥.txt")
    assert again.stdout.startswith("早已在库里：石桥.txt")


def test_text_from_stdin_is_added(run: Run, library: FakeLibrary) -> None:
    library.create_collection("bridges")
    result = run("add", "-", "--collection", "bridges", input=BRIDGE)
    assert (result.exit_code, result.stdout[:3]) == (0, "已添加")
    assert names(library, "bridges") == {"标准输入.txt": "upload"}
    assert run("add", "-", input=b"\xff").exit_code == 1


def test_a_file_that_cannot_be_used_does_not_keep_the_others_out(run: Run, library: FakeLibrary) -> None:
    Path("a.txt").write_text(BRIDGE, "utf-8")
    Path("b.docx").write_bytes(docx(paragraph(FERRY)))
    Path("空.txt").write_text("  \n", "utf-8")
    Path("假.pdf").write_text("不是", "utf-8")
    result = run("add", "a.txt", "假.pdf", "空.txt", "none.txt", "b.docx", "--json")
    assert result.exit_code == 1
    told = said(result)
    assert [one["name"] for one in told["added"]] == ["a.txt", "b.docx"]
    assert {one["name"]: one["code"] for one in told["failed"]} == {
        "假.pdf": "unsupported_document",
        "空.txt": "document_without_text",
        "none.txt": "unreadable_document",
    }
    assert set(names(library)) == {"a.txt", "b.docx"}
    shown = run("add", "假.pdf")
    assert "失败：假.pdf：" in shown.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("a.txt", "b.txt", "--title", "两个"), "invalid_request"),
        (("a.txt", "--date", "昨天"), "invalid_metadata"),
        (("a.txt", "--source-url", "javascript:x"), "invalid_metadata"),
        (("a.txt", "--collection", "nowhere"), "collection_not_found"),
    ],
)
def test_bad_options_are_exit_1(run: Run, arguments: tuple[str, ...], code: str) -> None:
    Path("a.txt").write_text(BRIDGE, "utf-8")
    result = run("add", *arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.rstrip().endswith(f"（{code}）")


def test_a_folder_is_not_a_file(run: Run) -> None:
    Path("folder").mkdir()
    result = run("add", "folder")
    assert result.exit_code == 1
    assert "cewen sync" in result.stderr


def test_a_file_is_not_a_folder(run: Run) -> None:
    Path("a.txt").write_text(BRIDGE, "utf-8")
    result = run("sync", "a.txt")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "是文件，不是文件夹" in result.stderr
    assert "cewen add" in result.stderr


# rm and ls


def test_what_is_removed_is_gone(run: Run, library: FakeLibrary) -> None:
    result = run("rm", TEA, "--json")
    assert said(result)["removed"] == [{"source_id": TEA[:-2], "document_ids": [TEA]}]
    assert [entry.document.document_id for entry in library.entries("default")] == [LIGHTHOUSE]
    missing = run("rm", TEA)
    assert missing.exit_code == 1
    assert "document_not_found" in missing.stderr
    assert run("rm", LIGHTHOUSE[:-2]).stdout == f"已删除：{LIGHTHOUSE} · 文稿 {LIGHTHOUSE[:-2]}\n"


def test_what_there_is_can_be_narrowed(run: Run) -> None:
    assert [one["id"] for one in said(run("ls", "--author", "何采薇", "--json"))["documents"]] == [TEA]
    assert run("ls", "--limit", "1").stdout.endswith("共 2 篇，列出 1 篇\n")
    assert run("ls", "--tag", "没有").stdout == "共 0 篇\n"
    page = said(run("ls", "--limit", "1", "--json"))
    assert (len(page["documents"]), page["total"], page["next_offset"]) == (1, 2, 1)
    for wrong in (("--limit", "0"), ("--date-from", "昨天"), ("--collection", "nowhere")):
        assert run("ls", *wrong).exit_code == 1
    assert run("documents", "--json").stdout == run("ls", "--json").stdout


# sync


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "essays"
    (place / "rivers").mkdir(parents=True)
    (place / "rivers" / "bridge.txt").write_text(BRIDGE, "utf-8")
    (place / "ferry.docx").write_bytes(docx(paragraph(FERRY)))
    return place


def counts(result: Result) -> dict[str, int]:
    told = said(result)
    kinds = ("added", "replaced", "removed", "unchanged", "failed")
    return {name: len(told[name]) for name in kinds if told[name]}


def test_a_collection_follows_a_folder(run: Run, library: FakeLibrary, folder: Path) -> None:
    assert counts(run("sync", str(folder), "--dry-run", "--json")) == {"added": 2}
    assert names(library) == {}
    assert counts(run("sync", "essays", "--json")) == {"added": 2}
    assert set(names(library)) == {"rivers/bridge.txt", "ferry.docx"}
    (origin,) = set(names(library).values())
    assert re.fullmatch("sync:essays-[0-9a-f]{10}", origin)
    assert counts(run("sync", str(folder), "--json")) == {"unchanged": 2}
    (folder / "rivers" / "bridge.txt").write_text(BRIDGE + BRIDGE, "utf-8")
    (folder / "ferry.docx").rename(folder / "crossing.docx")
    changed = run("sync", str(folder), "--json")
    assert said(changed)["renamed"] == [["ferry.docx", "crossing.docx"]]
    assert counts(changed) == {"replaced": 1, "unchanged": 1}
    (folder / "crossing.docx").unlink()
    shown = run("sync", str(folder))
    assert "已删除：ferry.docx\n" in shown.stdout
    assert shown.stdout.endswith("添加 0，替换 0，删除 1，未变 1，失败 0\n")
    assert len(names(library)) == 1
    assert {entry.origin for entry in library.entries("default")} >= {"seeds"}


def test_files_of_one_name_in_two_folders_stay_apart(run: Run, library: FakeLibrary, folder: Path) -> None:
    (folder / "ferry.docx").unlink()
    (folder / "seas").mkdir()
    for number in range(2):
        for place in ("rivers", "seas"):
            (folder / place / "bridge.txt").write_text(f"{BRIDGE}{place}{number}\n", "utf-8")
        run("sync", str(folder))
        held = {
            entry.document.source.name: entry.document.source.text for entry in library.entries("default")
        }
        for place in ("rivers", "seas"):
            assert held[f"{place}/bridge.txt"].endswith(f"{place}{number}\n")
    assert counts(run("sync", str(folder), "--json")) == {"unchanged": 2}


def test_a_name_can_be_chosen_for_what_is_synced(run: Run, library: FakeLibrary, folder: Path) -> None:
    moved = folder.with_name("moved")
    for place in (folder, moved):
        assert run("sync", str(place), "--origin", "法规").exit_code == 0
        assert set(names(library).values()) == {"sync:法规"}
        assert len(names(library)) == 2
        if place == folder:
            folder.rename(moved)
    refused = run("sync", str(moved), "--origin", "a\nb")
    assert (refused.exit_code, "--origin" in refused.stderr) == (1, True)


def test_what_was_uploaded_is_left_alone(run: Run, library: FakeLibrary, folder: Path) -> None:
    run("add", str(folder / "rivers" / "bridge.txt"))
    before = names(library)
    result = run("sync", str(folder), "--json")
    assert said(result)["elsewhere"] == ["rivers/bridge.txt"]
    (folder / "rivers" / "bridge.txt").unlink()
    run("sync", str(folder))
    assert before.items() <= names(library).items()


def test_a_file_that_cannot_be_converted_is_said(run: Run, library: FakeLibrary, folder: Path) -> None:
    run("sync", str(folder))
    (folder / "ferry.docx").write_bytes(b"PK\x03\x04 word/document damaged")
    (folder / "new.txt").write_text("新的一篇，写新的桥。", "utf-8")
    result = run("sync", str(folder), "--json")
    assert result.exit_code == 1
    assert counts(result) == {"added": 1, "unchanged": 1, "failed": 1}
    assert len(names(library)) == 3  # the old text of the damaged file among them


def test_nothing_is_deleted_because_something_could_not_be_read(
    run: Run, library: FakeLibrary, folder: Path
) -> None:
    run("sync", str(folder))
    (folder / "rivers" / "bridge.txt").unlink()
    (folder / "rivers" / "other.txt").symlink_to(folder / "unmounted" / "other.txt")
    result = run("sync", str(folder))
    assert result.exit_code == 1
    assert "文件夹没有读全，所以没有删除：" in result.stderr
    assert len(names(library)) == 2


def test_an_empty_folder_is_not_believed_at_once(run: Run, library: FakeLibrary, folder: Path) -> None:
    run("sync", str(folder))
    for path in (folder / "ferry.docx", folder / "rivers" / "bridge.txt"):
        path.unlink()
    refused = run("sync", str(folder))
    assert (refused.exit_code, len(names(library))) == (1, 2)
    assert "--allow-empty" in refused.stderr
    assert counts(run("sync", str(folder), "--allow-empty", "--json")) == {"removed": 2}
    missing = run("sync", str(folder / "none"))
    assert (missing.exit_code, "不存在" in missing.stderr) == (2, True)


# What goes wrong in the library.


@pytest.mark.parametrize("arguments", [("add", "a.txt"), ("rm", "x"), ("sync", "essays")])
def test_a_library_that_another_process_holds(folder: Path, arguments: tuple[str, ...]) -> None:
    del folder
    Path("a.txt").write_text(BRIDGE, "utf-8")
    busy = UnavailableError("进程 7 正在用文库（http://127.0.0.1:8000）。", code="library_busy")
    result = Stage(failure=busy).run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "进程 7" in result.stderr
    assert "--url" in result.stderr
    assert result.stderr.endswith("（library_busy）\n")


@pytest.mark.parametrize(
    ("failure", "code", "exit_code"),
    [
        (InputError("没有正文。", code="document_without_text"), "document_without_text", 1),
        (IndexFileError("磁盘满了。", code="library_unwritable"), "library_unwritable", 2),
    ],
)
def test_a_job_that_fails(
    run: Run, library: FakeLibrary, folder: Path, failure: Exception, code: str, exit_code: int
) -> None:
    library.fail = failure  # type: ignore[assignment]
    result = run("sync", str(folder))
    assert result.exit_code == exit_code
    assert code in result.stderr
    assert len(names(library)) == (1 if exit_code == 1 else 0)


def test_an_interrupted_command_says_what_it_leaves(folder: Path) -> None:
    class Interrupted(FakeLibrary):
        def add(self, *_: Any, **__: Any) -> Any:
            raise KeyboardInterrupt

    Path("a.txt").write_text(BRIDGE, "utf-8")
    for command in (("sync", str(folder)), ("add", "a.txt")):
        library = Interrupted()
        result = Stage(library=library).run(*command)
        assert (result.exit_code, result.stdout) == (130, "")
        assert result.stderr.startswith("已中断。")
        assert library.closed


class Impatient(FakeLibrary):
    """A library that begins jobs, and whose user interrupts the wait for one.

    Attributes:
        late: Whether the job is done by then.
    """

    def __init__(self, *, late: bool = False) -> None:
        super().__init__()
        self.hold, self.late = True, late

    def wait(self, job_id: str, seconds: float) -> Job:
        del seconds
        if self.late:
            self.finish(job_id)
        raise KeyboardInterrupt


@pytest.mark.parametrize("late", [False, True])
def test_whoever_interrupts_the_wait_cancels_what_is_waited_for(folder: Path, *, late: bool) -> None:
    Path("a.txt").write_text(BRIDGE, "utf-8")
    for command in (("sync", str(folder)), ("add", "a.txt"), ("reindex",)):
        library = Impatient(late=late)
        result = Stage(library=library).run(*command)
        assert (result.exit_code, result.stdout) == (130, "")
        assert ("来不及取消" if late else "已取消") in result.stderr
        states = [job.state for job in library._jobs.values()]
        assert states == ["done" if late else "cancelled"]
        assert len(library.entries("default")) == (3 if late and command[0] != "reindex" else 2)


@pytest.mark.parametrize("command", ["add", "reindex"])
def test_whoever_interrupts_the_wait_for_a_service_cancels_there(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("a.txt").write_text(BRIDGE, "utf-8")
    library = FakeLibrary()
    library.hold = True

    looks: list[str] = []

    def look(client: cewen.Client, job: cewen.Job, *, seconds: float | None = None) -> cewen.Job:
        del seconds
        looks.append(job.job_id)
        if len(looks) > 1:
            raise KeyboardInterrupt
        return client.job(job.job_id)

    monkeypatch.setattr(cewen.Client, "wait_for", look)
    with serving_library(library) as url:
        result = Stage().run(command, *(["a.txt"] if command == "add" else []), "--url", url)
    assert (result.exit_code, result.stdout) == (130, "")
    assert "已取消" in result.stderr
    assert [job.state for job in library._jobs.values()] == ["cancelled"]


def test_a_job_that_somebody_else_cancelled(run: Run, library: FakeLibrary) -> None:
    Path("a.txt").write_text(BRIDGE, "utf-8")
    library.hold = True
    library.wait = lambda job_id, seconds: library.cancel(job_id)  # type: ignore[method-assign]  # noqa: ARG005
    result = run("add", "a.txt")
    assert (result.exit_code, "job_cancelled" in result.stderr) == (1, True)


def test_the_library_is_closed_at_the_end(library: FakeLibrary) -> None:
    assert Stage(library=library).run("rm", TEA).exit_code == 0
    assert library.closed
