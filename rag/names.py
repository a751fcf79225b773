"""What a document is called, folded once so that no question has to fold it again."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.records import Document
from rag.text.folding import fold

_TITLE_MIN_CHARS = 5
"""A shorter title is an ordinary word in most questions."""
_NAME_MIN_CHARS = 2
_PUNCTUATION = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class DocumentNames:
    """The folded names of one document.

    Attributes:
        authors: Each author's name of two characters or more, shown ones before those that are only printed.
        titles: The title that is shown and, if that is another, the printed one; without punctuation.
        labels: All that the page or its uploader calls it: title, byline, note, headings. These are not among
            the terms of the index.
        date: When its uploader says that it appeared, ISO 8601; "" if that is not said.
    """

    authors: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    labels: str = ""
    date: str = ""

    @property
    def all(self) -> tuple[str, ...]:
        """What any question may name it by."""
        return (*self.authors, *(title for title in self.titles if len(title) >= _TITLE_MIN_CHARS))


def names_of(document: Document) -> DocumentNames:
    """The names of a document."""
    authors = dict.fromkeys((*document.authors, *document.printed_authors))
    titles = dict.fromkeys(title for title in (document.title, document.printed_title) if title)
    given = document.source.metadata
    # What the page prints is in its blocks already.
    said = [name for name in (given.title, *given.authors) if name and name in (document.title, *authors)]
    printed = [block.text for block in document.typed_blocks if block.kind != "rule"]
    return DocumentNames(
        tuple(dict.fromkeys(fold(author) for author in authors if len(author) >= _NAME_MIN_CHARS)),
        tuple(dict.fromkeys(bare for title in titles if (bare := bare_text(fold(title))))),
        fold("\n".join((*printed, *said))),
        given.date or "",
    )


def bare_text(folded: str) -> str:
    """A folded text without punctuation and white space."""
    return _PUNCTUATION.sub("", folded)
