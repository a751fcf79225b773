"""A source of which some documents were removed: their characters are blank, all others stay where they are.

Offsets and line numbers of what is left are those of the whole text, so no citation of it moves. This is
about what is shown and searched; what lies in a store is not this module's business.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rag.records import Document, Source

Range = tuple[int, int]

_INK = re.compile(r"\S")
_RUN = re.compile(b"\1+")


def without_documents(source: Source, gone: Sequence[Document], staying: Sequence[Document]) -> Source:
    """The source with what only the documents `gone` claim turned into white space.

    May be done step by step, in any order: what comes of it depends on the documents that are left alone.

    Args:
        source: As it was before; its checksum stays that of the whole text.
        gone: Documents of it.
        staying: The documents of it that are left.

    Returns:
        A text of as many code points with the same white space, line ends included; `blanked` says where.
    """
    mask = bytearray(len(source.text))
    _put(mask, source.blanked, b"\1")
    _put(mask, _claims(gone), b"\1")
    _put(mask, _claims(staying), b"\0")
    ranges = tuple(found.span() for found in _RUN.finditer(mask))
    if ranges == source.blanked:
        return source
    return replace(source, text="".join(_blanked(source.text, ranges)), blanked=ranges)


def _claims(documents: Iterable[Document]) -> Iterator[Range]:
    for document in documents:
        for block in (*document.typed_blocks, *(paragraph.block for paragraph in document.paragraphs)):
            yield block.span.start_char, block.span.end_char


def _put(mask: bytearray, ranges: Iterable[Range], value: bytes) -> None:
    for start, end in ranges:
        mask[start:end] = value * (end - start)


def _blanked(text: str, ranges: Sequence[Range]) -> Iterator[str]:
    at = 0
    for start, end in ranges:
        yield text[at:start]
        yield _INK.sub(" ", text[start:end])
        at = end
    yield text[at:]
