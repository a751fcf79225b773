"""Texts in a form of which SQLite keeps no copies: so that a deleted text is in the file no more.

With `secure_delete` SQLite overwrites what is deleted. But when it moves rows from one page to another, the
old place is left as it was, as free space of a page that is still in use; if the row is deleted later, only
the new place is overwritten. Rows move, overflow pages do not. So a text is filled up with zeros in such a
way that what stands in the row itself (SQLite's "Database File Format", 1.6) holds nothing of it, and all of
it is in overflow pages. It fills the last of them, so this costs about a kilobyte.
"""

from __future__ import annotations

PAGE_BYTES = 8192
"""The size of the file's pages; what follows depends on it."""

_OVERFLOW_BYTES = PAGE_BYTES - 4
_LENGTH_BYTES = 8
_FRONT_BYTES = 1200
# The least that stands in the row is 1003 bytes, and that is what it is if the rest fills its pages; header
# and rounding make it some more: 1100, which are fewer than there are zeros in front.
_IN_ROW_BYTES = 1100


def packed(text: bytes) -> bytes:
    """A text as it is stored: its length, zeros, the text, zeros."""
    needed = _FRONT_BYTES + len(text) - _IN_ROW_BYTES
    whole = _IN_ROW_BYTES + -(-needed // _OVERFLOW_BYTES) * _OVERFLOW_BYTES
    front = len(text).to_bytes(_LENGTH_BYTES, "big").ljust(_FRONT_BYTES, b"\0")
    return (front + text).ljust(whole, b"\0")


def unpacked(body: bytes) -> bytes | None:
    """The text in what `packed` gave; None if that is not what it gave."""
    length = int.from_bytes(body[:_LENGTH_BYTES], "big")
    text = body[_FRONT_BYTES : _FRONT_BYTES + length]
    return text if packed(text) == body else None
