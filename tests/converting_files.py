"""Documents made by hand for the tests of `rag.converting`: Word, PDF and zip, sound and malicious."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from io import BytesIO

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_MIB = 1024 * 1024

STYLES = """
<w:style w:type="paragraph" w:styleId="1"><w:name w:val="heading 1"/></w:style>
<w:style w:type="paragraph" w:styleId="2"><w:name w:val="我的标题"/><w:basedOn w:val="22"/></w:style>
<w:style w:type="paragraph" w:styleId="22"><w:name w:val="heading 2"/><w:basedOn w:val="2"/></w:style>
<w:style w:type="paragraph" w:styleId="t"><w:name w:val="Title"/></w:style>
<w:style w:type="paragraph" w:styleId="c"><w:name w:val="toc 1"/></w:style>
<w:style w:type="paragraph" w:styleId="n"><w:name w:val="条"/>
<w:pPr><w:numPr><w:numId w:val="2"/></w:numPr></w:pPr></w:style>
"""
NUMBERING = """
<w:abstractNum w:abstractNumId="0">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCounting"/><w:lvlText w:val="%1、"/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%2."/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="1">
<w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="chineseCountingThousand"/>
<w:lvlText w:val="第%1条"/></w:lvl>
</w:abstractNum>
<w:abstractNum w:abstractNumId="2">
<w:lvl w:ilvl="0"><w:numFmt w:val="bullet"/><w:lvlText w:val=""/></w:lvl>
</w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="1"/></w:num>
<w:num w:numId="3"><w:abstractNumId w:val="2"/></w:num>
"""


def wrapped(root: str, content: str) -> str:
    """A part of a Word document."""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<w:{root} xmlns:w="{W}">{content}</w:{root}>'


def paragraph(text: str, properties: str = "") -> str:
    """A paragraph of one run."""
    given = f"<w:pPr>{properties}</w:pPr>" if properties else ""
    return f"<w:p>{given}<w:r><w:t>{text}</w:t></w:r></w:p>"


def styled(text: str, style: str) -> str:
    """A paragraph in a style."""
    return paragraph(text, f'<w:pStyle w:val="{style}"/>')


def numbered(text: str, number: int, level: int = 0) -> str:
    """A paragraph that Word numbers."""
    return paragraph(text, f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>')


def table(rows: Sequence[Sequence[str]]) -> str:
    """A table with a paragraph in each cell."""
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"


def docx(body: str, **parts: str) -> bytes:
    """A Word document: what stands in its body, and other parts by name without suffix."""
    document = wrapped("document", f"<w:body>{body}<w:sectPr/></w:body>")
    files = {"word/document.xml": document, "word/styles.xml": wrapped("styles", STYLES)}
    files["word/numbering.xml"] = wrapped("numbering", NUMBERING)
    files |= {f"word/{name}.xml": wrapped(name, content) for name, content in parts.items()}
    return zipped({"[Content_Types].xml": "<Types/>", **files})


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip archive."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def deflated_blanks(mib: int) -> bytes:
    """A raw deflate stream of so many MiB of spaces; cheap to make because one block is repeated."""
    packer = zlib.compressobj(9, wbits=-15)
    block = packer.compress(b" " * _MIB) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * mib + packer.flush()


def zip_bomb(mib: int, *, declared: int | None = None, name: bytes = b"word/document.xml") -> bytes:
    """An archive with one part that unpacks to so many MiB, and declares `declared` bytes."""
    packed = deflated_blanks(mib)
    size = mib * _MIB if declared is None else declared
    shared = struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0, 0, len(packed), size, len(name), 0)
    local = b"PK\x03\x04" + shared + name + packed
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + shared + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(local), 0)
    return local + entry + end


def pdf(pages: Sequence[Sequence[str]], *, explained: bool = True) -> bytes:
    """A PDF with the lines of each page in a font of glyph numbers.

    Args:
        pages: Lines, which may be Chinese.
        explained: Whether the font says which character a glyph number stands for.
    """
    glyphs = {
        char: 900 + 7 * place for place, char in enumerate(sorted({c for p in pages for s in p for c in s}))
    }
    kids = " ".join(f"{6 + 2 * place} 0 R" for place in range(len(pages)))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode(),
        b"<</Type/Font/Subtype/Type0/BaseFont/Song/Encoding/Identity-H/DescendantFonts[4 0 R]"
        + (b"/ToUnicode 5 0 R>>" if explained else b">>"),
        _GLYPH_FONT,
        stream(_character_map(glyphs)),
    ]
    for place, lines in enumerate(pages):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>"
            f"/Contents {7 + 2 * place} 0 R>>".encode()
        )
        coded = ("".join(f"{glyphs[char]:04x}" for char in line) for line in lines)
        shown = (
            f"BT /F 12 Tf 1 0 0 1 72 {770 - 18 * row} Tm <{codes}> Tj ET" for row, codes in enumerate(coded)
        )
        objects.append(stream("\n".join(shown).encode()))
    return assembled(objects)


_GLYPH_FONT = (
    b"<</Type/Font/Subtype/CIDFontType2/BaseFont/Song/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)"
    b"/Supplement 0>>/DW 1000>>"
)


def _character_map(glyphs: Mapping[str, int]) -> bytes:
    pairs = "\n".join(f"<{glyph:04x}> <{char.encode('utf-16-be').hex()}>" for char, glyph in glyphs.items())
    return (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapType 2 def\n"
        "1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        f"{len(glyphs)} beginbfchar\n{pairs}\nendbfchar\nendcmap end end"
    ).encode()


def stream(content: bytes, more: str = "") -> bytes:
    """A stream object."""
    return f"<</Length {len(content)}{more}>>stream\n".encode() + content + b"\nendstream"


def assembled(objects: Sequence[bytes], more: str = "") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    data = b"%PDF-1.7\n"
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += f"{number} 0 obj\n".encode() + content + b"\nendobj\n"
    table_at = len(data)
    data += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    data += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    trailer = f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R{more}>>\nstartxref\n{table_at}\n%%EOF\n"
    return data + trailer.encode()
