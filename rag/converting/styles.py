"""What the style of a Word paragraph says about it: heading and level, list item, table of contents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from rag.converting.markup import child_of, children_of, value_of

_HEADING = re.compile(r"(?:heading|标题)\s*([1-9])$", re.IGNORECASE)
_TITLES = frozenset({"title", "标题"})
_CONTENTS = re.compile(r"(?:toc|目录)\s*\d?(?:\s*heading)?$", re.IGNORECASE)
_MOST_ANCESTORS = 20
_MOST_LEVELS = 6


@dataclass(frozen=True, slots=True)
class ParagraphStyle:
    """What is known of a paragraph beside its text.

    Attributes:
        heading: Level from 1, or 0 for no heading.
        numbering: List and level within it, or None.
        is_contents: Whether it is a line of a table of contents.
    """

    heading: int = 0
    numbering: tuple[str, int] | None = None
    is_contents: bool = False


class Styles:
    """The styles of a document, with what they inherit.

    Args:
        root: The root of `styles.xml`, or None where there is none.
    """

    def __init__(self, root: Any | None) -> None:
        found = children_of(root, "style") if root is not None else ()
        self._styles = {value_of(style, "styleId"): style for style in found}

    def of(self, properties: Any | None) -> ParagraphStyle:
        """The style of a paragraph with these properties (`pPr`, or None)."""
        chain = [properties] if properties is not None else []
        names: list[str] = []
        style_id = value_of(child_of(properties, "pStyle"))
        for _ in range(_MOST_ANCESTORS):  # a style may name itself as its ancestor
            style = self._styles.get(style_id)
            if style is None:
                break
            names.append(value_of(child_of(style, "name")))
            inherited = child_of(style, "pPr")
            chain += [inherited] if inherited is not None else []
            style_id = value_of(child_of(style, "basedOn"))
        return ParagraphStyle(
            heading=_heading(names, chain),
            numbering=_numbering(chain),
            is_contents=bool(names) and bool(_CONTENTS.match(names[0].strip())),
        )


def _heading(names: list[str], chain: list[Any]) -> int:
    for name in names:
        if name.strip().lower() in _TITLES:
            return 1
        if match := _HEADING.match(name.strip()):
            return min(int(match[1]), _MOST_LEVELS)
    for properties in chain:
        level = value_of(child_of(properties, "outlineLvl"))
        if level in {"0", "1", "2", "3", "4", "5", "6", "7", "8"}:
            return min(int(level) + 1, _MOST_LEVELS)
    return 0


def _numbering(chain: list[Any]) -> tuple[str, int] | None:
    list_id = depth = ""
    for properties in chain:
        numbered = child_of(properties, "numPr")
        list_id = list_id or value_of(child_of(numbered, "numId"))
        depth = depth or value_of(child_of(numbered, "ilvl"))
    if not list_id or list_id == "0":
        return None
    return list_id, int(depth) if depth in set("012345678") else 0
