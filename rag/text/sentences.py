"""Split Chinese (and plain Latin) text into sentences, as half-open ranges that tile the text.

A sentence ends after 。！？ and what closes with it (”’」』）, and ** of Markdown where it closes). It does
not end inside brackets, nor where a quoted question runs on (“为什么？”的问题). An ellipsis ends nothing by
itself. Latin marks end a sentence only before what can begin one: not in 3.5, "J. Smith", "Dr. Who",
"1. Open" or a web address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_ENDERS = "。！？!?"
_CLOSERS = "”’」』）)】》〉\"'"
_OPEN_BRACKETS, _CLOSE_BRACKETS = "（(《【〔[", "）)》】〕]"
_RUNS_ON = "，、；：,;:的地得是和与而—"
_TELLING = re.compile(f"[{re.escape(_ENDERS + _OPEN_BRACKETS + _CLOSE_BRACKETS)}.]")
"""What can end a sentence, or keeps one from ending; all else is passed over."""
_BRACKET_MAX_CHARS = 200
_EMPHASIS = re.compile(r"\*{2,}|_{2,}")
_EMPHASIS_MAX_CHARS = 3
_EMPHASISED = re.compile(r"[\w“‘「『（(《【〔\[\"']")
_LATIN_GOES_ON = re.compile(r"[\"'”’)\]]*\s*[a-z]")
_LATIN_STOP = re.compile(r"\.[\"'”’)\]]*(?:\s*$|\s+[\"'“‘(\[]*([A-Z]|[\u3400-\u9fff]))")
_ABBREVIATION = re.compile(r"(?:^|[\W\d_])(?:[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|No|Nos|Fig|Vol|vs|cf)$")
_LIST_NUMBER = re.compile(r"(?:^\s*|[^\w\s]\s*|[\u3400-\u9fff])\d{1,3}$")
_WORD_END = re.compile(r"[a-z]{2}$|[^\x00-\x7f]$")
_ABBREVIATION_CHARS = 6


def sentence_ranges(text: str) -> list[tuple[int, int]]:
    """Ranges of the sentences of `text`.

    Returns:
        Half-open (start, end) pairs in order; together they cover `text` without overlap. White space
        after a sentence belongs to it.
    """
    ranges: list[tuple[int, int]] = []
    start = index = depth = opened_at = 0
    closing = _closing_emphasis(text)
    while found := _TELLING.search(text, index):
        char = found[0]
        index = found.end()
        if char in _OPEN_BRACKETS:
            opened_at = index if depth == 0 else opened_at
            depth += 1
        elif char in _CLOSE_BRACKETS:
            depth = max(0, depth - 1)
        elif _ends_here(text, start, index - 1):
            if depth and index - opened_at <= _BRACKET_MAX_CHARS and _closes_later(text, index):
                continue
            depth = 0
            index = _after_closers(text, index, closing)
            if index < len(text) and text[index] in _RUNS_ON and text[index - 1] in _CLOSERS + "*_":
                continue
            ranges.append((start, index))
            start = index
    if text[start:].strip():
        ranges.append((start, len(text)))
    elif ranges and start < len(text):
        ranges[-1] = (ranges[-1][0], len(text))
    return ranges


def _ends_here(text: str, start: int, index: int) -> bool:
    """Whether the character at `index` ends the sentence that begins at `start`."""
    char = text[index]
    if char in _ENDERS:
        return char not in "!?" or not _LATIN_GOES_ON.match(text, index + 1)
    stop = _LATIN_STOP.match(text, index) if char == "." else None
    if stop is None:
        return False
    before = text[max(start, index - _ABBREVIATION_CHARS) : index]
    if not before or before[-1].isspace() or (stop[1] and stop[1] > "Z" and not _WORD_END.search(before)):
        return False
    return not _ABBREVIATION.search(before) and not _LIST_NUMBER.search(before)


def _closes_later(text: str, index: int) -> bool:
    return any(char in _CLOSE_BRACKETS for char in text[index : index + _BRACKET_MAX_CHARS])


def _closing_emphasis(text: str) -> dict[int, int]:
    """Where runs of * or _ that close emphasis begin, and where they end.

    By themselves they do not say whether they open or close: “甲。**乙” opens, “**甲。** 乙” closes.
    """
    closing: dict[int, int] = {}
    opened = ""
    for run in _EMPHASIS.finditer(text):
        if opened and run[0] == opened:
            closing[run.start()] = run.end()
            opened = ""
        elif not opened and len(run[0]) <= _EMPHASIS_MAX_CHARS and _EMPHASISED.match(text, run.end()):
            opened = run[0]
    return closing


def _after_closers(text: str, index: int, closing: Mapping[int, int]) -> int:
    while index < len(text) and (text[index] in _ENDERS or text[index] in _CLOSERS or index in closing):
        index = closing.get(index, index + 1)
    while index < len(text) and text[index].isspace():
        index += 1
    return index
