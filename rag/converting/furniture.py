"""Page numbers and running heads of a paged text: lines that belong to the paper, not to what is said on it.

They stand between the two halves of a sentence that runs over a page. Only lines at the very top and bottom
of a page are looked at. A page number goes if the pages agree on it; a running head stays where it stands
first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_EDGE_LINES = 2
_NOWHERE = -1
_HEAD_MOST_CHARS = 40
_HEAD_LEAST_PAGES = 3
_BARE_NUMBER = re.compile(r"[-–—·•\s(（\[]*(\d{1,4})[-–—·•\s)）\]]*")
_FOLIO = re.compile(
    r"[-–—·•\s]*(?:第\s*(\d{1,4})\s*页(?:[\s,，/／]*[共总]\s*\d{1,4}\s*页)?|page\s*(\d{1,4})(?:\s*(?:of|/)\s*\d{1,4})?|"
    r"(\d{1,4})\s*[/／]\s*\d{1,4})[-–—·•\s]*",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"\d+")
_ENDS_SENTENCE = re.compile(r"[。！？；!?;][”’」』）)]*$")


def without_furniture(pages: Sequence[Sequence[str]]) -> list[list[str]]:
    """The lines of each page without page numbers and repeated running heads."""
    left = [list(page) for page in pages]
    for at in (0, -1):
        for _ in range(_EDGE_LINES):
            edges = [_edge(page, at) for page in left]
            doomed = _numbers(left, edges) | _repeats(left, edges)
            for page in doomed:
                del left[page][edges[page]]
            if not doomed:
                break
    return left


def _edge(page: Sequence[str], at: int) -> int:
    """Index of the first or last printed line of a page, or of where there is none."""
    printed = [index for index, line in enumerate(page) if line.strip()]
    return printed[at] if printed else _NOWHERE


def _numbers(pages: Sequence[Sequence[str]], edges: Sequence[int]) -> set[int]:
    """Pages whose edge line is their number, counted from the same start on at least half of them."""
    starts: dict[int, int] = {}
    certain: set[int] = set()
    for page, place in enumerate(edges):
        line = pages[page][place].strip() if place != _NOWHERE else ""
        if folio := _FOLIO.fullmatch(line):
            certain.add(page)
            starts[page] = int(next(group for group in folio.groups() if group)) - page
        elif bare := _BARE_NUMBER.fullmatch(line):
            starts[page] = int(bare[1]) - page
    if not starts:
        return set()
    start, agreeing = Counter(starts.values()).most_common(1)[0]
    # A lone page may end with any number; its own is 1.
    if (agreeing > 1 or start == 1) and 2 * agreeing >= sum(edge != _NOWHERE for edge in edges):
        certain |= {page for page in starts if starts[page] == start}
    return certain


def _repeats(pages: Sequence[Sequence[str]], edges: Sequence[int]) -> set[int]:
    """Pages whose edge line, numbers aside, has stood at that edge before and does so on many pages."""
    shapes: dict[int, str] = {}
    for page, place in enumerate(edges):
        line = "".join(pages[page][place].split()) if place != _NOWHERE else ""
        if line and len(line) <= _HEAD_MOST_CHARS and not _ENDS_SENTENCE.search(line):
            shapes[page] = _DIGITS.sub("#", line)
    counts = Counter(shapes.values())
    # Left and right pages often have heads of their own, so a quarter of the pages is enough for one of them.
    least = max(_HEAD_LEAST_PAGES, len(pages) / 4)
    seen: set[str] = set()
    repeated: set[int] = set()
    for page, shape in shapes.items():
        if counts[shape] >= least and not _DIGITS.fullmatch(shape) and shape.strip("#"):
            if shape in seen:
                repeated.add(page)
            seen.add(shape)
    return repeated
