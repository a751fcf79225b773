"""Where the marks of an answer stand, and what each is shown as.

A source may itself say "[3]", so marks are not looked for in the text: they are counted from the sentences.
Those of a part that comes with its sentence are told at once; `Marks.finish` finds the rest, and refuses if
a mark was told that is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.openai_chat.footnotes import printed_lines
from api.pages.links import Linker
from rag.errors import CitationError
from rag.records import AnswerSentence, Citation

_TITLE_CHARS = 40
_OPENING_CHARS = 40
_SEPARATORS = ("", "\n", " ")
"""What may stand between two sentences (`rag.answering.rendering`)."""


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A `[number]` at a half-open range of code points."""

    start: int
    end: int
    number: int


class Marks:
    """The marks of a text that comes part by part."""

    def __init__(self) -> None:
        self._told: set[Mark] = set()

    def added(self, end: int, sentence: AnswerSentence | None) -> list[Mark]:
        """The marks that a part ends in.

        Args:
            end: Where the part ends in the text.
            sentence: The sentence that it brings, or None if that is not known yet.
        """
        found: list[Mark] = []
        for number in reversed(sentence.citations if sentence else ()):
            found.insert(0, Mark(end - len(f"[{number}]"), end, number))
            end = found[0].start
        self._told |= set(found)
        return found

    def finish(self, text: str, sentences: Sequence[AnswerSentence]) -> list[Mark]:
        """The marks of the whole text that were not told yet.

        Raises:
            CitationError: If the text is not made of the sentences, or what was told is no mark of theirs.
        """
        marks = set(marks_of(text, sentences))
        if not self._told <= marks:
            raise CitationError("流式返回时标注过的角标，在完整的答案里没有。")
        return sorted(marks - self._told)


def marks_of(text: str, sentences: Sequence[AnswerSentence]) -> list[Mark]:
    """The marks of a text that consists of these sentences.

    Raises:
        CitationError: If it does not.
    """
    marks: list[Mark] = []
    walked = list(_walk(text, sentences))
    for sentence, after in walked:
        at = after
        for number in sentence.citations:
            end = at + len(f"[{number}]")
            marks.append(Mark(at, end, number))
            at = end
    if len(walked) < len(sentences) or (marks and marks[-1].end < len(text)):
        raise CitationError(f"答案的文字与它的 {len(sentences)} 句对不上，第 {len(walked)} 句之后不同。")
    return marks


def sentences_within(text: str, sentences: Sequence[AnswerSentence]) -> tuple[AnswerSentence, ...]:
    """The sentences at the head of an answer that a shortened text still holds."""
    return tuple(sentence for sentence, _ in _walk(text, sentences))


def _walk(text: str, sentences: Sequence[AnswerSentence]) -> Iterator[tuple[AnswerSentence, int]]:
    """The sentences that the text begins with, each with where its words end."""
    at = 0
    for sentence in sentences:
        marks = "".join(f"[{number}]" for number in sentence.citations)
        written = sentence.text + marks
        separator = next((each for each in _SEPARATORS if text.startswith(each + written, at)), None)
        if separator is None:
            return
        at += len(separator) + len(sentence.text)
        yield sentence, at
        at += len(marks)


def annotation(mark: Mark, citation: Citation, link: Linker) -> dict[str, object]:
    """A mark as OpenAI's `url_citation`."""
    place = {"start_index": mark.start, "end_index": mark.end}
    shown = {"title": shown_title(citation), "url": link(citation.url)}
    return {"type": "url_citation", "url_citation": place | shown}


def shown_title(citation: Citation) -> str:
    """What a citation is called: essay, printed lines, opening words. Some clients show no more of it."""
    title = _cut(citation.title, _TITLE_CHARS)
    return f"{title} · {printed_lines(citation)}：{_cut(citation.quote, _OPENING_CHARS)}"


def _cut(text: str, max_chars: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= max_chars else f"{text[: max_chars - 1]}…"
