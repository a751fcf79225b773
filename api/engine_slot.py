"""Where the routes find the engine: opened in a thread, absent until then.

So `/healthz` answers from the first moment and `/readyz` tells the truth. The slot opens one engine once;
swapping in a new generation is the engine's own business.
"""

from __future__ import annotations

import logging
import threading
from typing import Annotated, cast

from fastapi import Depends, Request

from api.ports import Engine, EngineFactory
from rag.errors import CewenError, UnavailableError

_logger = logging.getLogger(__name__)


class EngineSlot:
    """Holds the engine once it is open.

    Args:
        factory: Opens the engine; may take minutes, may raise.
    """

    def __init__(self, factory: EngineFactory) -> None:
        self._factory = factory
        self._engine: Engine | None = None
        self._failure: Exception | None = None
        self._settled = threading.Event()
        self._begun = threading.Lock()

    def start(self) -> None:
        """Open the engine in a thread of its own; later calls do nothing."""
        # A daemon: whoever stops a server that is still opening should not have to wait for it. What an
        # engine writes while it opens must survive a kill anyway.
        threading.Thread(target=self.open, name="engine-opener", daemon=True).start()

    def open(self) -> None:
        """Open the engine in this thread; later calls do nothing. A failure is kept and logged."""
        if not self._begun.acquire(blocking=False):
            return
        try:
            self._engine = self._factory()
        except Exception as error:  # whatever it is, the thread ends here and `get` tells every caller
            self._failure = error
            _logger.error("the engine could not be opened", exc_info=error)
        else:
            _logger.info("engine open, fingerprint %s", self._engine.fingerprint)
        finally:
            self._settled.set()

    def wait(self, timeout_seconds: float) -> bool:
        """Wait until opening has ended, well or badly; False if it has not by then."""
        return self._settled.wait(timeout_seconds)

    def get(self) -> Engine:
        """The open engine.

        Raises:
            UnavailableError: `not_ready` while it opens, `startup_failed` if it could not be opened.
        """
        if self._engine is not None:
            return self._engine
        if self._failure is None:
            raise UnavailableError("正在打开索引和模型，还不能作答。请稍后再试。", code="not_ready")
        cause = self._failure.code if isinstance(self._failure, CewenError) else "internal_error"
        raise UnavailableError(
            f"索引或模型打不开（{cause}），服务无法作答。请维护者按服务日志处理后重新启动。",
            code="startup_failed",
        )


# Dependencies are coroutines because FastAPI would otherwise send each to a worker thread and back.
async def _engine_of(request: Request) -> Engine:
    return cast("EngineSlot", request.app.state.engine_slot).get()


OpenEngine = Annotated[Engine, Depends(_engine_of)]
