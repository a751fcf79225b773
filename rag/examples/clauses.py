"""A sentence made ready for patterns: simplified, quotations and brackets masked, cut into clauses, tagged.

Every form has the length of the original, so that an offset found in one holds in all, and a question is
put together from slices of the text as it was written. Nothing is parsed: tags come from the segmenter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from rag.examples.words import ADVERBS, LINKING_ADVERBS, NOUN_ENDINGS
from rag.text.folding import to_simplified

QUOTE, BRACKET = "\ue000", "\ue001"
"""What stands for each character of a quotation or a title, and of a stretch in brackets."""

RUN = "[^，；：。！？…—、]"
"""A pattern for one character of a stretch without punctuation."""

_SAME_LENGTH = str.maketrans("「」『』＂,;:?!()％", "“”“””，；：？！（）%")
_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_QUOTED = re.compile(r"“[^“”]*”|‘[^‘’]*’|《[^《》]*》")
_BRACKETED = re.compile(r"（[^（）]*）|\[[^\[\]]*\]|〔[^〔〕]*〕|【[^【】]*】")
_CLAUSE = re.compile(r"[^，；：。！？…—]+")
_TOKENS = re.compile(f"({QUOTE}+|{BRACKET}+)")


@dataclass(frozen=True, slots=True)
class Token:
    """A segmented word with its part of speech; a quotation ("quote") or bracket ("bracket") is one."""

    word: str
    tag: str
    start: int
    end: int

    @property
    def is_noun(self) -> bool:
        """Whether it can be the head of a noun phrase."""
        return self.tag in ("quote", "vn", "an", "eng", "j", "nz", "s", "l", "i") or self.tag[:1] == "n"


class Text:
    """A sentence in its forms.

    Args:
        original: As written.

    Raises:
        ValueError: If simplifying changes its length, so that offsets would not hold.
    """

    def __init__(self, original: str) -> None:
        plain = to_simplified(original).translate(_SAME_LENGTH).translate(_DIGITS)
        if len(plain) != len(original):
            raise ValueError("simplified to another length")
        self.original = original
        self.plain = plain
        masked = _QUOTED.sub(lambda found: QUOTE * len(found[0]), plain)
        self.masked = _BRACKETED.sub(lambda found: BRACKET * len(found[0]), masked)

    @cached_property
    def clauses(self) -> tuple[tuple[int, int], ...]:
        """Half-open ranges of the stretches between punctuation marks."""
        return tuple(found.span() for found in _CLAUSE.finditer(self.masked))

    def tokens(self, start: int, end: int) -> list[Token]:
        """Tagged words of a stretch."""
        import rjieba

        found: list[Token] = []
        place = start
        for piece in _TOKENS.split(self.masked[start:end]):
            if not piece:
                continue
            if piece[0] in (QUOTE, BRACKET):
                found.append(
                    Token(piece, "quote" if piece[0] == QUOTE else "bracket", place, place + len(piece))
                )
                place += len(piece)
                continue
            for word, tag in rjieba.tag(piece):
                found.append(Token(word, tag, place, place + len(word)))
                place += len(word)
        return found

    def is_noun_phrase(self, start: int, end: int) -> bool:
        """Whether a stretch reads as a noun phrase: it ends in a noun, and verbs stand only before 的."""
        return is_noun_phrase(self.tokens(start, end))


_OPENERS = frozenset(
    {"c", "p", "d", "f", "y", "e", "o", "r", "u", "uj", "ul", "ud", "uv", "uz", "x", "bracket"}
)
_NO_SUBJECT = frozenset({"v", "m", "t", "ad", "vd"})
_PREDICATE = frozenset({"v", "d", "p", "vd", "zg", "ad"})
_COMPOUND_MAX_CHARS = 9
_NEVER = frozenset({"r", "y", "e", "o", "ul", "uv", "ud"})


def is_noun_phrase(tokens: list[Token]) -> bool:
    """Whether words make a noun phrase: a noun is last, verbs stand before 的 or make a short compound."""
    tokens = [token for token in tokens if token.tag != "bracket"]
    if not tokens or tokens[0].tag in _OPENERS or any(token.tag in _NEVER for token in tokens):
        return False
    last = tokens[-1]
    if not last.is_noun and not (last.word[-1] in NOUN_ENDINGS and last.word != "的"):
        return False
    after_de = max((place for place, token in enumerate(tokens) if token.word == "的"), default=-1)
    head = tokens[after_de + 1 :]
    if any(token.tag in ("p", "d", "x") and token.word != "、" for token in head[:-1]):
        return False
    verbs = [token for token in head[:-1] if token.tag == "v"]
    if any(len(token.word) == 1 for token in verbs):
        return False
    short = head[-1].end - head[0].start <= _COMPOUND_MAX_CHARS
    return not verbs or (short and not any(token.tag == "quote" for token in head))


def subject_end(tokens: list[Token], *, plain: bool = False) -> int | None:
    """How many words make the subject that a clause opens with, or None if it opens with none.

    Args:
        tokens: The clause.
        plain: Whether it may hold no verb, no preposition and no 的.
    """
    if not tokens or tokens[0].tag in _NO_SUBJECT or tokens[0].word in ADVERBS:
        return None
    for place in range(len(tokens) - 1, 0, -1):
        if plain and any(token.tag in ("p", "uj", "v") for token in tokens[:place]):
            continue
        if tokens[place].word in NOUN_ENDINGS:
            continue
        begins = tokens[place].tag in _PREDICATE or _is_verb_for_once(tokens, place)
        if begins and is_noun_phrase(tokens[:place]):
            return place
    return None


def _is_verb_for_once(tokens: list[Token], place: int) -> bool:
    """Whether a word that is mostly a noun is a verb here: a quotation, a number or 了 follows."""
    following = tokens[place + 1].tag if place + 1 < len(tokens) else ""
    return tokens[place].tag == "vn" and following in ("quote", "m", "ul")


def spoken(tokens: list[Token]) -> tuple[tuple[int, int], ...]:
    """The ranges of words without brackets and without adverbs that link to what stood before."""
    found: list[tuple[int, int]] = []
    for token in tokens:
        if token.tag == "bracket" or token.word in LINKING_ADVERBS:
            continue
        if found and found[-1][1] == token.start:
            found[-1] = (found[-1][0], token.end)
        else:
            found.append((token.start, token.end))
    return tuple(found)


def topic_before(text: Text, start: int) -> tuple[int, int] | None:
    """The noun phrase that opens the sentence, set off by a comma from the clause that begins at `start`."""
    if len(text.clauses) < 2 or text.clauses[1][0] != start or text.masked[start - 1] != "，":
        return None
    opening = text.clauses[0]
    if re.search("\\d", text.masked[slice(*opening)]):
        return None
    tokens = text.tokens(*opening)
    if tokens[0].word in ADVERBS or tokens[0].tag in ("v", "t", "m") or not is_noun_phrase(tokens):
        return None
    return opening if 3 <= opening[1] - opening[0] <= 20 else None
