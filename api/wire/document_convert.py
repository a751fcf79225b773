"""Records of the library to the published JSON of `document_schemas`: every field is written out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from api.calibration_records import Calibrated, Calibration
from api.errors.codes import CODES, told
from api.library_records import CitationClaim, CollectionInfo, Entry, Job, Removed, Resolution, Said
from api.wire.calibration_schemas import CalibratedOut, CalibrationOut
from api.wire.convert import document_detail, document_out
from api.wire.document_schemas import (
    AddedReply,
    ClaimIn,
    CollectionOut,
    DescribedReply,
    EntryDetailOut,
    EntryOut,
    JobOut,
    MetadataChangeIn,
    RemovedReply,
    ResolutionOut,
)
from rag.metadata import check_metadata
from rag.records import Metadata


def entry_out(entry: Entry) -> EntryOut:
    """A document as the list shows it."""
    about = document_out(entry.document).model_dump()
    return EntryOut(**about, **_coming(entry))


def _coming(entry: Entry) -> dict[str, Any]:
    return {
        "origin": entry.origin,
        "added_at": entry.added_at,
        "original_sha256": entry.document.source.original_sha256,
    }


def entry_detail(entry: Entry) -> EntryDetailOut:
    """A document with its paragraphs."""
    detail = document_detail(entry.document).model_dump()
    return EntryDetailOut(**detail, **_coming(entry))


def added_reply(job: Job, entries: Iterable[Entry]) -> AddedReply:
    """What a job that is done has added.

    Args:
        job: The job.
        entries: The documents of its source.
    """
    return AddedReply(
        source_id=job.source_id or "",
        documents=[entry_out(entry) for entry in entries],
        created=job.created,
        replaced=list(job.replaced),
        notes=list(job.notes),
    )


def said_in(change: MetadataChangeIn) -> Said:
    """The change of metadata that a caller asks for.

    Raises:
        InputError: From what is returned, with code `invalid_metadata`.
    """
    nothing = asdict(Metadata())
    given = {name: getattr(change, name) for name in change.model_fields_set}
    changes = {name: nothing[name] if value is None else value for name, value in given.items()}
    return lambda said: check_metadata(**(asdict(said) | changes))


def described_reply(entries: Sequence[Entry]) -> DescribedReply:
    """The documents of a source, at least one, after what is said of it was changed."""
    return DescribedReply(source_id=entries[0].source_id, documents=[entry_out(entry) for entry in entries])


def job_out(job: Job) -> JobOut:
    """A job as it stands."""
    return JobOut(
        job_id=job.job_id,
        kind=job.kind,
        collection=job.collection,
        state=job.state,
        done=job.done,
        total=job.total,
        source_id=job.source_id,
        document_ids=list(job.document_ids),
        created=job.created,
        replaced=list(job.replaced),
        notes=list(job.notes),
        error_code=job.error_code,
        error_message=_told(job),
        kept=job.kept,
        calibrated=None if job.calibrated is None else calibrated_out(job.calibrated),
    )


def calibrated_out(calibrated: Calibrated) -> CalibratedOut:
    """What came of calibrating."""
    return CalibratedOut.model_validate(asdict(calibrated) | {"left_out": list(calibrated.left_out)})


def calibration_out(calibration: Calibration) -> CalibrationOut:
    """The calibration that a collection has."""
    fields = asdict(calibration)
    del fields["collection"]
    return CalibrationOut.model_validate(fields)


def removed_reply(removed: Removed) -> RemovedReply:
    """What a removal took away."""
    return RemovedReply(source_id=removed.source_id, document_ids=list(removed.document_ids))


def collection_out(info: CollectionInfo) -> CollectionOut:
    """A collection."""
    return CollectionOut(
        name=info.name,
        created_at=info.created_at,
        documents=info.documents,
        sources=info.sources,
        chunks=info.chunks,
        encoder=info.encoder,
        calibration=info.calibration,
        sequence=info.sequence,
    )


def claim_of(claim: ClaimIn) -> CitationClaim:
    """A citation that somebody kept, as the library wants it."""
    return CitationClaim(
        document_id=claim.document_id,
        start_char=claim.start_char,
        end_char=claim.end_char,
        source_sha256=claim.source_sha256,
        quote=claim.quote,
    )


def resolution_out(resolution: Resolution) -> ResolutionOut:
    """What became of a citation."""
    return ResolutionOut(
        status=resolution.status,
        document_id=resolution.document_id,
        message=resolution.message,
        replaced_by=list(resolution.replaced_by),
        found_in=resolution.found_in,
        start_char=resolution.start_char,
        end_char=resolution.end_char,
        start_line=resolution.start_line,
        end_line=resolution.end_line,
        quote=resolution.quote,
        url=resolution.url,
    )


def _told(job: Job) -> str | None:
    """What is said of a job that failed; of what concerns the operator alone no more than the table has.

    Whoever reindexes is the operator; which model can be named is his business (`api.library.reindexing`).
    """
    row = CODES.get(job.error_code or "")
    own = (job.kind, job.error_code) == ("reindex", "encoder_unusable")
    if row is None or job.error_message is None or own:
        return job.error_message
    return told(job.error_code or "", row, job.error_message)
