"""A web page (HTML) as text: one paragraph a line, headings marked "#", a table's rows as lines.

Left out: scripts, styles, navigation, forms, what is hidden, the reading aid of ruby. Nothing is fetched and
nothing is run. The characters are decoded here, so that a page's own, often wrong, word on them is checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from rag.converting.charset import decode_page
from rag.converting.faults import unreadable
from rag.converting.limits import Limits
from rag.converting.markup import check_depth, local

CELL_BREAK = " | "

_SKIPPED = frozenset(
    re.findall(
        r"\w+",
        "script style noscript template nav form button select textarea input iframe object embed svg math "
        "canvas audio video dialog menu rt rp head",
    )
)
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details div dl dt fieldset figcaption "
        "figure footer header hr html legend li main ol p pre section summary table tbody td tfoot th thead "
        "tr ul",
    )
)
_SPACED = frozenset(re.findall(r"\w+", "article blockquote caption dl figure hr ol p pre section table ul"))
_LISTS = frozenset({"ol", "ul"})
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_HIDDEN_STYLE = re.compile(r"(?:display\s*:\s*none|visibility\s*:\s*hidden)", re.IGNORECASE)
_HAN = "[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]"
_WRAPPED_HAN = re.compile(rf"(?<={_HAN})[ \t]*\r?\n\s*(?={_HAN})")
_SPACE = re.compile(r"[ \t\r\n\f\xa0]+")
_CELL_MOST_CHARS = 600
"""A cell with more than that lays out a page."""


def page_text(data: bytes, limits: Limits) -> str:
    """The text of a web page.

    Raises:
        InputError: If its encoding cannot be told or it is nested too deep.
    """
    from lxml import etree

    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, remove_comments=True)
    page = decode_page(data).encode("utf-8", "replace")
    root = etree.fromstring(page, parser) if page.strip() else None
    if root is None:
        raise unreadable("里没有文字。请检查内容是否完整。")
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise unreadable(f"层层嵌套超过 {limits.depth} 层，不予读取。请重新导出，或另存为 .txt。")
    check_depth(root, limits.depth)
    writer = _Writer()
    if next(root.iter("h1"), None) is None and (title := root.findtext(".//title")) and title.strip():
        writer.add(title)
        writer.end_line("# ")
        writer.gap()
    _walk(root, writer)
    writer.end_line()
    return "\n".join(writer.lines)


@dataclass
class _Writer:
    """Lines so far, the pieces of the one being written, and the lists that are open.

    Attributes:
        mark: What the next line opens with.
        as_is: How many elements are open whose line ends count.
        numbers: For each open list the number of its next item, or None for bullets.
    """

    lines: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    mark: str = ""
    as_is: int = 0
    numbers: list[int | None] = field(default_factory=list)

    def add(self, text: str | None) -> None:
        """Text within the line."""
        if not text:
            return
        if self.as_is and "\n" in text:
            *whole, rest = text.split("\n")
            for line in whole:
                self.pieces.append(line)
                self.end_line()
            text = rest
        self.pieces.append(text)

    def end_line(self, mark: str = "") -> None:
        """End the line, if it says anything; a list item's mark waits for the first text of the item."""
        text = _SPACE.sub(" ", _WRAPPED_HAN.sub("", "".join(self.pieces))).strip()
        self.pieces.clear()
        if text:
            self.lines.append(f"{mark or self.mark}{text}")
            self.mark = ""

    def gap(self) -> None:
        """A blank line, unless there is one."""
        if self.lines and self.lines[-1]:
            self.lines.append("")


def _walk(element: Any, writer: _Writer) -> None:
    """Write an element. The tree's depth is bounded, so that a call or two a level are safe."""
    name = local(element)
    if name in _HEADINGS:
        writer.end_line()
        writer.gap()
        writer.add(_flat(element))
        writer.end_line("#" * _HEADINGS[name] + " ")
        writer.gap()
    elif name == "br":
        writer.end_line()
    elif name == "table" and _is_data(element):
        _write_rows(element, writer)
    elif name in _BLOCKS:
        _write_block(element, name, writer)
    else:
        _write_content(element, writer)


def _write_rows(table: Any, writer: _Writer) -> None:
    writer.end_line()
    writer.gap()
    for part in table.iter("caption"):
        writer.add(_flat(part))
        writer.end_line()
    for row in table.iter("tr"):
        cells = [_flat(cell) for cell in row if local(cell) in {"td", "th"} and not _is_skipped(cell)]
        if any(cells):
            writer.lines.append(CELL_BREAK.join(cells))
    writer.gap()


def _write_block(element: Any, name: str, writer: _Writer) -> None:
    writer.end_line()
    # Paragraphs and lists inside an item stand together with it.
    spaced = name in _SPACED and not writer.numbers
    if spaced:
        writer.gap()
    if name in _LISTS:
        writer.numbers.append(_first_number(element) if name == "ol" else None)
    elif name == "li":
        writer.mark = _next_mark(writer)
    writer.as_is += name == "pre"
    _write_content(element, writer)
    writer.end_line()
    writer.as_is -= name == "pre"
    if name in _LISTS:
        writer.numbers.pop()
    elif name == "li":
        writer.mark = ""
    if spaced:
        writer.gap()


def _write_content(element: Any, writer: _Writer) -> None:
    writer.add(element.text)
    for child in element:
        if local(child) and not _is_skipped(child):
            _walk(child, writer)
        writer.add(child.tail)


def _flat(element: Any) -> str:
    """All text inside an element, on one line."""
    writer = _Writer()
    _write_content(element, writer)
    writer.end_line()
    return " ".join(line for line in writer.lines if line)


def _is_skipped(element: Any) -> bool:
    attributes = element.attrib
    return (
        local(element) in _SKIPPED
        or "hidden" in attributes
        or attributes.get("aria-hidden", "").lower() == "true"
        or attributes.get("role", "").lower() == "navigation"
        or bool(_HIDDEN_STYLE.search(attributes.get("style", "")))
    )


def _is_data(table: Any) -> bool:
    """Whether a table holds figures and words in rows, rather than laying out the page."""
    if next(table.iterdescendants("table"), None) is not None:
        return False
    wide = False
    for row in table.iter("tr"):
        cells = [cell for cell in row if local(cell) in {"td", "th"}]
        wide = wide or len(cells) > 1
        if any(len("".join(cell.itertext())) > _CELL_MOST_CHARS for cell in cells):
            return False
    return wide


def _first_number(ordered: Any) -> int:
    start = ordered.get("start", "1")
    return int(start) if start.isascii() and start.isdigit() and len(start) < 6 else 1


def _next_mark(writer: _Writer) -> str:
    number = writer.numbers[-1] if writer.numbers else None
    if number is None:
        return "- "
    writer.numbers[-1] = number + 1
    return f"{number}. "
