"""File names as labels: what a caller called a file, made safe to show and never used as a path."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MAX_NAME_CHARS = 255
UNNAMED = "未命名"

_SEPARATORS = re.compile(r"[/\\]")
# Marks that turn the direction of what follows: with them "cod.exe" reads as "exe.doc".
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def label_of(name: str) -> str:
    """The last component of a name, without control characters, of at most `MAX_NAME_CHARS` characters.

    A name that is too long keeps its suffix, which says what kind of file it is; one of which nothing but
    dots is left is `UNNAMED`.
    """
    kept = "".join(
        char
        for char in name
        if char in "/\\" or not (char in _TURNING or unicodedata.category(char) in _UNSEEN)
    )
    parts = [part.strip() for part in _SEPARATORS.split(kept)]
    last = next((part for part in reversed(parts) if part), "")
    if not last.strip("."):
        return UNNAMED
    if len(last) > MAX_NAME_CHARS:
        suffix = PurePosixPath(last).suffix
        suffix = suffix if len(suffix) < MAX_NAME_CHARS // 4 else ""
        last = last[: MAX_NAME_CHARS - len(suffix)].rstrip() + suffix
    return last
