"""A Word document (.docx) as text: one paragraph a line, headings marked "#", a table's rows as lines.

Read: what a reader of the finished document sees, with insertions accepted, automatic numbers counted, text
boxes after the paragraph they hang on and notes at the end. Not read: deletions, hidden text, comments,
tables of contents (they repeat the headings), page headers, pictures, macros, and anything outside the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rag.converting.archives import Archive
from rag.converting.faults import unsupported
from rag.converting.limits import Limits
from rag.converting.markup import child_of, children_of, local, parse_xml, value_of
from rag.converting.numbering import Numbering
from rag.converting.styles import Styles

CELL_BREAK = " | "

_MAIN = "word/document"
# What holds no text of the finished page: properties, deletions, fields' codes, the older twin of a drawing.
_SILENT = frozenset({"pPr", "rPr", "sdtPr", "del", "moveFrom", "instrText", "delText", "Fallback", "rt"})
_CHARS = {"tab": " ", "ptab": " ", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_OFF = frozenset({"0", "false", "off"})


def word_text(data: bytes, limits: Limits) -> str:
    """The text of a Word document.

    Raises:
        InputError: If it is damaged, encrypted, too large, too deep or no Word document.
    """
    archive = Archive(data, limits)
    main = next(
        (name for name in sorted(archive.names) if name.startswith(_MAIN) and name.endswith(".xml")), None
    )
    if main is None:
        raise unsupported("是压缩包，里面没有 Word 的正文。请用 Word 另存为 .docx。")

    def part(name: str) -> Any | None:
        return parse_xml(archive.read(name), limits.depth) if name in archive.names else None

    body = child_of(part(main), "body")
    reader = _Reader(Styles(part("word/styles.xml")), Numbering(part("word/numbering.xml")))
    lines = list(reader.blocks(body)) if body is not None else []
    for name in ("word/footnotes.xml", "word/endnotes.xml"):
        notes = part(name)
        for note in children_of(notes, name[5:-5]) if notes is not None else ():
            if not value_of(note, "type"):  # those with a type are the rules above the notes
                lines += reader.blocks(note)
    return "\n".join(_spaced(lines))


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the text; lines of one list or table stand together, others have a blank line between."""

    text: str
    group: str = ""


def _spaced(lines: list[_Line]) -> Iterator[str]:
    before: _Line | None = None
    for line in lines:
        if before is not None and not (line.group and line.group == before.group):
            yield ""
        yield line.text
        before = line


@dataclass
class _Inline:
    """What a paragraph holds: its characters, and the text boxes anchored in it."""

    pieces: list[str] = field(default_factory=list)
    boxes: list[Any] = field(default_factory=list)


class _Reader:
    """Walks the body. The tree's depth is bounded, so that one call a level is safe."""

    def __init__(self, styles: Styles, numbering: Numbering) -> None:
        self._styles = styles
        self._numbering = numbering
        self._tables = 0

    def blocks(self, holder: Any) -> Iterator[_Line]:
        """The lines of whatever holds paragraphs and tables."""
        for element in holder:
            name = local(element)
            if name == "p":
                yield from self._paragraph(element)
            elif name == "tbl":
                yield from self._table(element)
            elif name not in _SILENT:  # content controls and the like
                yield from self.blocks(element)

    def _paragraph(self, element: Any) -> Iterator[_Line]:
        inline = _Inline()
        self._collect(element, inline)
        properties = child_of(element, "pPr")
        style = self._styles.of(properties)
        text = "".join(inline.pieces).strip()
        if text and not style.is_contents:
            label = self._numbering.label(*style.numbering) if style.numbering else ""
            mark = "#" * style.heading + " " if style.heading else ""
            group = "list" if label and not mark else ""
            first, *others = (line.strip() for line in text.split("\n"))
            yield _Line(f"{mark}{label}{first}", group)
            yield from (_Line(line, group or "break") for line in others if line)
        for box in inline.boxes:
            yield from self.blocks(box)

    def _collect(self, element: Any, inline: _Inline) -> None:
        for child in element:
            name = local(child)
            if name == "t":
                inline.pieces.append(child.text or "")
            elif name in _CHARS:
                inline.pieces.append(_CHARS[name])
            elif name == "txbxContent":
                inline.boxes.append(child)
            elif name not in _SILENT and not (name == "r" and _is_hidden(child)):
                self._collect(child, inline)

    def _table(self, element: Any) -> Iterator[_Line]:
        self._tables += 1
        group = f"table {self._tables}"
        for row in _inside(element, "tr"):
            cells = list(_inside(row, "tc"))
            if len(cells) == 1:  # a frame around ordinary text
                yield from self.blocks(cells[0])
                continue
            texts = [" ".join(line.text for line in self.blocks(cell)) for cell in cells]
            if any(texts):
                yield _Line(CELL_BREAK.join(texts), group)


def _is_hidden(run: Any) -> bool:
    vanish = child_of(run, "rPr", "vanish")
    return vanish is not None and value_of(vanish) not in _OFF


def _inside(element: Any, name: str) -> Iterator[Any]:
    """Rows of a table or cells of a row, also those inside content controls and insertions."""
    for child in element:
        if local(child) == name:
            yield child
        elif local(child) in {"sdt", "sdtContent", "customXml", "ins"}:
            yield from _inside(child, name)
