"""Join printed lines into reading text, keeping for every character the offset it came from.

Chinese is set without spaces: white space between lines, from justification, or around digits and
Latin letters is layout and is dropped. Only between two Latin words does one space remain. Nothing
but white space is ever dropped, so a quotation and its source are equal once white space is removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.reading.lines import Line, LineTable
from rag.records import Block, BlockKind, OffsetMap

_RUNS = re.compile(r"\s+|\S+")
_LETTER_SPACED = re.compile(r"\S\s\S\s\S\s\S")


def join_lines(
    kind: BlockKind,
    lines: Sequence[Line],
    table: LineTable,
    *,
    keep_spaces: bool = False,
    close_up: bool = True,
) -> Block:
    """Make one block of `lines` (at least one of them not blank).

    Args:
        kind: The block's type.
        lines: Consecutive printed lines, blank ones included.
        table: The source's line table.
        keep_spaces: Keep the white space inside a line as it came (a byline's space separates names;
            ordinary text is not ours to change). Line ends are still dropped between Chinese characters.
        close_up: Drop the white space of a line that is letter-spaced, whatever `keep_spaces` says.
    """
    kept: list[tuple[str, int]] = []
    for line in lines:
        if line.is_blank:
            continue
        if kept and _space_between_lines(kept[-1][0][-1], line.content[0]):
            kept.append((" ", kept[-1][1] + len(kept[-1][0])))
        closed = close_up and _is_letter_spaced(line.text)
        kept += _kept_of_line(line, keep_spaces=keep_spaces and not closed, closed=closed)
    text = "".join(piece for piece, _ in kept)
    last, last_offset = kept[-1]
    return Block(kind, text, _offset_map(kept), table.span(kept[0][1], last_offset + len(last)))


def _kept_of_line(line: Line, *, keep_spaces: bool, closed: bool) -> Iterator[tuple[str, int]]:
    """The pieces of a line that are read, each with the source offset of its first character."""
    start = line.start + len(line.text) - len(line.text.lstrip())
    if keep_spaces:
        yield line.content, start
        return
    for run in _RUNS.finditer(line.content):
        first = start + run.start()
        if not run.group().isspace():
            yield run.group(), first
        elif not closed and _both_latin(line.content[run.start() - 1], line.content[run.end()]):
            yield " ", first


def _offset_map(kept: Sequence[tuple[str, int]]) -> OffsetMap:
    text_starts, source_starts = [], []
    index, expected = 0, -1
    for piece, offset in kept:
        if offset != expected:
            text_starts.append(index)
            source_starts.append(offset)
        index += len(piece)
        expected = offset + len(piece)
    return OffsetMap(tuple(text_starts), tuple(source_starts), index)


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
