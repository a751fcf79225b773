"""What a pattern makes of a sentence: a question in pieces, slices of the text and template words between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag.examples.clauses import BRACKET, Text
from rag.examples.words import TRADITIONAL
from rag.text.folding import SPACE_BESIDE_HAN, to_simplified

Kind = Literal["number", "definition", "list", "reason", "date", "person", "place", "means", "author"]
Piece = tuple[int, int] | str
_TRADITIONAL_SHARE = 0.04


@dataclass(frozen=True, slots=True)
class Draft:
    """A question not yet judged.

    Attributes:
        kind: What it asks for.
        pieces: Ranges of the sentence it was made from, and template words in simplified script.
        worth: How well its pattern does in general, 0-1.
        answered_by: How many sentences further on the answer stands; 0 is the sentence itself.
    """

    kind: Kind
    pieces: tuple[Piece, ...]
    worth: float
    answered_by: int = 0


def question_of(pieces: Sequence[Piece], text: Text, *, traditional: bool) -> str:
    """The question in the text's own words, its brackets left out, template words in the text's script."""
    made = ""
    for piece in pieces:
        if isinstance(piece, str):
            made += piece.translate(TRADITIONAL) if traditional else piece
        else:
            made += "".join(
                char
                for char, mask in zip(text.original[slice(*piece)], text.masked[slice(*piece)], strict=True)
                if mask != BRACKET
            )
    return SPACE_BESIDE_HAN.sub("", made).strip()


def is_traditional(text: str) -> bool:
    """Whether a text is written in traditional script."""
    simplified = to_simplified(text)
    changed = sum(one != other for one, other in zip(text, simplified, strict=False))
    return changed >= max(1, _TRADITIONAL_SHARE * len(text))
