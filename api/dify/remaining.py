"""What is left of an answer when some of its citations are not handed out.

The whole of it would tell what a filter, or a threshold, was to keep out.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from rag.records import Answer, AnswerSentence


def remaining_answer(answer: Answer, numbers: AbstractSet[int]) -> str | None:
    """The sentences that rest on these citations alone, with their marks; None if there are none.

    They are joined as the answer joins them: by a line end where it has one between them, by a space where
    Latin meets Latin, else by nothing.
    """
    if numbers >= {citation.number for citation in answer.citations}:
        return answer.answer
    said, before, end, on_new_line = "", "", 0, False
    for sentence in answer.sentences:
        marked = _marked(sentence)
        start = answer.answer.index(marked, end)
        on_new_line = on_new_line or "\n" in answer.answer[end:start]
        end = start + len(marked)
        if numbers >= set(sentence.citations):
            said += _separator(before, sentence.text, on_new_line=on_new_line) + marked
            before, on_new_line = sentence.text, False
    return said or None


def _separator(before: str, after: str, *, on_new_line: bool) -> str:
    if not before:
        return ""
    if on_new_line:
        return "\n"
    return " " if before[-1:].isascii() and after[:1].isascii() else ""


def _marked(sentence: AnswerSentence) -> str:
    return sentence.text + "".join(f"[{number}]" for number in sentence.citations)
