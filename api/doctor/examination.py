"""The whole examination: which surfaces, in which order, and the report as people and programs get it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from api.doctor.context import Context
from api.doctor.dify import DIFY
from api.doctor.mcp_client import GREETING, STATELESS
from api.doctor.model import Report, Surface, SurfaceReport, shortened
from api.doctor.native import NATIVE
from api.doctor.openapi import OPENAPI
from api.doctor.pages import PAGES
from api.doctor.perplexity import PERPLEXITY
from api.doctor.plain import PLAIN_TEXT
from api.doctor.sdk import SDK
from api.doctor.source import SOURCE
from api.doctor.stream import STREAM
from api.doctor.webpage import WEBPAGE
from api.doctor.webui import WEBUI

SURFACES: tuple[Surface, ...] = (
    NATIVE,
    STREAM,
    SOURCE,
    PAGES,
    WEBPAGE,
    WEBUI,
    SDK,
    PERPLEXITY,
    PLAIN_TEXT,
    DIFY,
    GREETING,
    STATELESS,
    OPENAPI,
)


def examine(context: Context) -> Iterator[SurfaceReport]:
    """Look at every surface, each when it is asked for."""
    for surface in SURFACES:
        yield surface.report(context)


def report_of(context: Context, surfaces: Sequence[SurfaceReport]) -> Report:
    """The report of what was looked at."""
    answer = context.asked.answer
    return Report(
        url=context.connection.base_url,
        question=context.question,
        status=answer.status if answer else None,
        fingerprint=shortened(answer.fingerprint) if answer else None,
        surfaces=tuple(surfaces),
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs."""
    surfaces = [{"name": each.name, "ok": each.ok} | asdict(each) for each in report.surfaces]
    return {"ok": report.ok} | asdict(report) | {"surfaces": surfaces}
