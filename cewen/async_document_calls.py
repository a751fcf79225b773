"""The calls of `AsyncClient` about documents: `cewen.document_calls` with `await`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cewen.adding import FileLike, Upload, added_by, added_or_job, seconds_at_once
from cewen.async_collection_calls import AsyncCollectionCalls
from cewen.envelopes import ExampleList
from cewen.library_models import Added, Described, Document, DocumentDetail, Removed
from cewen.library_requests import Listing, MetadataLike, describe_request, remove_request
from cewen.replies import parse
from cewen.requests import FiltersLike, document_request, examples_request, source_request


class AsyncDocumentCalls(AsyncCollectionCalls):
    """What there is, what comes and what goes."""

    async def documents(
        self,
        *,
        collection: str | None = None,
        filters: FiltersLike | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> tuple[Document, ...]:
        """As `Client.documents`."""
        return (await self._listed(Listing(collection, filters, limit, offset))).documents

    async def documents_json(
        self,
        *,
        collection: str | None = None,
        filters: FiltersLike | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> str:
        """As `Client.documents_json`."""
        return (await self._listed(Listing(collection, filters, limit, offset))).body

    async def document(self, document_id: str, *, collection: str | None = None) -> DocumentDetail:
        """As `Client.document`."""
        return parse(DocumentDetail, await self._text(document_request(document_id, collection)))

    async def source(self, document_id: str, *, collection: str | None = None) -> str:
        """As `Client.source`."""
        return await self._text(source_request(document_id, collection))

    async def examples(self, *, collection: str | None = None) -> tuple[str, ...]:
        """As `Client.examples`."""
        return parse(ExampleList, await self._text(examples_request(collection))).questions

    async def add_text(
        self,
        text: str,
        *,
        name: str | None = None,
        metadata: MetadataLike | None = None,
        collection: str | None = None,
        origin: str | None = None,
        wait: float | None = None,
    ) -> Added:
        """As `Client.add_text`."""
        upload = Upload(text, None, name, metadata, collection, origin)
        return await self._upload(upload, wait)

    async def add_file(
        self,
        file: FileLike,
        *,
        name: str | None = None,
        metadata: MetadataLike | None = None,
        collection: str | None = None,
        origin: str | None = None,
        wait: float | None = None,
    ) -> Added:
        """As `Client.add_file`."""
        upload = Upload(None, file, name, metadata, collection, origin)
        return await self._upload(upload, wait)

    async def replace(
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
        """As `Client.replace`."""
        upload = Upload(text, file, name, metadata, collection, origin)
        return await self._upload(upload, wait, identifier)

    async def describe(
        self, identifier: str, changes: Mapping[str, Any], *, collection: str | None = None
    ) -> Described:
        """As `Client.describe`."""
        return parse(Described, await self._text(describe_request(identifier, collection, changes)))

    async def remove(self, identifier: str, *, collection: str | None = None) -> Removed:
        """As `Client.remove`."""
        return parse(Removed, await self._text(remove_request(identifier, collection)))

    async def _listed(self, listing: Listing) -> Listing:
        while (request := listing.next_request()) is not None:
            listing.take(await self._text(request))
        return listing

    async def _upload(self, upload: Upload, wait: float | None, replaces: str | None = None) -> Added:
        at_once = seconds_at_once(wait, self._timeout)
        reply = added_or_job(await self._text(upload.request(at_once, replaces)))
        if isinstance(reply, Added):
            return reply
        return added_by(await self.wait_for(reply, seconds=None if wait is None else wait - at_once))
