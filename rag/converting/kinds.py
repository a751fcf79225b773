"""Which kind of document some bytes are: content first, the file's name second, and both must agree.

Only looks: a few bytes at the start and plain searches, which cost nothing whatever the bytes are. Whether a
document of that kind can be read is for the converters to say.
"""

from __future__ import annotations

import codecs
import re
from pathlib import PurePosixPath
from typing import Literal

from rag.converting.faults import unreadable, unsupported
from rag.errors import InputError

Kind = Literal["text", "html", "docx", "pdf"]

KIND_OF_SUFFIX: dict[str, Kind] = {
    ".txt": "text",
    ".md": "text",
    ".html": "html",
    ".htm": "html",
    ".docx": "docx",
    ".pdf": "pdf",
}
ALLOWED = "、".join(KIND_OF_SUFFIX)

_WORDS = {"text": "纯文本", "html": "网页", "docx": "Word 文档", "pdf": "PDF"}
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Atomic and possessive: comments that can be paired in many ways must not be tried in all of them.
_HTML_START = re.compile(
    rb"(?>\s++|<!--.*?-->|<\?.*?>)*+<(?:!doctype\s+html|html)\b", re.IGNORECASE | re.DOTALL
)
_PDF_JUNK_BYTES = 1024
"""How far into the file readers of PDF look for its first line."""
_SNIFFED_BYTES = 4096


def kind_of(data: bytes, name: str) -> Kind:
    """The kind of a document.

    Args:
        data: The file's bytes.
        name: The file's name; without a suffix the content decides alone.

    Raises:
        InputError: `unsupported_document` for another kind, or where content and name disagree;
            `unreadable_document` for an empty file or a Word document with a password.
    """
    if not data:
        raise unreadable("是空的。请检查导出或上传的过程。")
    suffix = PurePosixPath(name.replace("\\", "/")).suffix.lower()
    told = KIND_OF_SUFFIX.get(suffix)
    if suffix and told is None:
        raise unsupported(f"是 {suffix[:20]!r} 类型，目前只认 {ALLOWED}。请转成其中一种。")
    seen = _kind_by_content(data, told)
    if told is None or told == seen:
        return seen
    # Markup is text as well: what a page's source or a note about one is meant as, its name says.
    if {told, seen} == {"text", "html"}:
        return told
    raise unsupported(f"的扩展名是 {suffix}，内容却是{_WORDS[seen]}。请改正扩展名，或换成正确的文件。")


def media_type_of(kind: Kind, name: str) -> str:
    """The media type of a document of this kind and name."""
    if kind == "text":
        return "text/markdown" if name.lower().endswith(".md") else "text/plain"
    return {"html": "text/html", "docx": _DOCX, "pdf": "application/pdf"}[kind]


def _kind_by_content(data: bytes, told: Kind | None) -> Kind:
    if data.startswith(b"%PDF-") or (told == "pdf" and b"%PDF-" in data[:_PDF_JUNK_BYTES]):
        return "pdf"
    if data.startswith(_ZIP_STARTS):
        if b"word/document" in data:
            return "docx"
        raise unsupported(f"是压缩包或其他办公文档（如 Excel、PPT），不是 Word 文档。目前只认 {ALLOWED}。")
    if data.startswith(_OLD_OFFICE):
        raise _old_office(data)
    if data.startswith(b"{\\rtf"):
        raise unsupported("是 RTF 文档。请另存为 .docx 或 .txt。")
    if b"\0" in data and not data.startswith(_WIDE_MARKS):
        raise unsupported(f"是二进制文件，不是能读的文档。目前只认 {ALLOWED}。")
    return "html" if _HTML_START.match(data[:_SNIFFED_BYTES].removeprefix(codecs.BOM_UTF8)) else "text"


def _old_office(data: bytes) -> InputError:
    # Word puts an encrypted .docx into a container of the old format.
    if _ENCRYPTED_PACKAGE in data:
        return unreadable("加了密码，读不了。请去掉密码后再试。")
    return unsupported("是旧版 Office 格式（如 .doc）。请另存为 .docx。")
