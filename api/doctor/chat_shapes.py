"""What clients of the OpenAI format read of a reply: the message, its annotations, and what stands beside it.

As in `shapes`: written from the clients' documents, not from the service's own code.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from api.doctor.shapes import CewenRead, Read


class ModelRead(Read):
    """A model of the list."""

    id: str


class ModelsRead(Read):
    """`GET /v1/models`."""

    data: list[ModelRead]


class UrlCitationRead(Read):
    """Where a mark stands and what it points to."""

    start_index: int
    end_index: int
    title: str
    url: str


class AnnotationRead(Read):
    """An annotation of OpenAI's."""

    type: Literal["url_citation"]
    url_citation: UrlCitationRead


class SearchResultRead(Read):
    """A source as Perplexity's clients show it."""

    title: str
    url: str
    snippet: str


class DeltaRead(Read):
    """A part of a streamed message."""

    content: str | None = None
    annotations: list[AnnotationRead] = Field(default_factory=list)


class ChunkChoiceRead(Read):
    """The choice of a chunk."""

    delta: DeltaRead
    finish_reason: str | None = None


class ChunkRead(Read):
    """A chunk of a streamed completion."""

    id: str
    object: Literal["chat.completion.chunk"]
    choices: list[ChunkChoiceRead]
    citations: list[str] | None = None
    search_results: list[SearchResultRead] | None = None


class MessageRead(Read):
    """The message of a completion."""

    content: str
    annotations: list[AnnotationRead] = Field(default_factory=list)


class ChoiceRead(Read):
    """The choice of a completion."""

    message: MessageRead
    finish_reason: Literal["stop", "length"]


class UsageRead(Read):
    """Tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionRead(Read):
    """What every program reads of a completion."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChoiceRead] = Field(min_length=1)
    usage: UsageRead


class OwnCompletionRead(Read):
    """What a program that knows this service reads besides."""

    cewen: CewenRead


class PerplexityRead(Read):
    """What a client of Perplexity's reads."""

    choices: list[ChoiceRead] = Field(min_length=1)
    citations: list[str]
    search_results: list[SearchResultRead]
