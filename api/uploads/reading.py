"""The body of an upload, of either kind, to a text with its metadata: what the library is given.

Everything here blocks and takes memory in proportion to the body, so it runs in a thread, one at a time
(`gate.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pydantic import ValidationError
from starlette.datastructures import Headers

from api.errors.validation import describe_problems
from api.library_records import SYNCED, UNNAMED_TEXT, Upload
from api.uploads.form import Form, parse_form
from api.wire.document_schemas import MAX_ORIGIN_CHARS, DocumentIn
from api.wire.strict_json import check_encoding, check_media_type, check_pieces, parse_json
from rag.converting.convert import convert, source_of
from rag.converting.limits import DEFAULT_LIMITS
from rag.errors import InputError, TooLargeError
from rag.inputs import CONTROL, excerpt, is_blank
from rag.labels import label_of, place_label
from rag.metadata import check_metadata
from rag.reading.decoding import notes_on_lines, source_from_text
from rag.records import DEFAULT_COLLECTION, Source

MAX_FILE_BYTES = DEFAULT_LIMITS.file_bytes

_FORM_TYPE = "multipart/form-data"
_ACCEPTED = f"application/json（UTF-8）或 {_FORM_TYPE}"
_SYNCED_AT_START = "seeds"
_BYTE_ORDER_MARK = "\ufeff"
_MARK_DROPPED = "text 开头的字节顺序标记（U+FEFF）没有存，偏移从它后面的字符数起。"
# A JSON upload is one long string and little else; millions of tiny values would cost many times their size.
_MAX_PIECES = 10_000


@dataclass(frozen=True, slots=True)
class Draft:
    """An upload that has been taken apart and not yet been converted.

    Attributes:
        collection: Where it goes.
        name: A label.
        content: A file's bytes, or a text that is stored as it came.
        metadata: As given, not yet checked.
        origin: As given; None if it was not.
    """

    collection: str
    name: str
    content: bytes | str
    metadata: dict[str, Any]
    origin: str | None


def read_draft(parts: list[bytes], headers: Headers) -> Draft:
    """Take a body apart.

    Args:
        parts: The body in order; the list is emptied, so that the memory can be given back on the way.
        headers: Of the request.

    Raises:
        InputError: `unsupported_media_type`, `unsupported_content_encoding`, `malformed_multipart`,
            `malformed_json` and the like, or `invalid_request`.
        TooLargeError: `too_large` for the fields of a form.
    """
    body = parts.pop() if len(parts) == 1 else b"".join(parts)
    parts.clear()
    content_type = headers.get("content-type", "")
    if content_type.split(";")[0].strip().lower() == _FORM_TYPE:
        check_encoding(headers)
        return _form_draft(parse_form(body, content_type))
    check_media_type(headers, accepted=_ACCEPTED)
    check_pieces(body, _MAX_PIECES)
    return _json_draft(parse_json(body))


def convert_draft(draft: Draft, given_up: Callable[[], bool] = lambda: False) -> Upload:
    """Make a text of a draft.

    Args:
        draft: It.
        given_up: Whether nobody wants the text any more.

    Raises:
        InputError: `unsupported_document`, `unreadable_document`, `document_without_text`, `invalid_text`,
            `invalid_metadata`, or `invalid_request` for the origin.
        TooLargeError: `document_too_large`.
        UnavailableError: If the machine cannot start a process now; with code `upload_abandoned` if it was
            given up.
    """
    metadata = check_metadata(**draft.metadata)
    origin = _checked_origin(draft.origin)
    notes: tuple[str, ...] = ()
    if isinstance(draft.content, str):
        source = _text_source(draft.name, draft.content)
        marked = (_MARK_DROPPED,) if draft.content.startswith(_BYTE_ORDER_MARK) else ()
        notes = (*marked, *notes_on_lines(source.text))
    else:
        converted = convert(draft.content, draft.name, given_up=given_up)
        source, notes = source_of(draft.name, converted), converted.notes
    if not source.text.strip() or is_blank(source.text):
        raise InputError(
            f"文件 {excerpt(draft.name)} 里没有可读的文字。请检查内容是否完整。", code="document_without_text"
        )
    return Upload(replace(source, metadata=metadata), origin, notes)


def _form_draft(form: Form) -> Draft:
    # A form sends what was left empty as well.
    given = {name: [text for text in texts if text.strip()] for name, texts in form.fields.items()}
    single = {name: texts[0] for name, texts in given.items() if texts}
    metadata: dict[str, Any] = {name: single.get(name) for name in ("title", "date", "source_url")}
    metadata |= {name: tuple(given.get(name, ())) for name in ("authors", "tags")}
    collection = single.get("collection", DEFAULT_COLLECTION)
    origin = single.get("origin")
    return Draft(collection, _label(form.file_name, origin), form.data, metadata, origin)


def _json_draft(value: Any) -> Draft:
    try:
        body = DocumentIn.model_validate(value)
    except ValidationError as error:
        problems = [
            {**problem, "loc": ("body", *problem["loc"])} for problem in error.errors(include_url=False)
        ]
        raise InputError(describe_problems(problems), code="invalid_request") from error
    given = body.metadata
    metadata = {
        "title": given.title,
        "authors": tuple(given.authors),
        "date": given.date,
        "source_url": given.source_url,
        "tags": tuple(given.tags),
    }
    name = UNNAMED_TEXT if body.name is None else _label(body.name, body.origin)
    return Draft(body.collection, name, body.text, metadata, body.origin)


def _label(name: str, origin: str | None) -> str:
    """A file's name; of one of a folder that is synced, where it is in the folder."""
    return place_label(name) if (origin or "").startswith(SYNCED) else label_of(name)


def _text_source(name: str, text: str) -> Source:
    if (place := text.find("\0")) >= 0:
        raise InputError(
            f"text 的第 {place + 1} 个字符是 NUL（U+0000），不是文字。请删去后再发。", code="invalid_text"
        )
    source = source_from_text(name, text.removeprefix(_BYTE_ORDER_MARK))
    size = len(source.text.encode("utf-8"))
    if size > MAX_FILE_BYTES:
        raise TooLargeError(
            f"text 有 {size} 字节（UTF-8），最多 {MAX_FILE_BYTES} 字节。请拆成几份。",
            code="document_too_large",
        )
    return source


def _checked_origin(origin: str | None) -> str:
    if origin is None:
        return "upload"
    if origin == _SYNCED_AT_START or len(origin) > MAX_ORIGIN_CHARS or CONTROL.search(origin):
        raise InputError(
            f"origin 是{excerpt(origin)}：最多 {MAX_ORIGIN_CHARS} 个字符，没有控制字符，也不能是 seeds，"
            "那是启动时同步的语料文件夹。请换一个，或不写。",
            code="invalid_request",
        )
    return origin
