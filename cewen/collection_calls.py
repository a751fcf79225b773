"""Calls of `Client` about collections, jobs, old citations and feedback."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, Literal

from cewen.adding import looks
from cewen.connection import BaseClient
from cewen.envelopes import CollectionList, JobBegun
from cewen.library_models import Collection, Job, Resolution
from cewen.library_requests import (
    COLLECTIONS,
    create_collection_request,
    job_request,
    reindex_request,
    remove_collection_request,
    resolve_request,
)
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

    def reindex(self, collection: str | None = None, encoder: str | None = None) -> Job:
        """Begin to encode a collection anew; until that is done, the old index answers.

        Args:
            collection: Which. None: "default".
            encoder: The model to change to. None: the service's own.
        """
        return parse(JobBegun, self._text(reindex_request(collection, encoder))).job

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
