"""Characters that a PDF's program picked wrongly for a glyph, put right.

A font may draw 人 for two code points, the character and the radical ⼈; a program that goes back from glyph
to character may pick the radical. The reader sees no difference, a search finds nothing. Radicals and
compatibility ideographs therefore become the characters that they are drawn like, one for one. Nothing else
is normalised, and no other format needs this: only a PDF stores glyphs.
"""

from __future__ import annotations

import unicodedata

# Unicode folds the Kangxi radicals and compatibility ideographs by itself, but of this block nearly nothing.
_RADICALS = (
    "⺠民⺩王⻁虎⻄西⻅见⻆角⻈讠⻉贝⻋车⻐钅⻑長⻓长⻔门⻗雨⻘青⻙韦⻚页⻛风⻜飞⻝食⻠饣⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉"
    "⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟"
)
_KANGXI = range(0x2F00, 0x2FD6)
_COMPATIBILITY = range(0xF900, 0xFADA)


def _table() -> dict[int, str]:
    table = dict(zip(map(ord, _RADICALS[::2]), _RADICALS[1::2], strict=True))
    for code in (*_KANGXI, *_COMPATIBILITY):
        plain = unicodedata.normalize("NFKC", chr(code))
        if plain != chr(code):
            table[code] = plain
    return table


_TABLE = _table()


def true_characters(text: str) -> str:
    """The text with ordinary characters for radicals and compatibility ideographs; no length changes."""
    return text.translate(_TABLE)
