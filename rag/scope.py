"""Which documents a question names: by an author's name (in pinyin too) or by a title.

Names come from the corpus only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.corpus import Corpus
from rag.text.folding import fold, has_han

_TITLE_MIN_CHARS = 5
_NAME_MAX_CHARS = 4
_LATIN_WORDS = re.compile(r"[a-z]{2,}")
_PUNCTUATION = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question names.

    Attributes:
        document_ids: Documents named, in corpus order; empty if none is.
        rest: The question without the names, for searching; the question itself if nothing else is left.
    """

    document_ids: tuple[str, ...]
    rest: str


class ScopeFinder:
    """Finds documents by name.

    Args:
        corpus: Whose authors and titles to know.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._names: dict[str, list[str]] = {}
        for document in corpus.documents:
            for author in document.authors:
                if len(author) >= 2:
                    self._names.setdefault(fold(author), []).append(document.document_id)
            title = _PUNCTUATION.sub("", fold(document.title or ""))
            if len(title) >= _TITLE_MIN_CHARS:
                self._names.setdefault(title, []).append(document.document_id)
        self._spelt: dict[str, str] = {}
        self._order = {document.document_id: n for n, document in enumerate(corpus.documents)}

    def find(self, question: str) -> Scope:
        """The documents that a question names."""
        folded = self._with_names(fold(question))
        bare = _PUNCTUATION.sub("", folded)
        found: set[str] = set()
        rest = folded
        for name, document_ids in self._names.items():
            if name in bare:
                found.update(document_ids)
                rest = rest.replace(name, " ")
        ids = tuple(sorted(found, key=self._order.__getitem__))
        return Scope(ids, rest.strip() if ids and _PUNCTUATION.sub("", rest) else question)

    def _with_names(self, folded: str) -> str:
        """The question with names that are spelt in pinyin ("gan tian") written in characters."""
        if not _LATIN_WORDS.search(folded):
            return folded
        for spelling, name in self._spellings().items():
            folded = re.sub(rf"(?<![a-z]){spelling}(?![a-z])", name, folded)
        return folded

    def _spellings(self) -> dict[str, str]:
        """Pinyin of every author's name, family name first, as a pattern; made when first needed."""
        if not self._spelt:
            from pypinyin import lazy_pinyin

            for name in self._names:
                if len(name) <= _NAME_MAX_CHARS and has_han(name):
                    family, *given = lazy_pinyin(name)
                    self._spelt[rf"{family}\s?{'[ -]?'.join(given)}"] = name
        return self._spelt
