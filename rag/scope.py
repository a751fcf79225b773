"""Which documents a question names: by an author's name (in pinyin too) or by a title.

Names come from the corpus only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from rag.corpus import Corpus
from rag.names import bare_text
from rag.text.folding import fold, has_han

_NAME_MAX_CHARS = 4
_LATIN_WORDS = re.compile(r"[a-z]{2,}")


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
    """Finds documents by name. Safe to call from threads.

    Args:
        corpus: Whose authors and titles to know.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def find(self, question: str) -> Scope:
        """The documents that a question names."""
        folded = self._with_names(fold(question))
        bare = bare_text(folded)
        found: set[str] = set()
        rest = folded
        for name, document_ids in self._live(name for name in self._corpus.named if name in bare):
            found.update(document_ids)
            rest = rest.replace(name, " ")
        rows = self._corpus.first_rows
        ids = tuple(sorted(found, key=lambda document_id: rows[document_id][0].start))
        return Scope(ids, rest.strip() if ids and bare_text(rest) else question)

    def _live(self, names: Iterable[str]) -> list[tuple[str, list[str]]]:
        """Names of live documents with these, in the order in which a reader of the corpus meets them."""
        corpus, found = self._corpus, []
        for name in names:
            ids = [document_id for document_id in corpus.named[name] if document_id in corpus.first_rows]
            if ids:
                place = corpus.first_rows[ids[0]][0].start, corpus.names[ids[0]].all.index(name)
                found.append((place, name, ids))
        return [(name, ids) for _, name, ids in sorted(found)]

    def _with_names(self, folded: str) -> str:
        """The question with names that are spelt in pinyin ("gan tian") written in characters."""
        if not _LATIN_WORDS.search(folded):
            return folded
        # Patterns are dear, and of many thousand names a question spells one or two.
        likely = [
            name
            for name in self._corpus.named
            if len(name) <= _NAME_MAX_CHARS
            and has_han(name)
            and all(syllable in folded for syllable in _pinyin(name))
        ]
        spelt: dict[str, str] = {}
        for name, _ in self._live(likely):
            family, *given = map(re.escape, _pinyin(name))
            spelt[rf"{family}\s?{'[ -]?'.join(given)}"] = name
        for spelling, name in spelt.items():
            folded = re.sub(rf"(?<![a-z]){spelling}(?![a-z])", name, folded)
        return folded


@lru_cache(maxsize=1 << 17)
def _pinyin(name: str) -> tuple[str, ...]:
    """The syllables of a name, family name first."""
    from pypinyin import lazy_pinyin

    return tuple(lazy_pinyin(name))
