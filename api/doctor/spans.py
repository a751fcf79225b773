"""Does a citation say the truth? Arithmetic on the source text, done here and not by the service.

A source text counts only if its SHA-256 is the one that the list of documents names: a text that a proxy
changed on its way would make every citation look wrong, and is reported once, where it belongs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from api.doctor.connection import Connection, Reply
from api.doctor.model import LostError, shortened
from api.doctor.shapes import CitationRead, HitRead

_PAGE = re.compile(r"/documents/([^/]+)$")
_CHARS = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
_LINES = re.compile(r"L([0-9]{1,9})(?:-L([0-9]{1,9}))?")

Key = tuple[str, int, int]
"""Document, start and end: what must be the same on every surface."""


@dataclass(frozen=True, slots=True)
class Cited:
    """A claim that something stands somewhere.

    Attributes:
        document_id: In which document's source.
        start_char, end_char: Half-open range of code points.
        start_line, end_line: Printed lines, from 1.
        quote: What is said to stand there; None if the client is not told.
        sha256: Of the source; None if the client is not told.
    """

    document_id: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    quote: str | None = None
    sha256: str | None = None

    @property
    def key(self) -> Key:
        """What it comes down to."""
        return self.document_id, self.start_char, self.end_char


class Sources:
    """The source texts of a deployment, each fetched once.

    Args:
        connection: To fetch them.
        known: For each document the SHA-256 that the list of documents names.
    """

    def __init__(self, connection: Connection, known: Mapping[str, str]) -> None:
        self._connection = connection
        self.known = known
        self._fetched: dict[str, Reply | LostError] = {}

    def fetch(self, document_id: str) -> Reply:
        """The reply with a document's source; no key is sent, because a link carries none.

        Raises:
            LostError: If there is no such reply.
        """
        if document_id not in self._fetched:
            try:
                self._fetched[document_id] = self._connection.get(source_path(document_id), key="none")
            except LostError as error:
                self._fetched[document_id] = error
        fetched = self._fetched[document_id]
        if isinstance(fetched, LostError):
            raise fetched
        return fetched

    def trusted(self, document_id: str) -> str | None:
        """A document's source text, or None if what came is not the text that the service has."""
        try:
            reply = self.fetch(document_id)
        except LostError:
            return None
        if reply.status != 200 or sha256_of(reply.body) != self.known.get(document_id):
            return None
        return reply.text

    def fault(self, cited: Cited) -> str | None:
        """What is wrong with a claim: "" for nothing, None if its source cannot be had to tell."""
        if cited.document_id not in self.known:
            return f"文库里没有编号 {shortened(cited.document_id, 40)} 的文档"
        text = self.trusted(cited.document_id)
        if text is None:
            return None
        if cited.sha256 is not None and cited.sha256 != self.known[cited.document_id]:
            return f"source_sha256 是 {shortened(cited.sha256, 16)}，源文件的不是"
        return span_fault(cited, text)


def span_fault(cited: Cited, text: str) -> str:
    """What is wrong with a claim about this text; "" for nothing."""
    place = f"{cited.start_char}–{cited.end_char}"
    if not 0 <= cited.start_char < cited.end_char <= len(text):
        return f"区间 {place} 不在原文里（原文 {len(text)} 个字符）"
    span = text[cited.start_char : cited.end_char]
    if cited.quote is not None and (not cited.quote or squeezed(span) != squeezed(cited.quote)):
        return f"区间 {place} 的原文是“{shortened(span, 24)}”，引文是“{shortened(cited.quote, 24)}”"
    first = text.count("\n", 0, cited.start_char) + 1
    last = text.count("\n", 0, cited.end_char - 1) + 1
    if (cited.start_line, cited.end_line) != (first, last):
        return f"区间 {place} 在{lines(first, last)}，却说是{lines(cited.start_line, cited.end_line)}"
    return ""


def cited_of(citation: CitationRead) -> Cited:
    """The claim of a full citation."""
    return Cited(
        citation.document_id,
        citation.start_char,
        citation.end_char,
        citation.start_line,
        citation.end_line,
        citation.quote,
        citation.source_sha256,
    )


def cited_of_hit(hit: HitRead) -> Cited:
    """The claim of a passage."""
    return Cited(hit.document_id, hit.start_char, hit.end_char, hit.start_line, hit.end_line, hit.text)


def cited_of_url(url: str, quote: str | None = None) -> Cited | None:
    """The claim that a link makes by itself; None if it is no link to marked characters."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    page = _PAGE.search(parts.path)
    chars = _CHARS.fullmatch(parse_qs(parts.query).get("chars", [""])[0])
    lines = _LINES.fullmatch(parts.fragment)
    if not (page and chars and lines):
        return None
    first = int(lines[1])
    return Cited(
        unquote(page[1]), int(chars[1]), int(chars[2]), first, int(lines[2]) if lines[2] else first, quote
    )


def lines(first: int, last: int) -> str:
    """Printed lines as people say them."""
    return f"第 {first} 行" if first == last else f"第 {first}–{last} 行"


def keys_of(cited: Sequence[Cited]) -> list[Key]:
    """The keys of some claims."""
    return [each.key for each in cited]


def source_path(document_id: str) -> str:
    """Where a document's source is."""
    return f"/v1/documents/{document_id}/source"


def sha256_of(data: bytes) -> str:
    """Hex SHA-256."""
    return hashlib.sha256(data).hexdigest()


def squeezed(text: str) -> str:
    """Text without white space."""
    return "".join(text.split())
