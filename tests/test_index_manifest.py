from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from index.manifest import FORMAT_VERSION, FileStamp, Manifest
from index.recipe import EncoderStamp
from rag.errors import IndexFileError, IndexMismatchError
from tests.index_samples import corpus_of, recipe_of

# SHA-256 of the three bytes "abc": FIPS 180-4, example B.1.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

MANIFEST = Manifest(FORMAT_VERSION, recipe_of(corpus_of()), (FileStamp.of("sources.json", b"abc"),))


def test_a_stamp_is_length_and_sha256() -> None:
    assert FileStamp.of("sources.json", b"abc") == FileStamp("sources.json", 3, ABC)


def test_a_stamp_says_what_differs() -> None:
    stamp = FileStamp.of("sources.json", b"abc")
    assert stamp.fault(b"abc") is None
    assert stamp.fault(b"ab") == "长度是 2 字节，应为 3 字节"
    assert stamp.fault(b"abd") == "SHA-256 是 a52d159f262b…，应为 ba7816bf8f01…"


def test_json_comes_back_as_the_same_manifest() -> None:
    data = MANIFEST.to_json()
    found = Manifest.from_json(data)
    assert found == MANIFEST
    assert found.to_json() == data
    assert "第1篇.txt" in data.decode()
    assert found.recipe.splitter["keep_notes"] is True


def changed(path: str, value: object) -> bytes:
    """The manifest's JSON with one field replaced, otherwise exactly as `to_json` writes it."""
    fields = json.loads(MANIFEST.to_json())
    *parents, last = path.split(".")
    at = fields
    for name in parents:
        at = at[int(name)] if isinstance(at, list) else at[name]
    if value is None:
        del at[last]
    else:
        at[last] = value
    return (json.dumps(fields, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("recipe.encoder.dim", "4", "recipe.encoder.dim 不合格式"),
        ("recipe.encoder.dim", 4.0, "recipe.encoder.dim 不合格式"),
        ("recipe.encoder.dim", True, "recipe.encoder.dim 不合格式"),
        ("recipe.encoder", None, "recipe.encoder 不合格式"),
        ("recipe.sources.0.sha256", 7, "recipe.sources.0.sha256 不合格式"),
        ("files.0.length_bytes", "3", "files.0.length_bytes 不合格式"),
        ("format_version", "1", "format_version 不合格式"),
        ("format_version", None, "format_version 不合格式"),
        ("files.0.mode", 1, "有多余的字段"),
        ("built_at", "2025-01-01", "有多余的字段"),
    ],
)
def test_reading_is_strict(path: str, value: object, message: str) -> None:
    with pytest.raises(IndexFileError, match=message) as caught:
        Manifest.from_json(changed(path, value))
    assert caught.value.code == "index_damaged"


@pytest.mark.parametrize("data", [b"", b"\xff", b"{", b"[" * 100_000, MANIFEST.to_json()[:-1].rstrip(b"}")])
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(IndexFileError, match=r"不是 JSON：.*cewen index --rebuild"):
        Manifest.from_json(data)


@pytest.mark.parametrize("data", [b"[]", b"null", b"3", b'"x"'])
def test_json_of_another_kind_is_refused(data: bytes) -> None:
    with pytest.raises(IndexFileError, match="不合格式"):
        Manifest.from_json(data)


def test_other_white_space_is_refused() -> None:
    with pytest.raises(IndexFileError, match="被改写过"):
        Manifest.from_json(MANIFEST.to_json() + b"\n")


@pytest.mark.parametrize("fields", [b'{"format_version": 2}', changed("format_version", 2)])
def test_another_format_is_a_mismatch_whatever_else_it_holds(fields: bytes) -> None:
    with pytest.raises(IndexMismatchError, match=r"格式版本是 2，本程序读写的是 1。.*--rebuild") as caught:
        Manifest.from_json(fields)
    assert caught.value.code == "index_mismatch"


def test_the_fingerprint_names_content_not_builder_nor_bytes() -> None:
    assert len(MANIFEST.fingerprint) == 12
    same = replace(MANIFEST, recipe=replace(MANIFEST.recipe, created_by="cewen 2"), files=())
    assert same.fingerprint == MANIFEST.fingerprint
    changes: tuple[dict[str, Any], ...] = (
        {"encoder": EncoderStamp("四维", "r2", 4)},
        {"terms_version": 2},
        {"splitter": {}},
        {"sources": MANIFEST.recipe.sources[::-1]},
        {"rows": replace(MANIFEST.recipe.rows, chunks=5)},
    )
    for change in changes:
        other = replace(MANIFEST, recipe=replace(MANIFEST.recipe, **change))
        assert other.fingerprint != MANIFEST.fingerprint, change
    assert replace(MANIFEST, format_version=2).fingerprint != MANIFEST.fingerprint
