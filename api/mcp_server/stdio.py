"""`cewen mcp`: the MCP server over standard input and output, for a client that starts it itself.

Nothing but the protocol goes to standard output; the log goes to standard error and holds no question. The
engine opens while the client is already greeted; calls wait for it. The client ends the server by closing
standard input.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, TextIO

import anyio
import anyio.to_thread
from starlette.requests import Request

from api.engine_slot import EngineSlot
from api.guards.limits import AdmissionGate
from api.pages.links import linker_to
from api.ports import Engine, Factory, Library
from api.settings import ApiSettings
from rag.errors import CewenError
from rag.settings import Settings, local_address

if TYPE_CHECKING:
    from api.mcp_server.server import Provide

OPENING_SECONDS = 120.0
"""How long a call waits for the engine. Clients give up sooner or later; a later call finds it open."""

_INTERRUPTED = 130
_SETTLE_SECONDS = 0.2


def serve_stdio(settings: Settings, open_engine: Factory) -> None:
    """Serve until standard input ends.

    Args:
        settings: All of them.
        open_engine: Opens the library, or an engine; called once, in a thread.

    Raises:
        CewenError: If the engine could not be opened; raised at the end, after calls were told of it.
    """
    _log_to_stderr(settings.log_level)
    signal.signal(signal.SIGINT, _leave_at_once)
    failures: list[CewenError] = []

    def opened() -> Engine | Library:
        try:
            return open_engine()
        except CewenError as error:
            failures.append(error)
            raise

    slot = EngineSlot(opened)
    wire = _claim_stdout()
    try:
        anyio.run(_serve, slot, provide_from(slot, settings), wire)
    except* BrokenPipeError:
        # The client stopped reading; a last flush of what is left must not meet the closed pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), wire.fileno())
    if not slot.wait(_SETTLE_SECONDS):
        # The interpreter cannot end in an orderly way under torch's running threads; it aborts.
        _leave(0)
    slot.close()
    if failures:
        raise failures[0]


def _claim_stdout() -> TextIO:
    """Standard output for the protocol alone: from here on, what anything prints goes to standard error.

    The SDK does this too, but gives it back before a thread that still opens the engine has ended.
    """
    sys.stdout.flush()
    wire = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    return wire


async def _serve(slot: EngineSlot, provide: Provide, wire: TextIO) -> None:
    from mcp.server.stdio import stdio_server

    from api.mcp_server.server import make_server, names_of

    server = make_server(provide, lambda: names_of(slot.opened))
    slot.start()
    async with stdio_server(stdout=anyio.wrap_file(wire)) as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


def provide_from(
    slot: EngineSlot, settings: Settings, *, opening_seconds: float = OPENING_SECONDS
) -> Provide:
    """What gives each call its means: the engine once it is open, links to the service of the settings."""
    from api.mcp_server.server import Means

    link = linker_to(settings.public_url or local_address(settings.host, settings.port))
    limits = ApiSettings(max_concurrent=settings.max_concurrent)
    gate = AdmissionGate(
        max_concurrent=limits.max_concurrent,
        max_waiting=4 * limits.max_concurrent,  # one client, which may ask several things at once
        wait_seconds=limits.wait_seconds,
    )

    async def provide(_: Request | None) -> Means:
        await anyio.to_thread.run_sync(slot.wait, opening_seconds, abandon_on_cancel=True)
        return Means(slot.library(), link, gate)

    return provide


class _Formatter(logging.Formatter):
    """An error of ours says all there is to say in its message."""

    def formatException(  # noqa: N802 -- logging's name
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        error = ei[1]
        if isinstance(error, CewenError):
            return f"{error.message}（{error.code}）"
        return super().formatException(ei)


def _log_to_stderr(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("api", "index", "rag"):
        logging.getLogger(name).setLevel(level.upper())


def _leave_at_once(_: int, __: FrameType | None) -> None:
    # A thread blocks on standard input and cannot be told to stop; nothing has to be saved.
    _leave(_INTERRUPTED)


def _leave(code: int) -> None:
    sys.stderr.flush()
    os._exit(code)
