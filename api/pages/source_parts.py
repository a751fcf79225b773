"""Which part of a source one page shows: all of it, or of a very long one what is asked for.

A part is a half-open range of source characters. It begins and ends with a line, unless a single line is
longer than a part may be. Parts are not numbered: each begins where a link says, so that what is cited has
text on both sides, and leads to the one before and the one after. Nothing here knows of documents or HTML.
"""

from __future__ import annotations

from dataclasses import dataclass

Range = tuple[int, int]

_BLOCK = 65_536


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much one page holds. All count from 1.

    Attributes:
        whole_lines, whole_chars: A source of no more than both is shown whole.
        part_lines, part_chars: The most that a part of a longer one holds.
    """

    whole_lines: int
    whole_chars: int
    part_lines: int
    part_chars: int


SIZES = Sizes(whole_lines=2_000, whole_chars=400_000, part_lines=1_000, part_chars=100_000)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reader came for; of several things the first that is given decides. The beginning if none is.

    Attributes:
        part: A range as a link of another part names it.
        line: A line, from 1; one beyond the last means the last.
        marked: Characters to show with some text around them.
        first_char, first_line: Where the beginning is: the document's, not that of its source.
    """

    part: Range | None = None
    line: int | None = None
    marked: Range | None = None
    first_char: int = 0
    first_line: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """What a page shows of a source.

    Attributes:
        start, end: Its characters, half-open.
        first_line: Number of the line that `start` is on.
        source_lines: Lines of the whole source.
        previous, following: The parts before and after it; None at the ends of the source.
        whole: Whether it is all of the source, because that is of ordinary size.
    """

    start: int
    end: int
    first_line: int
    source_lines: int
    previous: Range | None
    following: Range | None
    whole: bool


def part_of(text: str, wanted: Wanted, sizes: Sizes = SIZES) -> Part:
    """The part of `text` that shows what is wanted.

    Costs a few scans of `text` for line ends, and otherwise as much as the part is long.
    """
    lines = text.count("\n") + 1
    if lines <= sizes.whole_lines and len(text) <= sizes.whole_chars:
        return Part(0, len(text), 1, lines, None, None, whole=True)
    start, end = _bounds(text, wanted, sizes)
    previous = (_start_of_part(text, start, sizes.part_lines, sizes.part_chars), start)
    following = (end, _end_of_part(text, end, sizes))
    return Part(
        start=start,
        end=end,
        first_line=text.count("\n", 0, start) + 1,
        source_lines=lines,
        previous=previous if start > 0 else None,
        following=following if end < len(text) else None,
        whole=False,
    )


def _bounds(text: str, wanted: Wanted, sizes: Sizes) -> Range:
    if wanted.part is not None:
        start = min(wanted.part[0], len(text) - 1)
        return start, min(_end_of_part(text, start, sizes), max(wanted.part[1], start + 1))
    if wanted.line is not None:
        position = start_of_line(text, wanted.line)
        start = _start_around(text, (position, min(position + 1, len(text))), sizes)
    elif wanted.marked is not None:
        start = _start_around(text, wanted.marked, sizes)
    elif wanted.first_line <= sizes.part_lines // 3:
        start = 0  # what little stands above the document belongs to the page
    else:
        start = _start_of_its_line(text, wanted.first_char)
    return start, _end_of_part(text, start, sizes)


def _start_around(text: str, marked: Range, sizes: Sizes) -> int:
    """Where a part begins that shows `marked` with up to a third of a part before it."""
    line = _start_of_its_line(text, marked[0])
    start = _start_of_part(text, line, sizes.part_lines // 3, sizes.part_chars // 3)
    if _end_of_part(text, start, sizes) >= marked[1]:
        return start
    if _end_of_part(text, line, sizes) >= marked[1]:
        return line
    return max(line, marked[0] - sizes.part_chars // 3)


def _end_of_part(text: str, start: int, sizes: Sizes) -> int:
    """Where a part ends that begins at `start`."""
    limit = start + sizes.part_chars
    end = start
    for _ in range(sizes.part_lines):
        found = text.find("\n", end, limit)
        if found < 0:
            break
        end = found + 1
    else:
        return end
    if limit >= len(text):
        return len(text)
    return end if end > start else limit


def _start_of_part(text: str, end: int, lines: int, chars: int) -> int:
    """Where a part begins that ends at `end` and holds no more than so much."""
    limit = max(end - chars, 0)
    if text[end - 1 : end] != "\n":  # within a line longer than a part: of that line alone
        return max(_start_of_its_line(text, end), limit)
    start = end
    for _ in range(lines):
        # The line end right before `start` is that of the line wanted.
        found = text.rfind("\n", limit, max(start - 1, 0))
        if found < 0:
            break
        start = found + 1
    else:
        return start
    if limit == 0:
        return 0
    return start if start < end else limit


def start_of_line(text: str, number: int) -> int:
    """Offset of the first character of line `number`, from 1; of the last line if there are fewer."""
    missing = number - 1
    position = 0
    while missing > 0 and position < len(text):
        # Counting is much quicker than finding one after the other.
        ends = text.count("\n", position, position + _BLOCK)
        if ends >= missing:
            break
        missing -= ends
        position += _BLOCK
    for _ in range(missing):
        found = text.find("\n", position)
        if found < 0:
            return text.rfind("\n") + 1
        position = found + 1
    return min(position, text.rfind("\n") + 1)


def _start_of_its_line(text: str, position: int) -> int:
    return text.rfind("\n", 0, position) + 1
