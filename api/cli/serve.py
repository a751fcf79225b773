"""`cewen serve`: the application in uvicorn, with its address on stdout and everything else on stderr.

The socket is bound before anything else, so a taken port is known at once and port 0 has a number. The
library opens while the service already answers `/healthz`; if it cannot be opened, the service ends instead
of refusing every question. How it leaves: `api.observing.draining`; what it logs: `api.observing.logs`.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import socket
import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.text import Text

from api.app import create_app
from api.cli.console import Progress, progress_bar, stderr_console, stdout_console
from api.engine_slot import EngineSlot
from api.fixed_library import as_library
from api.guards.http_protocol import PromptH11Protocol
from api.keys.serving import is_loopback, ring_for
from api.library.memory import leave_unswept
from api.observing.draining import Leaving
from api.observing.logs import log_to
from api.ports import Engine, Library
from api.settings import MAX_CHAT_BODY_BYTES, ApiSettings
from rag.errors import ConfigError
from rag.settings import WILDCARDS, Settings, local_address

_GRACE_SECONDS = 10
_SETTLE_SECONDS = 0.2  # between a failure to open, which ends the service, and its being noted
_INTERRUPTED = 130
_UNREAD_MILLISECONDS = 30_000
# The parser gives up on unfinished headers with a bare 400; the service's own limit should be met first.
_PARSER_HEADER_BYTES = 262_144


def serve(settings: Settings, open_engine: Callable[[Settings, Progress], Engine | Library]) -> None:
    """Serve until interrupted.

    Args:
        settings: All of them; `public_url` becomes the bound address if it is empty.
        open_engine: Opens the library, or an engine; called once, in a thread.

    Raises:
        ConfigError: If the address cannot be bound, or strangers could come in without a key.
        CewenError: If the library cannot be opened.
    """
    console = _console_for_people(settings)
    failures: list[Exception] = []
    keys = ring_for(settings)
    with _listen(settings.host, settings.port) as listener:
        log_to(console, settings.log_level, as_json=settings.log_format == "json")
        address = local_address(settings.host, listener.getsockname()[1])
        settings = _with_public_url(settings, address)

        def opened() -> Library:
            try:
                with progress_bar(console) as told:
                    library = as_library(open_engine(settings, told))
            except Exception as error:
                failures.append(error)
                server.should_exit = True
                raise
            _say_who_writes(library, address, console)
            leave_unswept()
            documents = sum(info.documents for info in library.collections())
            console.print(f"模型和索引已就绪：{documents} 篇文章，可以提问了。")
            return library

        app = create_app(opened, _limits(settings), keys)
        server = _Server(
            _config(app), app.state.observing.leaving, lambda: _announce(settings, address, console)
        )
        try:
            server.run(sockets=[listener])
        finally:
            _leave_at_once_if_opening(app.state.engine_slot, 0 if server.terminated else _INTERRUPTED)
    if failures:
        raise failures[0]


class _Server(uvicorn.Server):
    """Says when it is ready to accept, and leaves in order.

    Attributes:
        terminated: Whether it was told to end by SIGTERM, which is no accident.
    """

    def __init__(self, config: uvicorn.Config, leaving: Leaving, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._leaving = leaving
        self._on_ready = on_ready
        self.terminated = False

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._leaving.begin()
        if sig == signal.SIGINT:
            super().handle_exit(sig, frame)
        else:
            # The base class would send itself the signal again at the end, and so not end with 0.
            self.terminated = self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) and (self._leaving.drained or self.force_exit)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def _limits(settings: Settings) -> ApiSettings:
    return ApiSettings(
        public_url=settings.public_url,
        local_only=is_loopback(settings.host),
        requests_per_minute=settings.requests_per_minute,
        cors_origins=tuple(filter(None, settings.cors_origins.split(","))),
        max_body_bytes=settings.max_body_bytes,
        max_chat_body_bytes=max(settings.max_body_bytes, MAX_CHAT_BODY_BYTES),
        max_concurrent=settings.max_concurrent,
        request_timeout_seconds=settings.request_timeout_seconds,
        drain_seconds=settings.drain_seconds,
        otlp_url=settings.otlp_url,
        data_dir=settings.data_dir,
        store_questions=settings.store_questions,
    )


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=PromptH11Protocol,
        ws="none",
        h11_max_incomplete_event_size=_PARSER_HEADER_BYTES,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _leave_at_once_if_opening(slot: EngineSlot, code: int) -> None:
    """End the process if the library is still being opened.

    The interpreter cannot end in an orderly way under torch's running threads; it aborts. What a library
    writes while it opens survives any end of the process.
    """
    if not slot.wait(_SETTLE_SECONDS):
        stderr_console().show_cursor(True)
        sys.stdout.flush()
        os._exit(code)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise ConfigError(
            f"无法监听 {host}:{port}：{'端口已被占用' if taken else error}。"
            "请用 --port 换一个端口（0 为任选空闲端口），或用 --host 换一个地址。"
        ) from error
    # Accepted sockets inherit it. asyncio would set it only if the socket named its protocol; without it the
    # second part of a reply waits some 40 ms for the receipt of the first.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # a reply of which nothing is read holds no socket for ever
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNREAD_MILLISECONDS)
    return listener


def _with_public_url(settings: Settings, address: str) -> Settings:
    # Bound to every address, none of them is the one others use; relative links are right for all.
    if settings.public_url or settings.host in WILDCARDS:
        return settings
    return settings.model_copy(update={"public_url": address})


def _console_for_people(settings: Settings) -> Console:
    """Stderr's, or one that says nothing where stderr is for programs."""
    if settings.log_format == "json":
        return Console(file=io.StringIO(), quiet=True, force_terminal=False)
    return stderr_console()


def _announce(settings: Settings, address: str, console: Console) -> None:
    """The address on stdout, once the service accepts connections."""
    stdout_console().print(Text.assemble("策问 ", (address, "bold cyan")))
    hint = "按 Ctrl-C 停止。"
    if settings.host in WILDCARDS and not settings.public_url:
        hint += "监听所有地址；引用链接是相对的，要给别的机器用，请设 CEWEN_PUBLIC_URL。"
    console.print(Text(hint, style="dim"))


def _say_who_writes(library: Library, address: str, console: Console) -> None:
    """Leave this address for a process that wants to write too, or say that there is one already."""
    if getattr(library, "writable", False):
        library.set_note(f"服务 {address}")  # type: ignore[attr-defined]
    elif hasattr(library, "writable"):
        console.print("文库由另一个进程在写，本服务只读：添加和删除请到那里去做，这里随后就能查到。")
