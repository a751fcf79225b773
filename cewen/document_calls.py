"""The calls of `Client` about documents. `cewen.async_document_calls` is the same with `await`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cewen.adding import FileLike, Upload, added_by, added_or_job, seconds_at_once
from cewen.collection_calls import CollectionCalls
from cewen.envelopes import ExampleList
from cewen.library_models import Added, Described, Document, DocumentDetail, Removed
from cewen.library_requests import Listing, MetadataLike, describe_request, remove_request
from cewen.replies import parse
from cewen.requests import FiltersLike, document_request, examples_request, source_request


class DocumentCalls(CollectionCalls):
    """What there is, what comes and what goes."""

    def documents(
        self,
        *,
        collection: str | None = None,
        filters: FiltersLike | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Document, ...]:
        """The documents of a collection, in the order of their coming; all of them, page after page.

        Args:
            collection: Which. None: "default".
            filters: Only what matches; `document_ids` cannot be asked for here.
            limit: 1 or more; most documents. None: all.
            offset: How many to pass over.
        """
        return self._listed(Listing(collection, filters, limit, offset)).documents

    def documents_json(
        self,
        *,
        collection: str | None = None,
        filters: FiltersLike | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> str:
        """As `documents`, but gives the body of the reply; of several pages one body."""
        return self._listed(Listing(collection, filters, limit, offset)).body

    def document(self, document_id: str, *, collection: str | None = None) -> DocumentDetail:
        """One document with its paragraphs; without a collection, of the first that holds it.

        Raises:
            NotFoundError: If there is none of this id.
        """
        return parse(DocumentDetail, self._text(document_request(document_id, collection)))

    def source(self, document_id: str, *, collection: str | None = None) -> str:
        """The text that a document stands in, exactly as stored; offsets of citations count in it.

        Args:
            document_id: Of the document.
            collection: Which is tried first, such as that of the answer. Other documents of the same source
                may have been removed from one collection and not from another.

        Raises:
            NotFoundError: If there is no document of this id.
        """
        return self._text(source_request(document_id, collection))

    def examples(self, *, collection: str | None = None) -> tuple[str, ...]:
        """Questions that a collection answers; may be none."""
        return parse(ExampleList, self._text(examples_request(collection))).questions

    def add_text(
        self,
        text: str,
        *,
        name: str | None = None,
        metadata: MetadataLike | None = None,
        collection: str | None = None,
        origin: str | None = None,
        wait: float | None = None,
    ) -> Added:
        """Add a text; return when it is searchable. The same text is there once, however often it is added.

        Args:
            text: Stored as it is.
            name: A label, such as a file's name.
            metadata: What is known of it.
            collection: Where. None: "default".
            origin: What it belongs to. None: "upload".
            wait: Most seconds to wait until it is searchable; then `Added.job` goes on. None: to the end.

        Raises:
            JobFailedError: If it was accepted, and could not be added after all.
        """
        upload = Upload(text, None, name, metadata, collection, origin)
        return self._upload(upload, wait)

    def add_file(
        self,
        file: FileLike,
        *,
        name: str | None = None,
        metadata: MetadataLike | None = None,
        collection: str | None = None,
        origin: str | None = None,
        wait: float | None = None,
    ) -> Added:
        """As `add_text`, of a file: .txt, .md, .html, .docx or .pdf, which the service turns into text.

        Args:
            file: Its path, or its bytes; bytes need a `name` with the suffix that says what it is.
            name: As what it is sent. None: the name in the path.
            metadata: As for `add_text`; and so the rest.
            collection: As for `add_text`.
            origin: As for `add_text`.
            wait: As for `add_text`.

        Raises:
            ConfigError: If the file cannot be read.
            JobFailedError: As for `add_text`.
        """
        upload = Upload(None, file, name, metadata, collection, origin)
        return self._upload(upload, wait)

    def replace(
        self,
        identifier: str,
        *,
        text: str | None = None,
        file: FileLike | None = None,
        name: str | None = None,
        metadata: MetadataLike | None = None,
        collection: str | None = None,
        origin: str | None = None,
        wait: float | None = None,
    ) -> Added:
        """Put a text or a file in the place of a source, in one step: at no time are both there, or neither.

        Args:
            identifier: Id of the source, or of a document of it.
            text: As for `add_text`; either this or `file`.
            file: As for `add_file`.
            name: As for `add_text`; and so the rest.
            metadata: As for `add_text`.
            collection: As for `add_text`.
            origin: As for `add_text`.
            wait: As for `add_text`.

        Raises:
            NotFoundError: If there is none of this id.
            JobFailedError: As for `add_text`.
        """
        upload = Upload(text, file, name, metadata, collection, origin)
        return self._upload(upload, wait, identifier)

    def describe(
        self, identifier: str, changes: Mapping[str, Any], *, collection: str | None = None
    ) -> Described:
        """Change what is known of a source, and nothing else; when this returns, all use the new.

        Args:
            identifier: Id of the source, or of a document of it.
            changes: Fields of `Metadata` by name; None removes one, and what is not named stays.
            collection: Where. None: "default".

        Raises:
            NotFoundError: If there is none of this id.
            BadRequestError: With code `invalid_metadata` or `invalid_request`.
        """
        return parse(Described, self._text(describe_request(identifier, collection, changes)))

    def remove(self, identifier: str, *, collection: str | None = None) -> Removed:
        """Remove a document, or all documents of a source. When this returns, no request finds them.

        Raises:
            NotFoundError: If there is none of this id.
        """
        return parse(Removed, self._text(remove_request(identifier, collection)))

    def _listed(self, listing: Listing) -> Listing:
        while (request := listing.next_request()) is not None:
            listing.take(self._text(request))
        return listing

    def _upload(self, upload: Upload, wait: float | None, replaces: str | None = None) -> Added:
        at_once = seconds_at_once(wait, self._timeout)
        reply = added_or_job(self._text(upload.request(at_once, replaces)))
        if isinstance(reply, Added):
            return reply
        return added_by(self.wait_for(reply, seconds=None if wait is None else wait - at_once))
