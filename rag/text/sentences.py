"""Split Chinese (and plain Latin) text into sentences, as half-open ranges that tile the text.

A sentence ends after 。！？ and what closes with it (”’」』）). It does not end inside brackets, nor
where a quoted question runs on (“为什么？”的问题). An ellipsis ends nothing by itself.
"""

from __future__ import annotations

_ENDERS = "。！？!?"
_CLOSERS = "”’」』）)】》〉\"'"
_OPEN_BRACKETS, _CLOSE_BRACKETS = "（(《【〔[", "）)》】〕]"
_RUNS_ON = "，、；：,;:的地得是和与而—"
_BRACKET_MAX_CHARS = 200


def sentence_ranges(text: str) -> list[tuple[int, int]]:
    """Ranges of the sentences of `text`.

    Returns:
        Half-open (start, end) pairs in order; together they cover `text` without overlap. White space
        after a sentence belongs to it.
    """
    ranges: list[tuple[int, int]] = []
    start = index = depth = opened_at = 0
    while index < len(text):
        char = text[index]
        index += 1
        if char in _OPEN_BRACKETS:
            opened_at = index if depth == 0 else opened_at
            depth += 1
        elif char in _CLOSE_BRACKETS:
            depth = max(0, depth - 1)
        elif _ends_here(text, index - 1):
            if depth and index - opened_at <= _BRACKET_MAX_CHARS and _closes_later(text, index):
                continue
            depth = 0
            index = _after_closers(text, index)
            if index < len(text) and text[index] in _RUNS_ON and text[index - 1] in _CLOSERS:
                continue
            ranges.append((start, index))
            start = index
    if text[start:].strip():
        ranges.append((start, len(text)))
    elif ranges and start < len(text):
        ranges[-1] = (ranges[-1][0], len(text))
    return ranges


def _ends_here(text: str, index: int) -> bool:
    char = text[index]
    if char in _ENDERS:
        return True
    # A Latin full stop: after a letter or closing mark, before white space and then a capital or nothing.
    if char != "." or index == 0 or text[index - 1].isdigit():
        return False
    rest = text[index + 1 :]
    return not rest.strip() or (
        rest[:1].isspace() and rest.lstrip()[:1].isupper() and text[index - 2 : index - 1].isalnum()
    )


def _closes_later(text: str, index: int) -> bool:
    return any(char in _CLOSE_BRACKETS for char in text[index : index + _BRACKET_MAX_CHARS])


def _after_closers(text: str, index: int) -> int:
    while index < len(text) and (text[index] in _ENDERS or text[index] in _CLOSERS):
        index += 1
    while index < len(text) and text[index].isspace():
        index += 1
    return index
