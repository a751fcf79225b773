"""From the events of an answer to the chunks of a chat completion, and from the chunks to the whole.

A completion without `stream` is the same chunks put together, so both say the same by construction. Each
part of the text is sent as it comes, then the annotations of its marks; the last chunk says what only the
finished answer knows. With a limit on tokens whole parts are left out: a part is one or more sentences.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from api.openai_chat.annotations import Mark, Marks, annotation, sentences_within, shown_title
from api.openai_chat.footnotes import footnotes
from api.openai_chat.schemas import CewenOut
from api.pages.links import Linker
from api.ports import Engine
from api.wire.convert import ask_reply
from rag.records import Answer, AnswerEvent, AnswerSentence, Citation, CitationsKnown

Chunk = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a completion is to be like.

    Attributes:
        model: As the reply names it.
        collection: Which is asked.
        with_footnotes: Whether the sources follow the answer as text.
        texts: All texts of the request, for `usage`.
        max_tokens: Of the answer, without the sources after it.
        with_usage: Whether to count tokens.
    """

    model: str
    collection: str
    with_footnotes: bool
    texts: Sequence[str]
    max_tokens: int | None
    with_usage: bool


class Completion:
    """One chat completion.

    Args:
        engine: Counts tokens and has the fingerprint.
        wanted: What it is to be like.
        link: Makes links absolute.
    """

    def __init__(self, engine: Engine, wanted: Wanted, link: Linker) -> None:
        self._engine = engine
        self._wanted = wanted
        self._link = link
        self._marks = Marks()
        self._annotations = 0
        self._text = ""
        self._cut = False
        self._head: Chunk = {
            "id": f"chatcmpl-{uuid.uuid4().hex}",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": wanted.model,
            "system_fingerprint": engine.fingerprint,
        }

    def opening(self) -> Chunk:
        """The first chunk, which needs no answer."""
        return self._chunk({"role": "assistant", "content": ""})

    def chunks(self, events: Iterable[AnswerEvent]) -> Iterator[Chunk]:
        """All chunks after the first.

        Raises:
            CitationError: If the marks that were annotated are not those of the finished answer.
        """
        known: tuple[Citation, ...] = ()
        for event in events:
            if isinstance(event, CitationsKnown):
                known = event.citations
            elif isinstance(event, Answer):
                yield from self._closing(event)
            elif self._fits(event.text):
                self._text += event.text
                yield self._chunk({"content": event.text})
                yield from self._annotated(self._marks.added(len(self._text), event.sentence), known)

    def _fits(self, part: str) -> bool:
        limit = self._wanted.max_tokens
        if limit is not None and self._text and not self._cut:
            self._cut = self._engine.count_tokens(self._text + part) > limit
        return not self._cut

    def _closing(self, answer: Answer) -> Iterator[Chunk]:
        shown = sentences_within(self._text, answer.sentences) if self._cut else answer.sentences
        yield from self._annotated(self._marks.finish(self._text, shown), answer.citations)
        highest = max((number for sentence in shown for number in sentence.citations), default=0)
        # All up to the highest, used or not: clients find the source of "[n]" at place n of the list.
        citations = [citation for citation in answer.citations if citation.number <= highest]
        if self._wanted.with_footnotes and (block := footnotes(citations, self._link)):
            self._text += block
            yield self._chunk({"content": block})
        last = self._chunk({}, "length" if self._cut else "stop")
        yield last | self._sources(citations) | {"cewen": self._own(answer, shown, citations)}
        if self._wanted.with_usage:
            yield self._head | {"choices": [], "usage": self._usage()}

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> Chunk:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self._wanted.with_usage else {}
        return self._head | {"choices": [choice]} | usage

    def _annotated(self, marks: Sequence[Mark], citations: Sequence[Citation]) -> Iterator[Chunk]:
        """Nothing for no marks: to some clients an empty list means that there are none at all."""
        by_number = {citation.number: citation for citation in citations}
        # Parts of a list are put together by `index`; OpenAI's own client refuses one that has none.
        told = [
            {"index": place} | annotation(mark, by_number[mark.number], self._link)
            for place, mark in enumerate(marks, self._annotations)
        ]
        self._annotations += len(told)
        if told:
            yield self._chunk({"annotations": told})

    def _sources(self, citations: Sequence[Citation]) -> dict[str, Any]:
        """What clients of Perplexity read."""
        links = [self._link(citation.url) for citation in citations]
        results = [
            {"title": shown_title(citation), "url": url, "snippet": citation.quote}
            for citation, url in zip(citations, links, strict=True)
        ]
        return {"citations": links, "search_results": results}

    def _own(
        self, answer: Answer, sentences: Sequence[AnswerSentence], citations: Sequence[Citation]
    ) -> dict[str, Any]:
        """Our own fields, as far as they are shown, links absolute."""
        reply = ask_reply(answer, self._wanted.collection)
        places = {citation.number for citation in citations}
        fields = {name: getattr(reply, name) for name in CewenOut.model_fields}
        fields["sentences"] = reply.sentences[: len(sentences)]
        fields["citations"] = [
            citation.model_copy(update={"url": self._link(citation.url)})
            for citation in reply.citations
            if citation.number in places
        ]
        fields["related"] = [hit.model_copy(update={"url": self._link(hit.url)}) for hit in reply.related]
        return CewenOut(**fields).model_dump()

    def _usage(self) -> dict[str, int]:
        asked = sum(self._engine.count_tokens(text) for text in self._wanted.texts)
        said = self._engine.count_tokens(self._text)
        return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def folded(chunks: Iterable[Chunk]) -> Chunk:
    """The whole completion that these chunks, with usage, are the parts of."""
    content: list[str] = []
    annotations: list[Any] = []
    whole: Chunk = {}
    finish_reason = None
    for chunk in chunks:
        for choice in chunk["choices"]:
            content.append(choice["delta"].get("content", ""))
            annotations += [
                {name: value for name, value in each.items() if name != "index"}
                for each in choice["delta"].get("annotations", [])
            ]
            finish_reason = choice["finish_reason"] or finish_reason
        whole |= chunk
    annotations.sort(key=lambda each: each["url_citation"]["start_index"])
    message = {
        "role": "assistant",
        "content": "".join(content),
        "refusal": None,
        "annotations": annotations,
    }
    choice = {"index": 0, "message": message, "finish_reason": finish_reason, "logprobs": None}
    return whole | {"object": "chat.completion", "choices": [choice]}
