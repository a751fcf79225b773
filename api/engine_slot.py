"""Where the routes find the library and its engines: opened in a thread, absent until then.

So `/healthz` answers from the first moment and `/readyz` tells the truth. The slot opens one library once;
what changes in it is the library's own business: a request takes one engine from it and keeps that.
"""

from __future__ import annotations

import logging
import threading
from typing import Annotated, cast

import anyio.to_thread
from fastapi import Depends, Request

from api.fixed_library import as_library
from api.library_records import COLLECTION_NAME
from api.ports import Engine, Factory, Library
from rag.errors import CewenError, NotFoundError, UnavailableError
from rag.inputs import excerpt
from rag.metadata import Filters

_logger = logging.getLogger(__name__)


class EngineSlot:
    """Holds the library once it is open.

    Args:
        factory: Opens the library, or an engine; may take minutes, may raise.
    """

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._library: Library | None = None
        self._failure: Exception | None = None
        self._settled = threading.Event()
        self._begun = threading.Lock()

    def start(self) -> None:
        """Open the library in a thread of its own; later calls do nothing."""
        # A daemon: whoever stops a server that is still opening should not have to wait for it. What a
        # library writes while it opens must survive a kill anyway.
        threading.Thread(target=self.open, name="engine-opener", daemon=True).start()

    def open(self) -> None:
        """Open the library in this thread; later calls do nothing. A failure is kept and logged."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            library = as_library(self._factory())
            fingerprint = library.engine().fingerprint
        except Exception as error:  # whatever it is, the thread ends here and `get` tells every caller
            self._failure = error
            _logger.error("the engine could not be opened", exc_info=error)
        else:
            self._library = library
            _logger.info("engine open, fingerprint %s", fingerprint)
        finally:
            self._settled.set()

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until opening has ended, well or badly; False if it has not by then."""
        return self._settled.wait(timeout_seconds)

    def close(self) -> None:
        """Close the library if it is open and has something to close; it may be asked no more."""
        close = getattr(self._library, "close", None)
        if close is not None:
            close()

    def get(self) -> Engine:
        """An engine of the collection "default", as it is now.

        Raises:
            UnavailableError: `not_ready` while the library opens, `startup_failed` if it could not be opened.
        """
        return self.library().engine()

    @property
    def opened(self) -> Library | None:
        """The library, if it is open."""
        return self._library

    def library(self) -> Library:
        """The open library.

        Raises:
            UnavailableError: As for `get`.
        """
        if self._library is not None:
            return self._library
        if self._failure is None:
            raise UnavailableError("正在打开索引和模型，还不能作答。请稍后再试。", code="not_ready")
        cause = self._failure.code if isinstance(self._failure, CewenError) else "internal_error"
        raise UnavailableError(
            f"索引或模型打不开（{cause}），服务无法作答。请维护者按服务日志处理后重新启动。",
            code="startup_failed",
        )


# Those that only look are coroutines, because FastAPI would otherwise send each to a worker thread and back.
async def _library_of(request: Request) -> Library:
    return cast("EngineSlot", request.app.state.engine_slot).library()


async def _opened_library_of(request: Request) -> Library | None:
    return cast("EngineSlot", request.app.state.engine_slot).opened


def _engine_of(request: Request) -> Engine:
    return cast("EngineSlot", request.app.state.engine_slot).get()


OpenLibrary = Annotated[Library, Depends(_library_of)]
"""The library, for whoever chooses a collection; take one engine from it for a request, and keep that."""

OpenedLibrary = Annotated[Library | None, Depends(_opened_library_of)]
"""The library, or None as long as it is not open, for what can be told without it."""

OpenEngine = Annotated[Engine, Depends(_engine_of)]
"""An engine of the collection "default", one for the whole request."""


async def chosen_engine(library: Library, collection: str, filters: Filters | None = None) -> Engine:
    """One engine of a collection, for the whole request; got in a thread.

    Most are at hand, but one may have to be made for the filters, or follow what another process wrote.

    Raises:
        NotFoundError: With code `collection_not_found`. What cannot be a name never reaches the library.
    """
    if not COLLECTION_NAME.fullmatch(collection):
        raise NotFoundError(
            f"没有名为{excerpt(collection)}的文库。请用 GET /v1/collections 查看现有的。",
            code="collection_not_found",
        )
    return await anyio.to_thread.run_sync(library.engine, collection, filters)
