"""An engine that says given sentences, one part of a stream each, over the fake newspaper page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rag.answering.gate import Checked
from rag.answering.rendering import answer_parts
from rag.records import (
    Answer,
    AnswerEvent,
    AnswerSentence,
    Citation,
    CitationsKnown,
    TextAdded,
)
from tests.api_fakes import LIGHTHOUSE, SHA256, FakeEngine

QUESTION = "清晨熄灯"
UNKNOWN = "明年茶价"


def citation(number: int, quote: str = "守塔人每天傍晚点灯，清晨熄灯。", **changes: Any) -> Citation:
    made = Citation(
        number=number,
        document_id=LIGHTHOUSE,
        title="望海角灯塔",
        authors=("周望潮", "林听雨"),
        paragraph=1,
        start_char=number,
        end_char=number + 5,
        start_line=3,
        end_line=4,
        quote=quote,
        source_sha256=SHA256,
        match="exact",
        url=f"/documents/{LIGHTHOUSE}?chars={number}-{number + 5}#L3-L4",
        score=0.9,
    )
    return replace(made, **changes)


def sentence(text: str, *numbers: int) -> AnswerSentence:
    return AnswerSentence(text, numbers, "exact")


class Saying(FakeEngine):
    """Answers anything with these sentences.

    Args:
        sentences: In order, each with the numbers of its citations.
        citations: All of them; by default one for each number, quoting something else.
        layout: For each sentence whether it begins a line.
    """

    def __init__(
        self,
        sentences: Sequence[AnswerSentence],
        citations: Sequence[Citation] | None = None,
        layout: Sequence[bool] | None = None,
    ) -> None:
        super().__init__()
        numbers = {number for each in sentences for number in each.citations}
        made = citations if citations is not None else [citation(number) for number in sorted(numbers)]
        self.checked = Checked(tuple(sentences), tuple(made), (), tuple(layout or [False] * len(sentences)))

    def ask(self, question: str, **options: Any) -> Answer:
        answer = super().ask(question, **options)
        return replace(
            answer,
            status="answered",
            reason=None,
            answer="".join(answer_parts(self.checked)),
            sentences=self.checked.sentences,
            citations=self.checked.citations,
            related=(),
        )

    def stream(self, question: str, **options: Any) -> Iterator[AnswerEvent]:
        answer = self.ask(question, **options)
        return iter(events_of(self.checked, answer))


def events_of(checked: Checked, answer: Answer) -> list[AnswerEvent]:
    """What the engine tells: before each part the citations that it needs."""
    events: list[AnswerEvent] = []
    highest = 0
    for place, part in enumerate(answer_parts(checked)):
        highest = max((highest, *checked.sentences[place].citations))
        events.append(CitationsKnown(tuple(c for c in checked.citations if c.number <= highest)))
        events.append(TextAdded(part, checked.sentences[place]))
    return [*events, answer]


def chunks_of(body: bytes) -> list[dict[str, Any]]:
    """The chunks of a streamed completion, which must end as the format says."""
    blocks = [block for block in body.decode("utf-8").split("\n\n") if block and not block.startswith(":")]
    assert blocks[-1] == "data: [DONE]"
    return [json.loads(block.removeprefix("data: ")) for block in blocks[:-1]]
