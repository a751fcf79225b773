"""`multipart/form-data` to one file and some fields, strictly: what is odd is refused, not guessed at.

Limits stand here because a form has none of its own: one file, `MAX_FIELDS` fields, `MAX_FIELDS_BYTES` for
the texts of all of them. The size of the body was checked before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from io import BytesIO
from typing import NoReturn

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from rag.errors import InputError, TooLargeError
from rag.inputs import excerpt
from rag.metadata import MAX_AUTHORS, MAX_TAGS

FILE_FIELD = "file"
SINGLE_FIELDS = ("collection", "title", "date", "source_url", "origin")
REPEATABLE_FIELDS = ("authors", "tags")
MAX_FIELDS = 1 + len(SINGLE_FIELDS) + MAX_AUTHORS + MAX_TAGS
"""The file, and all that can be said of it."""
MAX_FIELDS_BYTES = 65_536
MAX_BOUNDARY_CHARS = 70
"""As RFC 2046 has it."""

_SLICE_BYTES = 65_536
_PLAIN_ENCODINGS = frozenset({"", "7bit", "8bit", "binary"})


@dataclass(slots=True)
class Form:
    """A form that was sent.

    Attributes:
        file_name: As the caller wrote it.
        data: The file's bytes.
        fields: The texts of each field, in order; a field without text is left out.
    """

    file_name: str = ""
    data: bytes = b""
    fields: dict[str, list[str]] = field(default_factory=dict)


def parse_form(body: bytes, content_type: str) -> Form:
    """Read a form with one file.

    Args:
        body: The whole body.
        content_type: Its Content-Type, with the boundary.

    Raises:
        InputError: `malformed_multipart`; `invalid_request` for a file that is missing, fields that are
            unknown, given twice or too many.
        TooLargeError: `too_large` if the texts of the fields are too long.
    """
    reader = _Reader()
    try:
        parser = MultipartParser(_boundary(content_type), reader.callbacks())  # type: ignore[arg-type]
        for start in range(0, len(body), _SLICE_BYTES):
            parser.write(body[start : start + _SLICE_BYTES])
        parser.finalize()
    except FormParserError as error:
        raise _malformed("边界或各部分的头写得不对") from error
    if not reader.ended:
        raise _malformed("没有结束的边界，像是只发了一部分")
    return reader.form()


def _boundary(content_type: str) -> bytes:
    # Header values arrive decoded as Latin-1, as ASGI servers have them.
    boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
    if not boundary:
        raise _malformed("Content-Type 里没有 boundary。请让发送的程序自己写这个请求头")
    if len(boundary) > MAX_BOUNDARY_CHARS:
        raise _malformed(f"boundary 有 {len(boundary)} 个字符，最多 {MAX_BOUNDARY_CHARS} 个")
    return boundary


class _Reader:
    """Receives what the parser finds, part by part."""

    def __init__(self) -> None:
        self.ended = False
        self._file = BytesIO()
        self._file_name: str | None = None
        self._fields: dict[str, list[str]] = {}
        self._parts = 0
        self._text_bytes = 0
        self._header_name = bytearray()
        self._header_value = bytearray()
        self._headers: dict[str, bytes] = {}
        self._text: bytearray | None = None
        self._name = ""

    def callbacks(self) -> dict[str, object]:
        """For the parser."""
        return {
            "on_part_begin": self._begin_part,
            "on_header_field": self._on_header_name,
            "on_header_value": self._on_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._on_data,
            "on_part_end": self._end_part,
            "on_end": self._end,
        }

    def form(self) -> Form:
        """What was found.

        Raises:
            InputError: `invalid_request` if there was no file.
        """
        if self._file_name is None:
            raise InputError(
                f"表单里没有文件。请用名为 {FILE_FIELD} 的字段发送文件，并带上文件名。",
                code="invalid_request",
            )
        return Form(self._file_name, self._file.getvalue(), self._fields)

    def _begin_part(self) -> None:
        self._parts += 1
        if self._parts > MAX_FIELDS:
            raise InputError(
                f"表单的字段太多，最多 {MAX_FIELDS} 个。请合并或删去一些。", code="invalid_request"
            )
        self._headers = {}

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _end_header(self) -> None:
        name = self._header_name.decode("latin-1").lower()
        if name in self._headers:
            _malformed_part(f"一个部分里有两个 {name[:40]}")
        self._headers[name] = bytes(self._header_value)
        self._header_name.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        encoding = self._headers.get("content-transfer-encoding", b"").strip().lower()
        if encoding.decode("latin-1") not in _PLAIN_ENCODINGS:
            _malformed_part("不接受 Content-Transfer-Encoding，请直接发送文件的字节")
        kind, options = parse_options_header(self._headers.get("content-disposition", b"").decode("latin-1"))
        if kind != b"form-data" or b"name" not in options:
            _malformed_part("有一个部分没有 Content-Disposition: form-data 和 name")
        self._name = _utf8(options[b"name"], "字段名")
        if b"filename" in options:
            self._begin_file(_utf8(options[b"filename"], "文件名"))
            return
        if self._name == FILE_FIELD:
            raise InputError(
                f"字段 {FILE_FIELD} 没有文件名，不是文件。请作为文件发送，如 curl -F file=@文章.txt。",
                code="invalid_request",
            )
        if self._name not in SINGLE_FIELDS + REPEATABLE_FIELDS:
            known = "、".join((FILE_FIELD, *SINGLE_FIELDS, *REPEATABLE_FIELDS))
            raise InputError(
                f"不认识表单字段{excerpt(self._name)}，可用的有 {known}。请删去或检查拼写。",
                code="invalid_request",
            )
        self._text = bytearray()

    def _begin_file(self, file_name: str) -> None:
        if self._name != FILE_FIELD:
            raise InputError(
                f"表单字段{excerpt(self._name)}是文件，只有 {FILE_FIELD} 可以是。请改正字段名，或发送文字。",
                code="invalid_request",
            )
        if self._file_name is not None:
            raise InputError("表单里有不止一个文件。请一次发送一个。", code="invalid_request")
        self._file_name = file_name
        self._text = None

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._text is None:
            self._file.write(memoryview(data)[start:end])
            return
        self._text_bytes += end - start
        if self._text_bytes > MAX_FIELDS_BYTES:
            raise TooLargeError(
                f"表单里的文字字段共超过 {MAX_FIELDS_BYTES} 字节。请缩短，或把正文作为文件发送。",
                code="too_large",
            )
        self._text += data[start:end]

    def _end_part(self) -> None:
        if self._text is None:
            return
        value = _utf8(bytes(self._text), f"字段 {self._name} ")
        given = self._fields.setdefault(self._name, [])
        if given and self._name in SINGLE_FIELDS:
            raise InputError(f"表单字段 {self._name} 出现了不止一次。请只写一次。", code="invalid_request")
        given.append(value)

    def _end(self) -> None:
        self.ended = True


def _utf8(data: bytes, what: str) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed(f"{what}不是合法的 UTF-8。请用 UTF-8（send UTF-8）") from error


def _malformed(reason: str) -> InputError:
    return InputError(
        f"请求体不是合法的 multipart/form-data：{reason}。请改正后重新发送完整的请求。",
        code="malformed_multipart",
    )


def _malformed_part(reason: str) -> NoReturn:
    raise _malformed(reason)
