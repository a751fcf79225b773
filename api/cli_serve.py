"""`cewen serve`: the application in uvicorn, with its address on stdout and everything else on stderr.

The socket is bound before anything else, so a taken port is known at once and port 0 has a number. The
engine opens while the service already answers `/healthz`; if it cannot be opened, the service ends instead
of refusing every question. The log never holds a question: bodies are not logged and query strings are
cut off.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn
from fastapi import FastAPI
from rich.console import Console
from rich.text import Text

from api.app import create_app
from api.cli_console import Progress, progress_bar, stderr_console, stdout_console
from api.engine_slot import EngineSlot
from api.ports import Engine
from api.settings import MAX_CHAT_BODY_BYTES, ApiSettings
from rag.errors import CewenError, ConfigError
from rag.settings import Settings

_WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 -- recognised, not bound
_GRACE_SECONDS = 10
_SETTLE_SECONDS = 0.2  # between a failure to open, which ends the service, and its being noted
_INTERRUPTED = 130
# The parser gives up on unfinished headers with a bare 400; the service's own limit should be met first.
_PARSER_HEADER_BYTES = 262_144


def serve(settings: Settings, open_engine: Callable[[Settings, Progress], Engine]) -> None:
    """Serve until interrupted.

    Args:
        settings: All of them; `public_url` becomes the bound address if it is empty.
        open_engine: Opens the engine; called once, in a thread.

    Raises:
        ConfigError: If the address cannot be bound.
        CewenError: If the engine cannot be opened.
    """
    console = stderr_console()
    failures: list[Exception] = []
    with _listen(settings.host, settings.port) as listener:
        _log_to(console, settings.log_level)
        address = _address(settings.host, listener.getsockname()[1])
        settings = _with_public_url(settings, address)

        def opened() -> Engine:
            try:
                with progress_bar(console) as told:
                    engine = open_engine(settings, told)
            except Exception as error:
                failures.append(error)
                server.should_exit = True
                raise
            console.print(f"模型和索引已就绪：{len(engine.documents())} 篇文章，可以提问了。")
            return engine

        app = create_app(opened, _limits(settings))
        server = _Server(_config(app), lambda: _announce(settings, address))
        try:
            server.run(sockets=[listener])
        finally:
            _leave_at_once_if_opening(app.state.engine_slot)
    if failures:
        raise failures[0]


class _Server(uvicorn.Server):
    """Says when it is ready to accept."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()


def _limits(settings: Settings) -> ApiSettings:
    return ApiSettings(
        public_url=settings.public_url,
        api_key=settings.api_key.get_secret_value(),
        max_body_bytes=settings.max_body_bytes,
        max_chat_body_bytes=max(settings.max_body_bytes, MAX_CHAT_BODY_BYTES),
        max_concurrent=settings.max_concurrent,
    )


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        h11_max_incomplete_event_size=_PARSER_HEADER_BYTES,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )


def _leave_at_once_if_opening(slot: EngineSlot) -> None:
    """End the process if the engine is still being opened.

    The interpreter cannot end in an orderly way under torch's running threads; it aborts. What an engine
    writes while it opens survives any end of the process.
    """
    if not slot.wait(_SETTLE_SECONDS):
        stderr_console().show_cursor(True)
        sys.stdout.flush()
        os._exit(_INTERRUPTED)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        raise ConfigError(
            f"无法监听 {host}:{port}：{'端口已被占用' if taken else error}。"
            "请用 --port 换一个端口（0 为任选空闲端口），或用 --host 换一个地址。"
        ) from error


def _address(host: str, port: int) -> str:
    """Where this machine reaches the service."""
    name = "127.0.0.1" if host in _WILDCARDS else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


def _with_public_url(settings: Settings, address: str) -> Settings:
    # Bound to every address, none of them is the one others use; relative links are right for all.
    if settings.public_url or settings.host in _WILDCARDS:
        return settings
    return settings.model_copy(update={"public_url": address})


def _announce(settings: Settings, address: str) -> None:
    """The address on stdout, once the service accepts connections."""
    stdout_console().print(Text.assemble("策问 ", (address, "bold cyan")))
    hint = "按 Ctrl-C 停止。"
    if settings.host in _WILDCARDS and not settings.public_url:
        hint += "监听所有地址；引用链接是相对的，要给别的机器用，请设 CEWEN_PUBLIC_URL。"
    stderr_console().print(Text(hint, style="dim"))


class _ConsoleHandler(logging.Handler):
    """Log records through the console, so that they and the progress bar do not overwrite each other."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and isinstance(record.exc_info[1], CewenError):
            error = record.exc_info[1]
            record = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
            record.msg, record.args = f"{record.getMessage()}: {error.message} ({error.code})", ()
        self._console.print(Text(self.format(record)), soft_wrap=True)


def _log_to(console: Console, level: str) -> None:
    """Our own messages and the access log at the level set, those of libraries from WARNING up."""
    logging.basicConfig(level=logging.WARNING, handlers=[_ConsoleHandler(console)], force=True)
    for name in ("api", "index", "rag", "uvicorn.access"):
        logging.getLogger(name).setLevel(level.upper())
    # Why the engine could not be opened is said once, when the service has ended.
    logging.getLogger("api.engine_slot").addFilter(lambda record: record.levelno < logging.ERROR)
    logging.getLogger("uvicorn.access").addFilter(_without_query_string)


def _without_query_string(record: logging.LogRecord) -> bool:
    arguments: Any = record.args
    if isinstance(arguments, tuple) and len(arguments) == 5:
        client, method, path, version, status = arguments
        record.args = (client, method, str(path).partition("?")[0], version, status)
    return True
