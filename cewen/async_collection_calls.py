"""Calls of `AsyncClient`: `cewen.collection_calls` with `await`."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal

from cewen.adding import looks
from cewen.calibration_models import Calibration
from cewen.collection_requests import (
    COLLECTIONS,
    calibrate_request,
    calibration_request,
    cancel_request,
    create_collection_request,
    forget_calibration_request,
    job_request,
    jobs_request,
    reindex_request,
    remove_collection_request,
    resolve_request,
    retry_request,
)
from cewen.connection import BaseClient
from cewen.envelopes import CalibrationForgotten, CalibrationFound, CollectionList, JobBegun, JobList
from cewen.library_models import Collection, Job, Resolution
from cewen.models import Citation
from cewen.replies import parse
from cewen.requests import Request, feedback_request
from cewen.verdicts import Feedback


class AsyncCollectionCalls(BaseClient):
    """`_text` is the client's way to get the text of a reply, with its retries."""

    _sleep: Callable[[float], Awaitable[object]]

    @abstractmethod
    async def _text(self, request: Request) -> str: ...

    async def collections(self) -> tuple[Collection, ...]:
        """As `Client.collections`."""
        return parse(CollectionList, await self._text(COLLECTIONS)).collections

    async def create_collection(self, name: str) -> Collection:
        """As `Client.create_collection`."""
        return parse(Collection, await self._text(create_collection_request(name)))

    async def remove_collection(self, name: str) -> Collection:
        """As `Client.remove_collection`."""
        return parse(Collection, await self._text(remove_collection_request(name)))

    async def job(self, job_id: str) -> Job:
        """As `Client.job`."""
        return parse(Job, await self._text(job_request(job_id)))

    async def wait_for(self, job: Job | str, *, seconds: float | None = None) -> Job:
        """As `Client.wait_for`."""
        job_id = job if isinstance(job, str) else job.job_id
        now = await self.job(job_id)
        for pause in looks(seconds):
            if now.ended:
                break
            await self._sleep(pause)
            now = await self.job(job_id)
        return now

    async def jobs(
        self, *, collection: str | None = None, states: Sequence[str] = (), limit: int | None = None
    ) -> tuple[Job, ...]:
        """As `Client.jobs`."""
        return parse(JobList, await self._text(jobs_request(collection, states, limit))).jobs

    async def cancel(self, job: Job | str) -> Job:
        """As `Client.cancel`."""
        job_id = job if isinstance(job, str) else job.job_id
        return parse(Job, await self._text(cancel_request(job_id)))

    async def retry(self, job: Job | str) -> Job:
        """As `Client.retry`."""
        job_id = job if isinstance(job, str) else job.job_id
        return parse(JobBegun, await self._text(retry_request(job_id))).job

    async def reindex(self, collection: str | None = None, encoder: str | None = None) -> Job:
        """As `Client.reindex`."""
        return parse(JobBegun, await self._text(reindex_request(collection, encoder))).job

    async def calibrate(
        self, questions: Sequence[Mapping[str, Any]], *, collection: str | None = None, keep: bool = True
    ) -> Job:
        """As `Client.calibrate`."""
        return parse(JobBegun, await self._text(calibrate_request(collection, questions, keep=keep))).job

    async def calibration(self, collection: str | None = None) -> Calibration | None:
        """As `Client.calibration`."""
        return parse(CalibrationFound, await self._text(calibration_request(collection))).calibration

    async def forget_calibration(self, collection: str | None = None) -> bool:
        """As `Client.forget_calibration`."""
        return parse(CalibrationForgotten, await self._text(forget_calibration_request(collection))).forgotten

    async def resolve_citation(
        self, citation: Citation | Mapping[str, Any], *, collection: str | None = None
    ) -> Resolution:
        """As `Client.resolve_citation`."""
        return parse(Resolution, await self._text(resolve_request(citation, collection)))

    async def feedback(
        self, answer_id: str, verdict: Literal["up", "down"], note: str | None = None
    ) -> Feedback:
        """As `Client.feedback`."""
        return parse(Feedback, await self._text(feedback_request(answer_id, verdict, note)))
