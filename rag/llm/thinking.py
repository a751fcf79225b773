"""Drop the `<think>...</think>` blocks with which reasoning models may open their text, cut anywhere.

Only at the start: later the same letters are part of the answer. No more text is held back than could still
turn out to be the opening tag.
"""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkFilter:
    """Filters one text."""

    def __init__(self) -> None:
        self._held = ""
        self._state = "start"  # "start" (what comes may be a block), "inside" (one) or "text" (past them)
        self._dropped = False

    def feed(self, piece: str) -> str:
        """What may be shown, now that this piece has come."""
        if self._state == "text":
            return piece
        self._held += piece
        while True:
            if self._state == "inside":
                before, closed, after = self._held.partition(_CLOSE)
                if not closed:
                    self._held = before[-(len(_CLOSE) - 1) :]
                    return ""
                self._held, self._state = after, "start"
            rest = self._held.lstrip()
            if rest.startswith(_OPEN):
                self._held, self._state, self._dropped = rest[len(_OPEN) :], "inside", True
                continue
            if _OPEN.startswith(rest):
                return ""
            self._state = "text"
            return self._release()

    def finish(self) -> str:
        """What was held back, after the last piece; a block that never closes is dropped."""
        return self._release() if self._state == "start" else ""

    def _release(self) -> str:
        # White space belongs to the text, unless it only parts it from a block.
        shown = self._held.lstrip() if self._dropped else self._held
        self._held = ""
        return shown
