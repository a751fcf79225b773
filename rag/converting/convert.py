"""`convert`: a document's bytes to its text. The one entry, for files of a folder and for uploads alike.

Text is decoded here, in this process, and stays as it came. HTML, Word and PDF are parsed by a child process
(`rag.converting.sandbox`). Blocks until the text is there, and each call may cost as much memory as the
limits say: whoever serves many callers must count them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from rag.converting.faults import named, too_large, unreadable
from rag.converting.kinds import kind_of, media_type_of
from rag.converting.limits import DEFAULT_LIMITS, Limits
from rag.converting.sandbox import run_child
from rag.errors import ConfigError, InputError
from rag.reading.decoding import notes_on_lines, read_source, source_from_text
from rag.records import Source


@dataclass(frozen=True, slots=True)
class Converted:
    """The text of a document.

    Attributes:
        text: For text files untouched but for a byte-order mark; else what the converter wrote: lines that
            end with a line feed, no control characters.
        media_type: What the document is.
        encoding: What it was read as: an encoding for text, else "html", "docx" or "pdf".
        original_sha256: Hex SHA-256 of the bytes that came.
        notes: What a reader should know about the conversion, in Chinese; mostly empty.
    """

    text: str
    media_type: str
    encoding: str
    original_sha256: str
    notes: tuple[str, ...] = ()


def convert(
    data: bytes,
    name: str,
    *,
    limits: Limits = DEFAULT_LIMITS,
    given_up: Callable[[], bool] = lambda: False,
) -> Converted:
    """The text of a document.

    The same bytes give the same text with the same versions of the libraries.

    Args:
        data: The file's bytes.
        name: The file's name: decides together with the content what it is, and stands in messages.
        limits: What reading it may cost.
        given_up: Whether nobody wants the text any more; a child process is killed then.

    Raises:
        InputError: `unsupported_document` if it is of no kind that is read, or its name says another kind;
            `unreadable_document` if it is damaged, encrypted, without text or too costly to read.
        TooLargeError: `document_too_large` if it is beyond a limit on size.
        UnavailableError: If the machine cannot start a process now; with code `upload_abandoned` if it was
            given up.
    """
    try:
        if len(data) > limits.file_bytes:
            raise too_large(f"有 {_in_mib(len(data))}，最多 {_in_mib(limits.file_bytes)}。请拆成几个文件。")
        kind = kind_of(data, name)
        if kind != "text":
            text, notes = run_child(kind, data, limits, given_up=given_up)
            if not text.strip():
                raise unreadable("里没有文字。请检查内容是否完整。")
            return Converted(text, media_type_of(kind, name), kind, _sha256(data), notes)
    except InputError as error:
        raise named(name, error) from error
    try:
        source = read_source(name, data)
    except ConfigError as error:
        raise InputError(error.message, code="unreadable_document") from error
    notes = notes_on_lines(source.text)
    return Converted(source.text, media_type_of(kind, name), source.encoding, _sha256(data), notes)


def source_of(name: str, converted: Converted) -> Source:
    """The source to store for a converted document."""
    source = source_from_text(name, converted.text, converted.encoding)
    return replace(source, original_sha256=converted.original_sha256)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _in_mib(count: int) -> str:
    # Rounded up, so that one byte too many does not read as exactly what is allowed.
    return f"{-(-count * 10 // (1024 * 1024)) / 10:g} MB"
