"""A text as typed beside its aligned form: patterns look at one, what they find is cut from the other."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.dialogue.wording import END, PARTICLE, POLITE, THEN, aligned

_EDGE = " 　,，、;；:：。.?？!！…"


@dataclass(frozen=True, slots=True)
class Phrase:
    """A stretch of text; `text` and `plain` have the same length."""

    text: str
    plain: str

    @classmethod
    def of(cls, text: str) -> Phrase:
        """The phrase of a text."""
        return cls(text, aligned(text))

    def part(self, start: int, end: int | None = None) -> Phrase:
        """The stretch from `start` to before `end`."""
        return Phrase(self.text[start:end], self.plain[start:end])

    def cut(self, start: int, end: int) -> Phrase:
        """What is left without a stretch."""
        return Phrase(self.text[:start] + self.text[end:], self.plain[:start] + self.plain[end:])

    def put(self, start: int, end: int, words: str) -> str:
        """The text with `words` in the place of a stretch."""
        return self.text[:start] + words + self.text[end:]

    def without(self, pattern: re.Pattern[str]) -> Phrase:
        """What is left without everything that a pattern finds."""
        phrase = self
        for found in reversed(list(pattern.finditer(self.plain))):
            phrase = phrase.cut(*found.span())
        return phrase

    def stripped(self) -> Phrase:
        """Without white space and punctuation at the edges."""
        start = len(self.text) - len(self.text.lstrip(_EDGE))
        return self.part(start, max(start, len(self.text.rstrip(_EDGE))))

    def bare(self) -> Phrase:
        """A question without "请问", "那", end marks and final particles."""
        phrase = self.stripped()
        for lead in (POLITE, THEN):
            if (found := lead.match(phrase.plain)) and found.end() < len(phrase.plain):
                phrase = phrase.part(found.end()).stripped()
        end = END.search(phrase.plain)
        phrase = phrase.part(0, end.start()) if end else phrase
        particle = PARTICLE.search(phrase.plain)
        return phrase.part(0, particle.start()).stripped() if particle and particle.start() else phrase
