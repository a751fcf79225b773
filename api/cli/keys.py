"""`cewen keys`: create, list and revoke access keys, in the file that `cewen serve` reads.

A key is shown once, alone on stdout, so that it can be piped into a secret store; nothing here or in the
file can show it again. What it means to have one is `docs/security.md`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from api.cli.console import stderr_console, stdout_console, write_json
from api.cli.options import OneLine
from rag.errors import InputError

if TYPE_CHECKING:
    from api.keys.model import KeyScope
    from api.keys.store import KeyStore, StoredKey

app = typer.Typer(help="建立、查看、吊销访问密钥。", add_completion=False)

_MAX_NAME_CHARS = 100
_MAX_PER_MINUTE = 100_000  # as the setting has it; a test compares


@app.command("create", help="建一把密钥；只显示这一次，标准输出上只有密钥。")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help=f"叫什么，最多 {_MAX_NAME_CHARS} 个字符")],
    scope: Annotated[
        list[str] | None,
        typer.Option("--scope", metavar="SCOPE", help="能做什么：read、ask、write、admin，可重复；默认 ask"),
    ] = None,
    per_minute: Annotated[
        int | None,
        typer.Option("--per-minute", metavar="N", help="每分钟最多多少个请求，0 不限；默认同设置"),
    ] = None,
) -> None:
    """Create a key and print it."""
    scopes = _checked_scopes(scope or ["ask"])
    if not name.isprintable() or not name.strip() or len(name) > _MAX_NAME_CHARS:
        raise InputError(
            f"NAME 是 {name[:_MAX_NAME_CHARS]!r}，要有 1 到 {_MAX_NAME_CHARS} 个可见的字符。请换一个名称。"
        )
    if per_minute is not None and not 0 <= per_minute <= _MAX_PER_MINUTE:
        raise InputError(f"--per-minute 是 {per_minute}，应在 0 到 {_MAX_PER_MINUTE} 之间。")
    text = _store().create(name.strip(), scopes, per_minute)
    stdout_console().print(Text(str(text)))
    stderr_console().print(
        f"密钥 {text.key_id}（{name.strip()}）已建好，权限 {'、'.join(scopes)}。"
        "只显示这一次，请现在就保存；文件里只有它的摘要。\n"
        "正在运行的服务两秒内就认得它，从此调用都要带密钥。"
        f"不再需要时：cewen keys revoke {text.key_id}"
    )


@app.command("list", help="列出密钥，吊销了的也在内；不显示密钥本身。")
def list_keys(as_json: OneLine = False) -> None:
    """List the keys, oldest first."""
    stored = _store().all()
    if as_json:
        write_json(json.dumps({"keys": [_fields(each) for each in stored]}, ensure_ascii=False))
    elif stored:
        stdout_console().print(_table(stored))
    else:
        stderr_console().print("还没有密钥。请用 cewen keys create 建一把。")


@app.command("revoke", help="吊销一把密钥；正在运行的服务两秒内不再认它，不能恢复。")
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="密钥的编号，见 cewen keys list")],
) -> None:
    """Revoke a key."""
    from api.keys.secrets import read_key_text

    whole = read_key_text(key_id)  # pasted whole, what is meant is clear, and it must not be repeated
    stored = _store().revoke(whole.key_id if whole else key_id)
    stderr_console().print(f"密钥 {stored.key.key_id}（{stored.name}）已于 {stored.revoked_at} 吊销。")


def _store() -> KeyStore:
    from api.cli.parts import settings_for
    from api.keys.store import KeyStore

    return KeyStore(settings_for(None, None).data_dir)


def _checked_scopes(named: Sequence[str]) -> list[KeyScope]:
    """The scopes named, each once, from the narrowest."""
    from api.keys.model import SCOPES

    for scope in named:
        if scope not in SCOPES:
            raise InputError(f"--scope 是 {scope[:40]!r}，可用的有 {'、'.join(SCOPES)}。请改正后再试。")
    return [scope for scope in SCOPES if scope in named]


def _fields(stored: StoredKey) -> dict[str, Any]:
    return {
        "id": stored.key.key_id,
        "name": stored.name,
        "scopes": _checked_scopes(sorted(stored.key.scopes)),
        "per_minute": stored.key.per_minute,
        "created_at": stored.created_at,
        "revoked_at": stored.revoked_at,
    }


def _table(keys: Sequence[StoredKey]) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in ("编号", "名称", "权限", "每分钟", "建立", "吊销"):
        table.add_column(heading, overflow="fold")
    for stored in keys:
        per_minute = "同设置" if stored.key.per_minute is None else str(stored.key.per_minute or "不限")
        table.add_row(
            Text(stored.key.key_id, style="cyan"),
            Text(stored.name),
            Text("、".join(_checked_scopes(sorted(stored.key.scopes)))),
            Text(per_minute),
            Text(stored.created_at),
            Text(stored.revoked_at or "", style="red"),
        )
    return table
