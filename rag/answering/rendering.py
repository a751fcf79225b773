"""The answer's text: checked sentences, each followed by its `[n]` marks.

Streamed or whole, it is put together here, so that the parts of a stream joined are the whole answer.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.gate import Checked
from rag.records import AnswerSentence


def answer_parts(checked: Checked, start: int = 0) -> list[str]:
    """What each sentence from number `start` (0-based) on adds to the text, its separator before it."""
    sentences = checked.sentences
    return [
        _separator(sentences, place, starts_line=checked.layout[place]) + _marked(sentences[place])
        for place in range(start, len(sentences))
    ]


def _marked(sentence: AnswerSentence) -> str:
    return sentence.text + "".join(f"[{number}]" for number in sentence.citations)


def _separator(sentences: Sequence[AnswerSentence], place: int, *, starts_line: bool) -> str:
    if place == 0:
        return ""
    if starts_line:
        return "\n"
    # Latin sentences are kept apart by a space, Chinese ones by nothing.
    return " " if sentences[place].text[:1].isascii() and sentences[place - 1].text[-1:].isascii() else ""
