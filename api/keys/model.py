"""What an access key is and what it allows. Knows neither files nor HTTP.

Scopes are few and nested, because whoever may ask sees passages anyway: `ask` and `write` include `read`,
`admin` includes all. Which route needs which of them stands in `api.guards.auth`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, get_args

KeyScope = Literal["read", "ask", "write", "admin"]
SCOPES: tuple[KeyScope, ...] = get_args(KeyScope)

_INCLUDED: dict[KeyScope, frozenset[KeyScope]] = {
    "read": frozenset({"read"}),
    "ask": frozenset({"read", "ask"}),
    "write": frozenset({"read", "write"}),
    "admin": frozenset(SCOPES),
}


@dataclass(frozen=True, slots=True)
class Key:
    """Whoever has shown a valid key; never the secret itself, so it may be logged.

    Attributes:
        key_id: Names the key; public.
        scopes: As granted, without what they include.
        per_minute: Requests a minute; 0 without limit, None as the service has it for all.
    """

    key_id: str
    scopes: frozenset[KeyScope]
    per_minute: int | None = None

    def allows(self, scope: KeyScope) -> bool:
        """Whether a granted scope is or includes this one."""
        return any(scope in _INCLUDED[granted] for granted in self.scopes)


class KeyRing(Protocol):
    """The keys that a server accepts. Asked on every request, so neither call may take long."""

    @property
    def required(self) -> bool:
        """Whether callers must bring a key."""
        ...

    def find(self, token: str) -> Key | None:
        """The key with this text; None if it is not, or no longer, valid."""
        ...
