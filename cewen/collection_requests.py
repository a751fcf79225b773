"""What is sent about collections, their calibration, jobs and old citations. As `requests`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cewen.errors import NotFoundError
from cewen.models import Citation
from cewen.requests import Request, is_segment, json_body, query_of, segment

COLLECTIONS = Request("GET", "/v1/collections")


def create_collection_request(name: str) -> Request:
    """`POST /v1/collections`."""
    return Request("POST", "/v1/collections", body=json_body({"name": name}), repeatable=False)


def remove_collection_request(name: str) -> Request:
    """`DELETE /v1/collections/{name}`.

    Raises:
        NotFoundError: If that is no name.
    """
    return Request("DELETE", _collection_path(name), repeatable=False)


def job_request(job_id: str) -> Request:
    """`GET /v1/jobs/{id}`.

    Raises:
        NotFoundError: If that is no id.
    """
    return Request("GET", _job_path(job_id))


def jobs_request(collection: str | None, states: Sequence[str], limit: int | None) -> Request:
    """`GET /v1/jobs`."""
    return Request("GET", f"/v1/jobs{query_of({'collection': collection, 'state': states, 'limit': limit})}")


def cancel_request(job_id: str) -> Request:
    """`DELETE /v1/jobs/{id}`.

    Raises:
        NotFoundError: If that is no id.
    """
    return Request("DELETE", _job_path(job_id))  # cancelled again, the answer is the same


def retry_request(job_id: str) -> Request:
    """`POST /v1/jobs/{id}/retry`.

    Raises:
        NotFoundError: If that is no id.
    """
    return Request("POST", f"{_job_path(job_id)}/retry", repeatable=False)


def calibrate_request(
    collection: str | None, questions: Sequence[Mapping[str, Any]], *, keep: bool
) -> Request:
    """`POST /v1/collections/{name}/calibration`.

    Raises:
        NotFoundError: If that is no name.
    """
    body = json_body({"questions": [dict(one) for one in questions], "keep": keep})
    return Request("POST", f"{_collection_path(collection)}/calibration", body=body, repeatable=False)


def calibration_request(collection: str | None) -> Request:
    """`GET /v1/collections/{name}/calibration`.

    Raises:
        NotFoundError: If that is no name.
    """
    return Request("GET", f"{_collection_path(collection)}/calibration")


def forget_calibration_request(collection: str | None) -> Request:
    """`DELETE /v1/collections/{name}/calibration`.

    Raises:
        NotFoundError: If that is no name.
    """
    return Request("DELETE", f"{_collection_path(collection)}/calibration", repeatable=False)


def reindex_request(collection: str | None, encoder: str | None) -> Request:
    """`POST /v1/admin/reindex`."""
    body = json_body({"collection": collection, "encoder": encoder})
    return Request("POST", "/v1/admin/reindex", body=body, repeatable=False)


def resolve_request(citation: Citation | Mapping[str, Any], collection: str | None) -> Request:
    """`POST /v1/citations/resolve`."""
    claimed = ("document_id", "start_char", "end_char", "source_sha256", "quote")
    whole = citation.model_dump() if isinstance(citation, Citation) else citation
    fields = {name: whole.get(name) for name in claimed} | {"collection": collection}
    return Request("POST", "/v1/citations/resolve", body=json_body(fields))


def _collection_path(name: str | None) -> str:
    name = "default" if name is None else name
    if not is_segment(name):
        raise NotFoundError(
            f"没有名为 {name!r} 的文库。请用 collections() 查看现有的。", code="collection_not_found"
        )
    return f"/v1/collections/{segment(name)}"


def _job_path(job_id: str) -> str:
    if not is_segment(job_id):
        raise NotFoundError(f"没有编号为 {job_id!r} 的任务。", code="job_not_found")
    return f"/v1/jobs/{segment(job_id)}"
