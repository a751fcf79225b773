"""The manifest of a built index: what it was made of and the length and SHA-256 of every file in it.

It holds no time and no place, so building the same thing twice writes the same manifest. Reading is
strict: a manifest is exactly what `to_json` writes, to the byte. Opening the files is not its business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

from index.files import Digest
from index.layout import MANIFEST_NAME
from index.recipe import DocumentStamp, Recipe
from rag.errors import IndexFileError, IndexMismatchError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

FORMAT_VERSION = 2
"""Changes when an index written before can no longer be read, or would be read wrongly."""

NEXT_STEP = "请运行 `cewen index --rebuild` 重新建立索引。"


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file that belongs to the index: name within its folder, length and hex SHA-256."""

    name: str
    length_bytes: int
    sha256: str

    @classmethod
    def of(cls, name: str, content: Digest) -> FileStamp:
        """The stamp of this content."""
        return cls(name, content.length_bytes, content.sha256)

    def fault(self, found: Digest) -> str | None:
        """How what was found differs from what was stamped, in Chinese; None if it does not."""
        if found.length_bytes != self.length_bytes:
            return f"长度是 {found.length_bytes} 字节，应为 {self.length_bytes} 字节"
        if found.sha256 != self.sha256:
            return f"SHA-256 是 {found.sha256[:12]}…，应为 {self.sha256[:12]}…"
        return None


@dataclass(frozen=True, slots=True)
class Manifest:
    """One built index.

    Attributes:
        format_version: `FORMAT_VERSION` of the code that wrote it.
        recipe: What it was made of.
        files: Every file but the manifest itself, by name.
    """

    format_version: int
    recipe: Recipe
    files: tuple[FileStamp, ...]

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that name the index's content.

        Taken over the format version and the recipe without `created_by`. The files' checksums are
        left out: built anew from the same recipe, vectors may differ in their last bit with the
        processor or the number of threads, and the same question must then still get the same answer.
        """
        fields = asdict(self)
        del fields["files"], fields["recipe"]["created_by"]
        return hashlib.sha256(_canonical(fields).encode()).hexdigest()[:12]

    def differences(self, expected: Recipe) -> list[str]:
        """Why this index does not serve `expected`, in Chinese; empty if it does."""
        return self.recipe.differences(expected)

    def to_json(self) -> bytes:
        """UTF-8 JSON with sorted keys; equal manifests give equal bytes."""
        bare = replace(self, recipe=replace(self.recipe, documents=()))
        before, _, after = _canonical(asdict(bare)).partition(_NO_DOCUMENTS)
        return f"{before}{_documents_text(self.recipe.documents)}{after}\n".encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Read what `to_json` wrote.

        Raises:
            IndexMismatchError: If it has another format version.
            IndexFileError: If it is anything else than a manifest.
        """
        from pydantic import ValidationError

        try:
            version = format_of(data)
            if version is not None and version != FORMAT_VERSION:
                raise IndexMismatchError(
                    f"索引清单 {MANIFEST_NAME} 的格式版本是 {version}，"
                    f"本程序读写的是 {FORMAT_VERSION}。{NEXT_STEP}"
                )
            manifest = _adapter().validate_json(data, strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"]))
            raise IndexFileError(
                f"索引清单 {MANIFEST_NAME} 的 {place} 不合格式：{first['msg']}。{NEXT_STEP}"
            ) from error
        except (ValueError, RecursionError) as error:
            raise IndexFileError(f"索引清单 {MANIFEST_NAME} 不是 JSON：{error}。{NEXT_STEP}") from error
        if manifest.to_json() != data:
            raise IndexFileError(f"索引清单 {MANIFEST_NAME} 有多余的字段或被改写过。{NEXT_STEP}")
        return manifest


@cache
def _adapter() -> TypeAdapter[Manifest]:
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest)


def format_of(data: bytes) -> int | None:
    """The format version that a manifest states, whatever else it holds; None if it states none.

    Raises:
        ValueError: If it is not JSON.
        RecursionError: If it is nested too deep.
    """
    loaded = json.loads(data)
    version = loaded.get("format_version") if isinstance(loaded, dict) else None
    return version if type(version) is int else None


_NO_DOCUMENTS = '\n  "documents": []'


def _documents_text(documents: Sequence[DocumentStamp]) -> str:
    """The documents just as `_canonical` writes them, where `_NO_DOCUMENTS` stands; much quicker for many."""
    if not documents:
        return _NO_DOCUMENTS
    stamps = (
        f'   {{\n    "chunks": {one.chunks},\n    "document_id": {_quoted(one.document_id)},\n'
        f'    "sentences": {one.sentences},\n    "sha256": {_quoted(one.sha256)}\n   }}'
        for one in documents
    )
    return '\n  "documents": [\n' + ",\n".join(stamps) + "\n  ]"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _canonical(fields: dict[str, Any]) -> str:
    return json.dumps(fields, ensure_ascii=False, sort_keys=True, indent=1, allow_nan=False)
