"""`cewen keys` over a real file, and `cewen serve` that asks for them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from api.cli.commands import app
from api.cli.keys import _MAX_PER_MINUTE
from api.keys.model import Key
from api.keys.rings import StoredKeyRing
from api.keys.secrets import read_key_text
from api.keys.store import KeyStore
from rag.settings import Settings


@pytest.fixture(autouse=True)
def data_dir(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where the keys of this test lie; nobody's `.env` or environment decides anything."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CEWEN_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["keys", *arguments], prog_name="cewen")


def created(*arguments: str) -> str:
    result = run("create", *arguments)
    assert result.exit_code == 0, result.output
    return result.stdout.removesuffix("\n")


def test_a_new_key_is_alone_on_stdout_and_works(data_dir: Path) -> None:
    result = run("create", "网站")
    assert result.exit_code == 0
    text = read_key_text(result.stdout.removesuffix("\n"))
    assert text
    assert text.secret not in result.stderr
    assert f"密钥 {text.key_id}（网站）已建好，权限 ask。" in result.stderr
    assert f"cewen keys revoke {text.key_id}" in result.stderr
    key = StoredKeyRing(KeyStore(data_dir)).find(str(text))
    assert key
    assert key == Key(text.key_id, frozenset({"ask"}), None)


def test_scopes_and_a_limit(data_dir: Path) -> None:
    token = created("脚本", "--scope", "write", "--scope", "read", "--scope", "read", "--per-minute", "0")
    key = StoredKeyRing(KeyStore(data_dir)).find(token)
    assert key
    assert key == Key(token[3:11], frozenset({"read", "write"}), 0)


def test_the_list_for_programs() -> None:
    assert json.loads(run("list", "--json").stdout) == {"keys": []}
    token = created("网站", "--scope", "ask", "--scope", "read", "--per-minute", "30")
    result = run("list", "--json")
    assert result.stdout.count("\n") == 1
    (row,) = json.loads(result.stdout)["keys"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", row.pop("created_at"))
    assert row == {
        "id": token[3:11],
        "name": "网站",
        "scopes": ["read", "ask"],
        "per_minute": 30,
        "revoked_at": None,
    }


def test_the_list_for_people() -> None:
    empty = run("list")
    assert (empty.exit_code, empty.stdout) == (0, "")
    assert "cewen keys create" in empty.stderr
    token, other = created("网站"), created("[red]脚本", "--per-minute", "0")
    run("revoke", other[3:11])
    heading, *rows = run("list").stdout.rstrip("\n").split("\n")
    assert heading.split() == ["编号", "名称", "权限", "每分钟", "建立", "吊销"]
    shown = {row.split()[0]: row.split()[1:4] + row.split()[5:] for row in rows}
    assert shown[token[3:11]] == ["网站", "ask", "同设置"]
    assert shown[other[3:11]][:3] == ["[red]脚本", "ask", "不限"]
    assert len(shown[other[3:11]]) == 4
    assert token[12:] not in run("list").output


@pytest.mark.parametrize("whole", [True, False])
def test_a_revoked_key_is_one_no_longer(data_dir: Path, whole: bool) -> None:
    token = created("网站")
    result = run("revoke", token if whole else token[3:11])
    assert (result.exit_code, result.stdout) == (0, "")
    assert f"密钥 {token[3:11]}（网站）已于 " in result.stderr
    assert token[12:] not in result.output
    assert StoredKeyRing(KeyStore(data_dir)).find(token) is None
    again = run("revoke", token[3:11])
    assert (again.exit_code, again.stderr) == (0, result.stderr)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["create", "k", "--scope", "root"], "--scope 是 'root'，可用的有 read、ask、write、admin。"),
        (["create", "k", "--per-minute", "-1"], "应在 0 到 100000 之间"),
        (["create", "k", "--per-minute", "100001"], "应在 0 到 100000 之间"),
        (["create", ""], "NAME 是 ''"),
        (["create", " "], "NAME 是 ' '"),
        (["create", "一\n二"], "要有 1 到 100 个可见的字符"),
        (["create", "\udcff"], "要有 1 到 100 个可见的字符"),
        (["create", "名" * 101], "要有 1 到 100 个可见的字符"),
        (["revoke", "abcdefgh"], "没有编号为“abcdefgh”的密钥"),
        (["revoke"], "命令行有误"),
        (["create"], "命令行有误"),
        ([], "命令行有误"),
    ],
)
def test_bad_input_is_exit_1_and_makes_no_file(data_dir: Path, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert said in result.stderr
    assert not data_dir.exists()


@pytest.mark.parametrize("arguments", [["create", "k"], ["list"], ["revoke", "abcdefgh"]])
def test_a_damaged_file_is_exit_2(data_dir: Path, arguments: list[str]) -> None:
    data_dir.mkdir()
    (data_dir / "keys.sqlite3").write_text("no database " * 100, encoding="utf-8")
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "keys.sqlite3 不能用" in result.stderr


def test_the_limit_of_a_key_has_the_range_of_the_setting() -> None:
    limits = {type(limit).__name__: limit for limit in Settings.model_fields["requests_per_minute"].metadata}
    assert (limits["Ge"].ge, limits["Le"].le) == (0, _MAX_PER_MINUTE)


def test_serving_others_without_a_key_is_exit_2() -> None:
    result = CliRunner().invoke(app, ["serve", "--host", "0.0.0.0", "--port", "0"], prog_name="cewen")  # noqa: S104
    assert (result.exit_code, result.stdout) == (2, "")
    assert "监听的地址是 '0.0.0.0'" in result.stderr
    assert "cewen keys create" in result.stderr


def test_a_damaged_file_keeps_the_server_from_starting(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "keys.sqlite3").write_bytes(b"")
    result = CliRunner().invoke(app, ["serve", "--port", "0"], prog_name="cewen")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "keys.sqlite3 不能用" in result.stderr
