"""The text of a key, `cw_` + id + `_` + secret, and what is kept of it.

What is kept is the SHA-256 of the secret, without salt and without a slow function: those protect secrets
that people choose, because there are few enough to try them all. Ours are 256 random bits. Nobody tries
2^256 values, no table holds them, and no two keys have the same; so a fast hash on every request gives
nothing away, and a slow one would only be a way to keep the server busy.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass

_ID_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # nothing that is misread when it is typed
_ID_CHARS = 8
_SECRET_BYTES = 32
_TEXT = re.compile(r"cw_([a-z0-9]{8})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its holder has it.

    Attributes:
        key_id: Public.
        secret: 43 characters, 256 bits; not shown by `repr`.
    """

    key_id: str
    secret: str

    def __str__(self) -> str:
        return f"cw_{self.key_id}_{self.secret}"

    def __repr__(self) -> str:
        return f"KeyText({self.key_id!r})"


def new_key_text() -> KeyText:
    """A key that nobody has yet."""
    key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(_ID_CHARS))
    return KeyText(key_id, secrets.token_urlsafe(_SECRET_BYTES))


def read_key_text(token: str) -> KeyText | None:
    """The parts of a key's text; None if it has another form."""
    found = _TEXT.fullmatch(token)
    return KeyText(found[1], found[2]) if found else None


def digest(secret: str) -> bytes:
    """What is kept of a secret: 32 bytes."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
