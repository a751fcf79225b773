"""`cewen collections`, `reindex`, `backup`, `restore`, `check`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.commands import app
from api.cli.parts import Parts
from index.store import Finding
from rag.errors import IndexFileError, UnavailableError
from rag.settings import Settings
from tests.api_fakes import FakeLibrary
from tests.test_cli import Stage
from tests.test_cli_documents import Run, _away_from_home, library, run, said

__all__ = ["_away_from_home", "library", "run"]


def test_collections_come_and_go(run: Run, library: FakeLibrary) -> None:
    made = said(run("collections", "create", "bridges", "--json"))
    assert (made["name"], made["documents"]) == ("bridges", 0)
    assert run("ask", "清晨熄灯", "--collection", "bridges").stdout.startswith("不作答")
    listed = said(run("collections", "list", "--json"))["collections"]
    assert [one["name"] for one in listed] == ["default", "bridges"]
    rows = run("collections", "list").stdout.splitlines()
    assert [row.split()[0] for row in rows] == ["名称", "default", "bridges"]
    assert run("collections", "remove", "bridges").stdout == "已删除文库 bridges，其中有 0 篇文档。\n"
    assert [info.name for info in library.collections()] == ["default"]
    for arguments, code in (
        (("create", "大写"), "invalid_collection_name"),
        (("create", "default"), "collection_exists"),
        (("remove", "bridges"), "collection_not_found"),
    ):
        refused = run("collections", *arguments)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert code in refused.stderr


def test_reindexing_waits_for_its_end(run: Run, library: FakeLibrary) -> None:
    assert said(run("reindex", "--encoder", "other", "--json"))["state"] == "done"
    assert run("reindex").stdout.startswith("文库 default 的向量都已是这个模型的")
    library.fail = IndexFileError("磁盘满了。", code="library_unwritable")
    failed = run("reindex")
    assert (failed.exit_code, failed.stdout) == (2, "")
    assert "library_unwritable" in failed.stderr


def test_filters_and_collection_reach_what_answers(run: Run) -> None:
    assert run("ask", "清晨熄灯", "--author", "何采薇").stdout.startswith("不作答")
    assert run("ask", "清晨熄灯", "--author", "周望潮").stdout.startswith("守塔人")
    hits = said(run("search", "灯塔 茶", "--author", "何采薇", "--json"))["hits"]
    assert {hit["title"] for hit in hits} == {"茶山笔记<初稿>"}
    for wrong in (("--date-from", "昨天"), ("--collection", "nowhere")):
        assert run("ask", "清晨熄灯", *wrong).exit_code == 1


# The store on this machine.


def over(**parts: object) -> Parts:
    return replace(Stage().parts(), **parts)  # type: ignore[arg-type]


def typed(parts: Parts, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, obj=parts)


def test_backup_and_restore_name_the_file() -> None:
    asked: list[tuple[Settings, Path]] = []
    parts = over(
        backup=lambda settings, path: asked.append((settings, path)),
        restore=lambda settings, path: asked.append((settings, path)),
    )
    assert "a.sqlite3" in typed(parts, "backup", "a.sqlite3").stdout
    assert ".before-restore" in typed(parts, "restore", "a.sqlite3").stdout
    assert [path for _, path in asked] == [Path("a.sqlite3")] * 2


def test_what_cannot_be_restored_is_exit_2() -> None:
    def busy(*_: object) -> None:
        raise UnavailableError("进程 7 正在用文库。", code="library_busy")

    result = typed(over(restore=busy), "restore", "a.sqlite3")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "library_busy" in result.stderr


FINDING = Finding("library.sqlite3，文库 default，文档 a-1", "校验和不符\x1b[2J", "用备份恢复")


@pytest.mark.parametrize("found", [(), (FINDING,)])
def test_a_check_tells_everything_it_finds(found: tuple[Finding, ...]) -> None:
    depths: list[bool] = []

    def check(_: Settings, deep: bool) -> Iterator[Finding]:
        depths.append(deep)
        yield from found

    parts = over(check=check)
    result = typed(parts, "check")
    assert result.exit_code == (2 if found else 0)
    if found:
        for told in (FINDING.place, "校验和不符", f"下一步：{FINDING.next_step}"):
            assert told in result.stdout
        assert "\x1b" not in result.stdout
    else:
        assert result.stdout == "核对完毕，没有发现问题。\n"
    as_json = typed(parts, "check", "--json", "--quick")
    assert len(json.loads(as_json.stdout)["findings"]) == len(found)
    assert depths == [True, False]
