from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.files import Digest
from index.manifest import FORMAT_VERSION, FileStamp, Manifest, format_of
from index.recipe import DocumentStamp, EncoderStamp
from rag.errors import IndexFileError, IndexMismatchError
from tests.index_samples import documents_of, recipe_of

# SHA-256 of the three bytes "abc": FIPS 180-4, example B.1.
ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

STAMP = FileStamp.of("chunk_terms.json", Digest.of(b"abc"))
MANIFEST = Manifest(FORMAT_VERSION, recipe_of(documents_of()), (STAMP,))


def test_a_stamp_is_length_and_sha256() -> None:
    assert FileStamp("chunk_terms.json", 3, ABC) == STAMP


def test_a_stamp_says_what_differs() -> None:
    assert STAMP.fault(Digest.of(b"abc")) is None
    assert STAMP.fault(Digest.of(b"ab")) == "长度是 2 字节，应为 3 字节"
    assert STAMP.fault(Digest.of(b"abd")) == "SHA-256 是 a52d159f262b…，应为 ba7816bf8f01…"


def test_json_comes_back_as_the_same_manifest() -> None:
    data = MANIFEST.to_json()
    found = Manifest.from_json(data)
    assert found == MANIFEST
    assert found.to_json() == data
    assert "四维" in data.decode()
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
        ("recipe.documents.0.sha256", 7, "recipe.documents.0.sha256 不合格式"),
        ("recipe.documents.1.chunks", "2", "recipe.documents.1.chunks 不合格式"),
        ("recipe.documents.1.sentences", None, "recipe.documents.1.sentences 不合格式"),
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


@pytest.mark.parametrize("fields", [b'{"format_version": 1}', changed("format_version", 1)])
def test_another_format_is_a_mismatch_whatever_else_it_holds(fields: bytes) -> None:
    with pytest.raises(IndexMismatchError, match=r"格式版本是 1，本程序读写的是 2。.*--rebuild") as caught:
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
        {"documents": MANIFEST.recipe.documents[::-1]},
        {"documents": (replace(MANIFEST.recipe.documents[0], chunks=5),)},
    )
    for change in changes:
        other = replace(MANIFEST, recipe=replace(MANIFEST.recipe, **change))
        assert other.fingerprint != MANIFEST.fingerprint, change
    assert replace(MANIFEST, format_version=3).fingerprint != MANIFEST.fingerprint


def test_the_format_is_told_without_understanding_the_rest() -> None:
    assert format_of(MANIFEST.to_json()) == FORMAT_VERSION
    assert format_of(b'{"format_version": 1, "sources": []}') == 1
    assert [format_of(data) for data in (b"{}", b"[2]", b'{"format_version": "2"}')] == [None, None, None]
    with pytest.raises(ValueError, match="Expecting value"):
        format_of(b"?")


@given(
    st.lists(st.tuples(st.text(), st.integers(), st.integers(), st.text()), max_size=4),
    st.text(),
)
def test_what_is_written_is_json_with_sorted_keys(
    documents: list[tuple[str, int, int, str]], name: str
) -> None:
    recipe = replace(
        MANIFEST.recipe,
        created_by=name + '\n  "documents": []',
        documents=tuple(DocumentStamp(*fields) for fields in documents),
    )
    manifest = replace(MANIFEST, recipe=recipe)
    plain = json.dumps(asdict(manifest), ensure_ascii=False, sort_keys=True, indent=1) + "\n"
    assert manifest.to_json() == plain.encode()
