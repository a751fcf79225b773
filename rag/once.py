"""A value that is made when it is first wanted, and then kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast

Made = TypeVar("Made")


class Once(Generic[Made]):
    """Holds what was made. Safe to call from threads: whoever comes meanwhile waits for the same value."""

    __slots__ = ("_lock", "_made")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[Made] | None = None

    def get(self, make: Callable[[], Made]) -> Made:
        """The value; `make` is called if there is none yet. What it raises is raised, and nothing is kept."""
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = (make(),)
        return self._made[0]


class Findings:
    """What is found of one thing, by names; each made when first wanted, and then kept. Safe for threads."""

    __slots__ = ("_lock", "_made")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[str, Any] = {}

    def get(self, name: str, make: Callable[[], Made]) -> Made:
        """What is found under a name, which always has the same type; as `Once.get`."""
        if name not in self._made:
            with self._lock:
                if name not in self._made:
                    self._made[name] = make()
        return cast("Made", self._made[name])
