"""Access keys: their text, the file they are kept in, and which of them a server accepts at what time."""

from __future__ import annotations

import hmac
import logging
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.keys.model import SCOPES, Key, KeyRing
from api.keys.rings import JoinedKeyRing, StaticKeyRing, StoredKeyRing
from api.keys.secrets import KeyText, digest, new_key_text, read_key_text
from api.keys.serving import is_loopback, ring_for
from api.keys.store import KeyStore, KeyStoreBusyError
from rag.errors import ConfigError, NotFoundError
from rag.settings import Settings, read_settings

PROJECT = Path(__file__).parent.parent


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a developer's `.env` nor their environment decides anything here."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data")


# What a key allows.


@pytest.mark.parametrize(
    ("granted", "allowed"),
    [("read", {"read"}), ("ask", {"read", "ask"}), ("write", {"read", "write"}), ("admin", set(SCOPES))],
)
def test_scopes_include_each_other(granted: Any, allowed: set[str]) -> None:
    key = Key("k", frozenset({granted}))
    assert {scope for scope in SCOPES if key.allows(scope)} == allowed


# Its text.


def test_the_text_of_a_key() -> None:
    text = new_key_text()
    assert re.fullmatch(r"cw_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", str(text))
    assert read_key_text(str(text)) == text
    assert text.secret not in repr(text)
    assert new_key_text() != text


def test_every_new_key_can_be_read_again() -> None:
    texts = [new_key_text() for _ in range(300)]  # secrets with "_" and "-" among them
    assert [read_key_text(str(text)) for text in texts] == texts
    assert len({text.key_id for text in texts}) == 300


@pytest.mark.parametrize(
    "token", ["", "cw_", "geheim", f"cw_abcdefgh_{'x' * 42}", f"cw_ABCDEFGH_{'x' * 43}", f"cw_a_{'x' * 50}"]
)
def test_what_is_no_key(token: str) -> None:
    assert read_key_text(token) is None


# The file.


def test_created_listed_revoked(store: KeyStore) -> None:
    assert store.all() == []
    first = store.create("网站", ["read", "ask"], 30)
    second = store.create("脚本", ["admin"])
    by_id = {stored.key.key_id: stored for stored in store.all()}
    assert by_id[first.key_id].key == Key(first.key_id, frozenset({"read", "ask"}), 30)
    assert by_id[second.key_id].key == Key(second.key_id, frozenset({"admin"}), None)
    assert (by_id[first.key_id].name, by_id[first.key_id].revoked_at) == ("网站", None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", by_id[first.key_id].created_at)
    assert store.revoke(first.key_id).revoked_at
    assert [stored.key.key_id for stored in store.all() if stored.revoked_at] == [first.key_id]


def test_revoking_again_is_no_error_and_changes_nothing(store: KeyStore) -> None:
    text = store.create("k", ["ask"])
    store.revoke(text.key_id)
    with closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE keys SET revoked_at = '2020-01-01T00:00:00+00:00'")
    assert store.revoke(text.key_id).revoked_at == "2020-01-01T00:00:00+00:00"


@pytest.mark.parametrize("with_file", [True, False])
def test_revoking_what_does_not_exist(store: KeyStore, with_file: bool) -> None:
    if with_file:
        store.create("k", ["ask"])
    with pytest.raises(NotFoundError, match=r"abcdefgh.*cewen keys list") as caught:
        store.revoke("abcdefgh")
    assert caught.value.code == "key_not_found"
    assert store.path.exists() == with_file


def test_the_secret_is_not_at_rest(store: KeyStore) -> None:
    texts = [store.create(f"key {number}", ["ask"]) for number in range(5)]
    store.revoke(texts[0].key_id)
    for file in store.path.parent.iterdir():
        data = file.read_bytes()
        for text in texts:
            assert text.secret.encode() not in data
            assert digest(text.secret) in data  # so the file was looked at
    kept = {stored.key.key_id: stored.secret_sha256 for stored in store.all()}
    assert kept == {text.key_id: digest(text.secret) for text in texts}


def test_only_this_user_may_read_it(store: KeyStore) -> None:
    store.create("k", ["ask"])
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    store.path.chmod(0o644)
    store.create("k", ["ask"])
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600


def test_reading_leaves_no_file_behind(store: KeyStore) -> None:
    store.all()
    store.check()
    assert not store.path.parent.exists()


def test_another_process_sees_it(store: KeyStore) -> None:
    text = store.create("hier", ["ask"])
    script = f"""
from pathlib import Path
from api.keys.store import KeyStore
store = KeyStore(Path({str(store.path.parent)!r}))
print(store.revoke({text.key_id!r}).name, store.create("dort", ["read"]))
"""
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    name, told = run.stdout.split()
    assert name == "hier"
    there = read_key_text(told)
    assert there
    assert [(s.key.key_id, bool(s.revoked_at)) for s in store.all()] in (
        [(text.key_id, True), (there.key_id, False)],
        [(there.key_id, False), (text.key_id, True)],
    )


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    match how:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("no database " * 100, encoding="utf-8")
        case "truncated":
            path.write_bytes(data[: len(data) // 2])
        case "page":
            path.write_bytes(data[:4096] + b"\xff" * 4096 + data[8192:])
        case "other":
            path.unlink()
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("CREATE TABLE other (x)")
        case "scopes":
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("UPDATE keys SET scopes = 'root'")


@pytest.mark.parametrize("how", ["empty", "text", "truncated", "page", "other", "scopes"])
def test_a_damaged_file_is_named(store: KeyStore, how: str) -> None:
    store.create("k", ["ask"])
    damage(store.path, how)
    with pytest.raises(ConfigError, match=r"keys\.sqlite3 不能用：.*备份.*cewen keys create"):
        store.all()
    if how != "scopes":
        with pytest.raises(ConfigError, match=r"keys\.sqlite3 不能用"):
            ring_for(settings(store))


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"keys\.sqlite3 写不进去：.*CEWEN_DATA_DIR"):
        KeyStore(tmp_path / "data").create("k", ["ask"])


def test_a_file_that_cannot_be_opened_is_named(store: KeyStore) -> None:
    store.path.mkdir(parents=True)
    with pytest.raises(ConfigError, match=r"keys\.sqlite3 打不开.*权限"):
        store.all()


@contextmanager
def locked(store: KeyStore) -> Iterator[None]:
    """As while another process commits."""
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        yield


def test_a_file_that_is_written_just_now(store: KeyStore) -> None:
    store.create("k", ["ask"])
    with locked(store), pytest.raises(KeyStoreBusyError, match="稍后再试") as caught:
        store.all(busy_seconds=0.0)
    assert caught.value.code == "unavailable"
    assert len(store.all()) == 1


# The static key.


def test_the_static_key() -> None:
    ring = StaticKeyRing("geheim")
    assert ring.required
    key = ring.find("geheim")
    assert key
    assert {scope for scope in SCOPES if key.allows(scope)} == {"read", "ask", "write"}
    for token in ("", "geheim ", "Geheim", "gehei", "灯\udcff"):
        assert ring.find(token) is None


def test_no_static_key_lets_nobody_in_by_an_empty_token() -> None:
    ring = StaticKeyRing("")
    assert not ring.required
    assert ring.find("") is None


# Stored keys in a server.


def asks(ring: KeyRing) -> bool:
    """Whether a key is needed now; a property that mypy does not take for constant."""
    return ring.required


def test_created_and_revoked_while_the_server_runs(store: KeyStore) -> None:
    clock = Clock()
    ring = StoredKeyRing(store, clock)
    assert asks(ring) is False
    text = store.create("k", ["ask"], 7)
    clock.now += 1.0
    assert ring.required
    assert ring.find(str(text)) == Key(text.key_id, frozenset({"ask"}), 7)
    store.revoke(text.key_id)
    clock.now += 1.0
    assert ring.find(str(text)) is None


def test_the_file_is_not_read_on_every_request(store: KeyStore) -> None:
    clock = Clock()
    ring = StoredKeyRing(store, clock)
    ring.find("")
    text = store.create("k", ["ask"])
    clock.now += 0.9
    assert ring.find(str(text)) is None
    clock.now += 0.1
    assert ring.find(str(text))


def test_revoking_the_last_key_does_not_open_the_door(store: KeyStore) -> None:
    clock = Clock()
    ring = StoredKeyRing(store, clock)
    text = store.create("k", ["ask"])
    assert ring.required
    store.revoke(text.key_id)
    clock.now += 5.0
    assert ring.required
    store.path.unlink()
    clock.now += 5.0
    assert ring.required
    assert ring.find(str(text)) is None
    assert not StoredKeyRing(store, clock).required


def test_a_restored_file_is_seen(store: KeyStore) -> None:
    clock = Clock()
    text = store.create("k", ["ask"])
    backup = store.path.read_bytes()
    store.revoke(text.key_id)
    ring = StoredKeyRing(store, clock)
    assert ring.find(str(text)) is None
    other = store.path.with_name("other")
    other.write_bytes(backup)
    other.replace(store.path)
    clock.now += 1.0
    assert ring.find(str(text))


def test_wrong_keys(store: KeyStore) -> None:
    text, other = store.create("a", ["ask"]), store.create("b", ["ask"])
    ring = StoredKeyRing(store)
    wrong = [
        KeyText(text.key_id, other.secret),
        KeyText("abcdefgh", text.secret),
        KeyText(text.key_id, text.secret[:-1] + ("A" if text.secret[-1] != "A" else "B")),
    ]
    for token in ["", text.key_id, text.secret, *map(str, wrong), f"{text} ", digest(text.secret).hex()]:
        assert ring.find(token) is None


def test_an_unknown_id_is_compared_too(store: KeyStore, monkeypatch: pytest.MonkeyPatch) -> None:
    text = store.create("k", ["ask"])
    ring = StoredKeyRing(store)
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def noted(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    for token in (str(text), str(new_key_text()), "something else"):
        ring.find(token)
    assert [(len(one), len(other)) for one, other in compared] == [(32, 32)] * 3


def test_while_the_file_cannot_be_read(store: KeyStore, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    text = store.create("k", ["ask"])
    ring = StoredKeyRing(store, clock)
    assert ring.find(str(text))
    with locked(store):
        clock.now += 1.9
        assert ring.find(str(text))  # somebody commits; that is over at once
        assert caplog.records == []
        clock.now += 0.1
        assert ring.find(str(text)) is None  # it may have been revoked
        assert ring.find(str(text)) is None
        assert ring.required
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert text.secret not in caplog.text
    assert ring.find(str(text))  # no second is lost


def test_a_file_damaged_while_the_server_runs_shuts_the_door(store: KeyStore) -> None:
    clock = Clock()
    ring = StoredKeyRing(store, clock)
    assert asks(ring) is False
    store.create("k", ["ask"])
    damage(store.path, "text")
    clock.now += 2.0
    assert ring.required


# All of them together.


def test_both_kinds_work_at_the_same_time(store: KeyStore) -> None:
    text = store.create("k", ["read"])
    ring = JoinedKeyRing([StaticKeyRing("geheim"), StoredKeyRing(store)])
    assert ring.required
    for token, key_id in (("geheim", "CEWEN_API_KEY"), (str(text), text.key_id)):
        key = ring.find(token)
        assert key
        assert key.key_id == key_id
    assert ring.find("nein") is None


def settings(store: KeyStore, **others: Any) -> Settings:
    return read_settings(data_dir=store.path.parent, **others)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.7", "cewen.example"])  # noqa: S104
def test_no_key_and_open_to_strangers_does_not_start(store: KeyStore, host: str) -> None:
    with pytest.raises(ConfigError, match=r"cewen keys create.*CEWEN_API_KEY.*CEWEN_OPEN_TO_ALL"):
        ring_for(settings(store, host=host))
    assert not ring_for(settings(store, host=host, open_to_all=True)).required
    assert ring_for(settings(store, host=host, api_key="geheim")).required
    text = store.create("k", ["ask"])
    ring = ring_for(settings(store, host=host))
    assert ring.required
    assert ring.find(str(text))
    store.revoke(text.key_id)
    with pytest.raises(ConfigError, match="一把密钥也没有"):
        ring_for(settings(store, host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.8.9.1"])
def test_on_this_machine_no_key_is_needed(store: KeyStore, host: str) -> None:
    assert not ring_for(settings(store, host=host)).required


def test_open_to_all_does_not_open_what_has_keys(store: KeyStore) -> None:
    store.create("k", ["ask"])
    assert ring_for(settings(store, open_to_all=True)).required


def test_what_is_this_machine() -> None:
    assert is_loopback("127.0.0.1")
    assert is_loopback("::1")
    assert not is_loopback("::ffff:8.8.8.8")
    assert not is_loopback("127.0.0.1.example")
