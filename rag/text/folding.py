"""Fold text for comparison: width, script, variants, case, quotation marks, spacing. Never for showing.

Folding is what lets "ＡＩ 賦能" match "AI赋能". Its result is compared, tokenised or encoded and then
thrown away; offsets into it mean nothing.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Any

from rag.text.characters import HAN
from rag.text.variants import VARIANTS

_QUOTES = str.maketrans(dict.fromkeys("“”„‟「」『』＂", '"') | dict.fromkeys("‘’＇", "'"))
_ONE_FOR_ONE = _QUOTES | VARIANTS
_DASHES = re.compile(r"[‐‑‒–—―－]+")
SPACE_BESIDE_HAN = re.compile(r"(?<=[^\x00-\x7f])\s+|(?<!\s)\s+(?=[^\x00-\x7f])")
"""Of a run of white space only the first is tried: from each of them it would cost the square of the run."""
_SPACES = re.compile(r"\s+")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u2060\ufeff\u00ad]")
_HAN = re.compile(f"[{HAN}]")


@lru_cache(maxsize=1)
def _converter() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


def to_simplified(text: str) -> str:
    """Traditional characters to simplified ones (OpenCC's `t2s` dictionaries).

    What was changed is converted again: a few characters have two steps to go (薴 to 苧 to 苎).
    """
    simplified: str = _converter().convert(text)
    if simplified != text:
        simplified = _converter().convert(simplified)
    return simplified


def fold(text: str) -> str:
    """The form in which two texts are compared.

    NFKC width and compatibility forms, lower case, simplified script without variant characters, straight
    quotes, one dash, no invisible characters, no white space beside a Chinese character. Folding again
    changes nothing.
    """
    text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", text)).translate(_ONE_FOR_ONE)
    text = _DASHES.sub("-", to_simplified(text)).casefold()
    text = _SPACES.sub(" ", SPACE_BESIDE_HAN.sub("", text)).strip()
    # Closing up and lower case may have brought a letter and its accent together.
    return unicodedata.normalize("NFKC", text)


def fold_for_encoder(text: str) -> str:
    """A milder form for the encoder, which knows case and punctuation: width and script only."""
    text = _INVISIBLE.sub("", text)
    return _SPACES.sub(" ", to_simplified(unicodedata.normalize("NFKC", text))).strip()


def has_han(text: str) -> bool:
    """Whether the text has any Chinese character."""
    return bool(_HAN.search(text))


def squeeze(text: str) -> str:
    """The text with all white space removed: the form in which a quotation equals its source."""
    return "".join(text.split())
