"""What `create_app` needs of this package, in one object: the store, and who keeps the questions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.feedback.recording import QuestionRecorder
from api.feedback.store import FeedbackStore
from api.settings import ApiSettings
from rag.errors import ConfigError


class FeedbackService:
    """The feedback of one application; `app.state.feedback` is it.

    Args:
        settings: Where to keep it, and whether questions are kept too.

    Attributes:
        recorder: Keeps questions; None where that is not switched on.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self._store = FeedbackStore(settings.data_dir) if settings.data_dir else None
        wanted = settings.store_questions and self._store is not None
        self.recorder = QuestionRecorder(self._store) if self._store and wanted else None

    @property
    def store(self) -> FeedbackStore:
        """Where feedback is kept.

        Raises:
            ConfigError: If there is no folder for it.
        """
        if self._store is None:
            raise ConfigError("没有可以保存反馈的文件夹。请设 data_dir。", code="feedback_unusable")
        return self._store

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Until it is left; then what waits is written."""
        if self.recorder is None:
            yield
            return
        async with self.recorder.running():
            yield
