"""Which keys a server accepts: the static one of the settings, those of the store, or both.

A server that has once asked for a key goes on asking until it ends: revoking the last key must shut the
door, not open it.
"""

from __future__ import annotations

import hmac
import logging
import time
from collections.abc import Callable, Sequence
from threading import Lock

from api.keys.model import Key, KeyRing, KeyScope
from api.keys.secrets import digest, read_key_text
from api.keys.store import KeyStore, KeyStoreBusyError, StoredKey
from rag.errors import ConfigError

STATIC_KEY_ID = "CEWEN_API_KEY"
"""No id of a stored key looks like this."""

_STATIC_SCOPES: frozenset[KeyScope] = frozenset({"read", "ask", "write"})
_REREAD_SECONDS = 1.0
_BELIEVED_SECONDS = 2.0
_NOBODY = digest("")  # no secret has it: the text of a key has 43 characters of secret

_logger = logging.getLogger(__name__)


class StaticKeyRing:
    """One key, the same for all; may read, ask and write.

    Args:
        api_key: Its text; "" for a service that is open to all.
    """

    def __init__(self, api_key: str) -> None:
        self._digest = digest(api_key)
        self._key = Key(STATIC_KEY_ID, _STATIC_SCOPES) if api_key else None

    @property
    def required(self) -> bool:
        """Whether there is a key."""
        return self._key is not None

    def find(self, token: str) -> Key | None:
        """The key, if this is its text."""
        same = hmac.compare_digest(digest(token), self._digest)
        return self._key if same else None


class StoredKeyRing:
    """The keys of a store, read again when what is known of them is more than a second old.

    What another process creates or revokes is seen after that second. While the file cannot be read, the
    keys known are accepted for another second, which bridges a writer's commit, and then no more: a key
    may have been revoked meanwhile.

    Args:
        store: Where they are.
        clock: Seconds, monotonic.
    """

    def __init__(self, store: KeyStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock
        self._lock = Lock()
        self._active: dict[str, StoredKey] = {}
        self._read_at = -float("inf")
        self._ever_required = False
        self._complained = False

    @property
    def required(self) -> bool:
        """Whether there is an active key, or was one while this server has been running."""
        self._refresh()
        return self._ever_required

    def find(self, token: str) -> Key | None:
        """The key with this text; takes as long for an id that does not exist."""
        self._refresh()
        text = read_key_text(token)
        stored = self._active.get(text.key_id) if text else None
        kept = stored.secret_sha256 if stored else _NOBODY
        same = hmac.compare_digest(digest(text.secret if text else token), kept)
        return stored.key if stored and same else None

    def _refresh(self) -> None:
        with self._lock:
            now = self._clock()
            if now - self._read_at < _REREAD_SECONDS:
                return
            try:
                stored = self._store.all(busy_seconds=0.0)
            except (ConfigError, KeyStoreBusyError) as error:
                self._doubt(now, error)
                return
            self._active = {each.key.key_id: each for each in stored if each.revoked_at is None}
            self._ever_required = self._ever_required or bool(self._active)
            self._read_at, self._complained = now, False

    def _doubt(self, now: float, error: Exception) -> None:
        """Keep what is known for a moment, then nothing; a file that was never read shuts the door."""
        if now - self._read_at < _BELIEVED_SECONDS:
            return
        self._active, self._ever_required = {}, True
        if not self._complained:
            self._complained = True
            _logger.error("the access keys cannot be read, none of them is accepted", exc_info=error)


class JoinedKeyRing:
    """Several rings as one.

    Args:
        rings: All are asked, whichever knows the key, so that the time tells nothing.
    """

    def __init__(self, rings: Sequence[KeyRing]) -> None:
        self._rings = tuple(rings)

    @property
    def required(self) -> bool:
        """Whether any ring asks for a key."""
        return any(ring.required for ring in self._rings)

    def find(self, token: str) -> Key | None:
        """The key with this text."""
        found = [ring.find(token) for ring in self._rings]
        return next((key for key in found if key), None)
