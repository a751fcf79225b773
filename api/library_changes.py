"""The half of the port `api.ports.Library` that changes something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from api.library_records import CollectionInfo, Job, Removed, Said, Upload


class LibraryChanges(Protocol):
    """What can be done to a library. Synchronous, safe to call from threads."""

    def create_collection(self, name: str) -> CollectionInfo:
        """Make an empty collection.

        Raises:
            InputError: With code `invalid_collection_name`, or `collection_exists`.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def remove_collection(self, name: str) -> CollectionInfo:
        """Remove a collection with all it holds; what it was. "default" is emptied and stays.

        Raises:
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        """Begin to add a text, or to put it in the place of another; see `Job`. `wait` for its end.

        Args:
            collection: Where.
            upload: The text.
            replaces: Id of a document or source; all documents of that source give way in the same change.

        Raises:
            NotFoundError: With code `collection_not_found`, or `document_not_found` for `replaces`.
            InputError: With code `document_without_text` or `document_conflict`.
            UnavailableError: With code `library_read_only`, or `overloaded` if too many wait.
        """
        ...

    def cancel(self, job_id: str) -> Job:
        """Call a job off; what it was to do is not there, also after a kill. May be called again.

        Raises:
            NotFoundError: With code `job_not_found`.
            InputError: With code `job_ended` if it has ended otherwise, or is being written.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def retry(self, job_id: str) -> Job:
        """Do a job again that has failed and has kept its text (`Job.kept`), under the same name.

        Raises:
            NotFoundError: With code `job_not_found`.
            InputError: With code `job_ended` if it has kept none.
            UnavailableError: With code `library_read_only`, or `overloaded` if too many wait.
        """
        ...

    def describe(self, collection: str, identifier: str, said: Said) -> tuple[str, ...]:
        """Change what is said of a source, and nothing else: at once, and nothing is encoded.

        Args:
            collection: Where.
            identifier: Id of the source, or of a document of it.
            said: From what is said of it to what is to be said; what it raises is raised.

        Returns:
            Ids of its documents.

        Raises:
            NotFoundError: With code `collection_not_found` or `document_not_found`.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def remove(self, collection: str, identifier: str) -> Removed:
        """Remove a document, or all documents of a source: when this returns, no request finds them.

        Raises:
            NotFoundError: With code `collection_not_found` or `document_not_found`.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def reindex(self, collection: str, encoder: str | None) -> Job:
        """Begin to encode a collection anew beside the live index; it is swapped in whole at the end.

        Args:
            collection: Which.
            encoder: The model to change to; None for the one that the settings name.

        Raises:
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_read_only`.
        """
        ...

    def calibrate(self, collection: str, questions: Sequence[Any], *, keep: bool) -> Job:
        """Begin to fit the confidence of a collection to labelled questions: parsed lines of a file.

        `Job.calibrated` tells in the end what came of it, and whether it was stored: if it helps, and `keep`.

        Raises:
            NotFoundError: With code `collection_not_found`.
            InputError: With code `invalid_questions`.
            UnavailableError: With code `library_read_only` if it is to be stored, or `overloaded`.
        """
        ...

    def forget_calibration(self, collection: str) -> bool:
        """Forget the calibration of a collection's encoder; whether there was one.

        Raises:
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_read_only`.
        """
        ...
