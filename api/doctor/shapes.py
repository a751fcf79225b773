"""What each client reads of a reply, and no more: anything else may be there and is ignored.

These shapes are the clients', written from their documents, not the service's own: a field that the service
renames by mistake is missed here, as it would be out there.
"""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from api.doctor.model import LostError, shortened


class Read(BaseModel):
    """Reads strictly what it names and ignores the rest."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class DocumentRead(Read):
    """A document of the list."""

    id: str
    label: str
    source_sha256: str


class DocumentsRead(Read):
    """`GET /v1/documents`."""

    documents: list[DocumentRead]


class ExamplesRead(Read):
    """`GET /v1/examples`."""

    questions: list[str]


class CitationRead(Read):
    """A citation in full, as the native interface and `cewen` objects carry it."""

    number: int
    document_id: str
    title: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    quote: str
    source_sha256: str
    url: str


class SentenceRead(Read):
    """A sentence of an answer."""

    text: str
    citations: list[int]


class CewenRead(Read):
    """The `cewen` object of a chat completion."""

    status: Literal["answered", "abstained"]
    sentences: list[SentenceRead]
    citations: list[CitationRead]


class AnswerRead(CewenRead):
    """The body of `POST /v1/ask`."""

    answer: str
    reason: str | None
    confidence: float
    generator: str
    fingerprint: str
    timings_ms: dict[str, float]


class HitRead(Read):
    """A passage of `POST /v1/search`."""

    document_id: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    text: str
    url: str


class SearchRead(Read):
    """The body of `POST /v1/search`."""

    hits: list[HitRead]


class ErrorDetailRead(Read):
    """What every error says, ours and OpenAI's."""

    message: str
    type: str
    code: str


class ErrorRead(Read):
    """An error of ours, or in OpenAI's format."""

    error: ErrorDetailRead


class MetadataRead(Read):
    """What stands in a record's metadata so that it can be traced."""

    document_id: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    source_sha256: str
    url: str


class RecordRead(Read):
    """A record as Dify reads it; it raises if the metadata is null."""

    content: str
    score: float = Field(ge=0, le=1)
    title: str
    metadata: dict[str, Any]


class RecordsRead(Read):
    """The body of a retrieval."""

    records: list[RecordRead]


class FoundRead(Read):
    """A result of the MCP tool `search`."""

    id: str
    title: str
    url: str


class FoundListRead(Read):
    """The result of the MCP tool `search`."""

    results: list[FoundRead]


class FetchedRead(Read):
    """The result of the MCP tool `fetch`."""

    id: str
    title: str
    text: str
    url: str
    metadata: dict[str, str]


Shape = TypeVar("Shape", bound=BaseModel)


def read_as(shape: type[Shape], value: Any, check: str, what: str) -> Shape:
    """A JSON value as a client reads it.

    Raises:
        LostError: If something that the client reads is missing or of another type.
    """
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False)
        places = "；".join(
            f"{'.'.join(map(str, problem['loc'])) or '整个答复'} {_said(problem)}" for problem in problems[:3]
        )
        more = f"……共 {len(problems)} 处" if len(problems) > 3 else ""
        advice = "这个客户端读不懂这样的答复：中间的代理或网关改了它，或服务的版本不同。"
        raise LostError(check, what, f"{places}{more}", advice) from error


def _said(problem: ErrorDetails) -> str:
    return "缺失" if problem["type"] == "missing" else f"是 {shortened(repr(problem['input']), 40)}"
