"""The collector of reference cycles, kept off the very many records of a library, which have none.

At 50,000 chunks one of its full sweeps takes a tenth of a second and more, in which nobody is answered, and
while the records are made it would sweep again and again.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_pauses = 0
_was_enabled = False


@contextmanager
def sweeping_paused() -> Iterator[None]:
    """No sweeps within the block, in no thread; for making records, not for waiting."""
    global _pauses, _was_enabled  # noqa: PLW0603 -- so is the collector
    with _lock:
        if not _pauses:
            _was_enabled = gc.isenabled()
            gc.disable()
        _pauses += 1
    try:
        yield
    finally:
        with _lock:
            _pauses -= 1
            if not _pauses and _was_enabled:
                gc.enable()


def leave_unswept() -> None:
    """Sweep once, and pass over all that is there now for ever; for a process that goes on to serve it.

    What is removed later is given back all the same: references are counted as ever.
    """
    gc.collect()
    gc.freeze()
