"""What every converter's text goes through last: line ends, control characters, blank lines.

Not normalisation: letters, width and script stay as the document has them.
"""

from __future__ import annotations

import re

_LINE_ENDS = re.compile("\r\n|[\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_FORBIDDEN = "\\x00-\\x08\\x0b-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufdd0-\\ufdef\\ufffe\\uffff"
# Marks without width or meaning of their own; inside a word they would hide it from a search.
_INVISIBLE = "\\u00ad\\u200b\\u2060\\ufeff"
_DROPPED = re.compile(f"[{_FORBIDDEN}{_INVISIBLE}]")
_UNSOUND = re.compile(f"[{_FORBIDDEN}]")
_MANY_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Lines that end with one line feed, without control characters and without needless blank lines."""
    text = _DROPPED.sub("", _LINE_ENDS.sub("\n", text))
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    text = _MANY_BLANK_LINES.sub("\n\n", text).strip("\n")
    return f"{text}\n" if text else ""


def is_clean(text: str) -> bool:
    """Whether a text holds none of what `clean` must remove: the parent asks, it does not trust the child."""
    return not _UNSOUND.search(text)
