"""Names as labels: what a person called a file or a text, made safe to show on one line.

A label is never used as a path. All names go through here, wherever they come from, so that one written in
another way (as macOS spells é: e and an accent) is still the same one.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath

MAX_LABEL_CHARS = 255
UNNAMED = "未命名"

_SEPARATORS = re.compile(r"[/\\]")
# Marks that turn the direction of what follows: with them "cod.exe" reads as "exe.doc".
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_UNSEEN = frozenset({"Cc", "Cs", "Zl", "Zp"})


def without_turning(text: str) -> str:
    """The text without marks that turn the direction of what follows; everything else as it is."""
    return text if _TURNING.isdisjoint(text) else "".join(char for char in text if char not in _TURNING)


def same_name(name: str) -> str:
    """What two names have in common that are one name, spelt in composed or in decomposed characters."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def readable(name: str) -> str:
    """A name as the system gives it, as text: what is not UTF-8 in it cannot be stored or sent."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def label_of(name: str) -> str:
    """The last component of a name, without control characters, of at most `MAX_LABEL_CHARS` characters.

    A name that is too long keeps its suffix, which says what kind of file it is; one of which nothing but
    dots is left is `UNNAMED`.
    """
    last = next(reversed(_components(_SEPARATORS.split(name))), "")
    if not last.strip("."):
        return UNNAMED
    if len(last) > MAX_LABEL_CHARS:
        suffix = PurePosixPath(last).suffix
        suffix = suffix if len(suffix) < MAX_LABEL_CHARS // 4 else ""
        last = last[: MAX_LABEL_CHARS - len(suffix)].rstrip() + suffix
    return last


def place_label(place: str) -> str:
    """Where a file is in a folder that is synced, as a label: its folders, "/", and its name.

    Of one that is too long the outermost folders are left out.

    Args:
        place: Relative, with "/" between its components; "." and ".." are none.
    """
    *folders, last = place.split("/")
    named = [*(one for one in _components(folders) if one not in {".", ".."}), label_of(last)]
    while len("/".join(named)) > MAX_LABEL_CHARS and len(named) > 1:
        del named[0]
    return "/".join(named)


def _components(parts: list[str]) -> list[str]:
    """What is left of the components of a name without what cannot be seen, but for empty ones."""
    seen = ("".join(char for char in part if unicodedata.category(char) not in _UNSEEN) for part in parts)
    clean = (same_name(without_turning(part)).strip() for part in seen)
    return [part for part in clean if part]
