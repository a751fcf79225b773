"""Join printed lines into reading text, keeping for every character the offset it came from.

Chinese is set without spaces: white space between lines, from justification, or around digits and
Latin letters is layout and is dropped. Only between two Latin words does one space remain. Nothing
but white space is ever dropped, so a quotation and its source are equal once white space is removed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.reading.lines import Line, LineTable
from rag.records import Block, BlockKind, OffsetMap

_LETTER_SPACED = re.compile(r"\S\s\S\s\S\s\S")


def join_lines(
    kind: BlockKind, lines: Sequence[Line], table: LineTable, *, keep_spaces: bool = False
) -> Block:
    """Make one block of `lines` (at least one of them not blank).

    Args:
        kind: The block's type.
        lines: Consecutive printed lines, blank ones included.
        table: The source's line table.
        keep_spaces: Keep one space wherever a line has any (a byline's space separates names; clean
            text is shown as it came). Line ends are still dropped between Chinese characters.
    """
    kept: list[tuple[str, int]] = []
    for line in lines:
        close_up = not keep_spaces and _is_letter_spaced(line.text)
        waiting: int | None = None
        if kept and not line.is_blank and _space_between_lines(kept[-1][0], line.content[0]):
            waiting = kept[-1][1] + 1
        for index, char in enumerate(line.text):
            if char.isspace():
                if waiting is None and kept and kept[-1][1] >= line.start and not close_up:
                    waiting = line.start + index
                continue
            if waiting is not None and (
                keep_spaces or waiting < line.start or _both_latin(kept[-1][0], char)
            ):
                kept.append((" ", waiting))
            waiting = None
            kept.append((char, line.start + index))
    text = "".join(char for char, _ in kept)
    return Block(kind, text, _offset_map(kept), table.span(kept[0][1], kept[-1][1] + 1))


def _offset_map(kept: Sequence[tuple[str, int]]) -> OffsetMap:
    text_starts, source_starts = [], []
    expected = -1
    for index, (_, offset) in enumerate(kept):
        if offset != expected:
            text_starts.append(index)
            source_starts.append(offset)
        expected = offset + 1
    return OffsetMap(tuple(text_starts), tuple(source_starts), len(kept))


def _is_latin(char: str) -> bool:
    return char < "\u2000" and not char.isspace()


def _both_latin(left: str, right: str) -> bool:
    return _is_latin(left) and _is_latin(right)


def _space_between_lines(left: str, right: str) -> bool:
    """Whether a line end between these two characters separates Latin words.

    A number is not hyphenated, so digits that meet over a line end belong together.
    """
    if left.isdigit() and right.isdigit():
        return False
    return _both_latin(left, right) and left != "-"


def _is_letter_spaced(text: str) -> bool:
    """Whether the typesetter stretched the line with a space after nearly every character."""
    content = text.strip()
    if not _LETTER_SPACED.search(content):
        return False
    inner = sum(1 for char in content if char.isspace())
    return inner >= 0.4 * (len(content) - inner)
