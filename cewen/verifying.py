"""Does a quote stand where it is said to stand? Plain arithmetic on a text, nothing of the service needed."""

from __future__ import annotations

import hashlib


def stands_at(
    quote: str, source_text: str, *, start_char: int, end_char: int, start_line: int, end_line: int
) -> bool:
    r"""Whether a stretch of a source is the quote, and stands on these lines.

    Args:
        quote: Not empty; white space in it and in the source does not count.
        source_text: The stored text, exactly as stored.
        start_char: First code point of the stretch, from 0.
        end_char: The code point after the last one.
        start_line: Line of the first code point, from 1; a line ends at "\n", which belongs to it.
        end_line: Line of the last one.
    """
    if not 0 <= start_char < end_char <= len(source_text):
        return False
    squeezed = _squeeze(quote)
    if not squeezed or _squeeze(source_text[start_char:end_char]) != squeezed:
        return False
    lines = (_line_of(source_text, start_char), _line_of(source_text, end_char - 1))
    return lines == (start_line, end_line)


def sha256_of(source_text: str) -> str:
    """Hex SHA-256 of the text in UTF-8, as the service gives it for a source."""
    # A lone surrogate is no text of a source, but must not raise here: it is just not the same.
    return hashlib.sha256(source_text.encode("utf-8", "surrogatepass")).hexdigest()


def _squeeze(text: str) -> str:
    return "".join(text.split())


def _line_of(text: str, index: int) -> int:
    return text.count("\n", 0, index) + 1
