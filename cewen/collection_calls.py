"""Calls of `Client` about collections, jobs, old citations and feedback."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
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


class CollectionCalls(BaseClient):
    """`_text` is the client's way to get the text of a reply, with its retries."""

    _sleep: Callable[[float], object]

    @abstractmethod
    def _text(self, request: Request) -> str: ...

    def collections(self) -> tuple[Collection, ...]:
        """All collections, "default" first."""
        return parse(CollectionList, self._text(COLLECTIONS)).collections

    def create_collection(self, name: str) -> Collection:
        """Make an empty collection.

        Args:
            name: 1-64 lower-case letters, digits, "-" and "_".
        """
        return parse(Collection, self._text(create_collection_request(name)))

    def remove_collection(self, name: str) -> Collection:
        """Remove a collection with all it holds; what it was. "default" is emptied and stays.

        Raises:
            NotFoundError: If there is none of this name.
        """
        return parse(Collection, self._text(remove_collection_request(name)))

    def job(self, job_id: str) -> Job:
        """A job as it stands.

        Raises:
            NotFoundError: If there is none of this id; those that ended long ago are forgotten.
        """
        return parse(Job, self._text(job_request(job_id)))

    def wait_for(self, job: Job | str, *, seconds: float | None = None) -> Job:
        """A job once it has ended, well or badly.

        Args:
            job: The job, or its id.
            seconds: Most to wait; then the job as it stands. None: to the end.
        """
        job_id = job if isinstance(job, str) else job.job_id
        now = self.job(job_id)
        for pause in looks(seconds):
            if now.ended:
                break
            self._sleep(pause)
            now = self.job(job_id)
        return now

    def jobs(
        self, *, collection: str | None = None, states: Sequence[str] = (), limit: int | None = None
    ) -> tuple[Job, ...]:
        """The jobs that have not ended, and the last of those that have; the latest first.

        Args:
            collection: Of this one only.
            states: Of these only, e.g. "queued" or "failed".
            limit: 1-1000, most jobs. None: 100.
        """
        return parse(JobList, self._text(jobs_request(collection, states, limit))).jobs

    def cancel(self, job: Job | str) -> Job:
        """Call a job off: what it was to do is not there when this returns. May be called again.

        Args:
            job: The job, or its id.

        Raises:
            NotFoundError: If there is none of this id.
            BadRequestError: With code `job_ended` if it has ended otherwise, or is being written.
        """
        job_id = job if isinstance(job, str) else job.job_id
        return parse(Job, self._text(cancel_request(job_id)))

    def retry(self, job: Job | str) -> Job:
        """Do a job again that has failed and has kept its text (`Job.kept`).

        Args:
            job: The job, or its id.

        Raises:
            NotFoundError: If there is none of this id.
            BadRequestError: With code `job_ended` if it has kept none.
        """
        job_id = job if isinstance(job, str) else job.job_id
        return parse(JobBegun, self._text(retry_request(job_id))).job

    def reindex(self, collection: str | None = None, encoder: str | None = None) -> Job:
        """Begin to encode a collection anew; until that is done, the old index answers.

        Args:
            collection: Which. None: "default".
            encoder: The model to change to. None: the service's own.
        """
        return parse(JobBegun, self._text(reindex_request(collection, encoder))).job

    def calibrate(
        self, questions: Sequence[Mapping[str, Any]], *, collection: str | None = None, keep: bool = True
    ) -> Job:
        """Begin to fit the confidence of a collection to labelled questions; its job tells in the end.

        Args:
            questions: As lines of a question file of `cewen calibrate`, at least 15 of either kind.
            collection: Which. None: "default".
            keep: Whether to store what comes of it, if it helps.

        Returns:
            The job; once it is done, `calibrated` says what came of it.

        Raises:
            BadRequestError: With code `invalid_questions` if they are wrong or too few.
        """
        return parse(JobBegun, self._text(calibrate_request(collection, questions, keep=keep))).job

    def calibration(self, collection: str | None = None) -> Calibration | None:
        """The calibration that a collection ("default") has; None if there is none."""
        return parse(CalibrationFound, self._text(calibration_request(collection))).calibration

    def forget_calibration(self, collection: str | None = None) -> bool:
        """Forget the calibration of a collection ("default"); whether there was one."""
        return parse(CalibrationForgotten, self._text(forget_calibration_request(collection))).forgotten

    def resolve_citation(
        self, citation: Citation | Mapping[str, Any], *, collection: str | None = None
    ) -> Resolution:
        """What became of a citation: whether the words stand there still, and if not, what happened.

        Args:
            citation: It, or its `document_id`, `start_char`, `end_char` and, if known, `source_sha256` and
                `quote`.
            collection: Where to look. None: in all of them.
        """
        return parse(Resolution, self._text(resolve_request(citation, collection)))

    def feedback(self, answer_id: str, verdict: Literal["up", "down"], note: str | None = None) -> Feedback:
        """Say whether an answer helped. A later verdict on the same answer takes the place of an earlier one.

        Args:
            answer_id: `Answer.id`.
            verdict: "up" if it helped.
            note: In the reader's words, up to 2000 characters. It is kept.
        """
        return parse(Feedback, self._text(feedback_request(answer_id, verdict, note)))
