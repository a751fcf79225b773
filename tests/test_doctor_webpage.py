"""The doctor in a browser's place: which page is the service's own, and which only stands where it should."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import httpx
import pytest

from api.doctor.connection import Connection
from api.doctor.context import Context
from api.doctor.model import SurfaceReport
from api.doctor.webpage import WEBPAGE

BASE = "https://qa.example.org"
OUR_PAGE = '<textarea id="question"></textarea><script type="module" src="static/ask.js"></script>'


def loaded(pages: dict[str, httpx.Response]) -> SurfaceReport:
    """What the doctor says of a page at https://qa.example.org/ where these addresses have answers."""
    transport = httpx.MockTransport(lambda request: pages.get(str(request.url), httpx.Response(404)))
    connection = Connection(BASE, "key-1", 1.0, transport=transport)
    try:
        return WEBPAGE.report(cast("Context", SimpleNamespace(connection=connection)))
    finally:
        connection.close()


def lost(report: SurfaceReport) -> set[str]:
    return {finding.check for finding in report.findings if finding.level == "lost"}


def html(text: str) -> httpx.Response:
    return httpx.Response(200, html=text, headers={"content-security-policy": "script-src 'self'"})


SCRIPT = httpx.Response(200, text="", headers={"content-type": "text/javascript"})


@pytest.mark.parametrize(
    ("pages", "red"),
    [
        ({"/": html(OUR_PAGE), "/static/ask.js": SCRIPT}, set()),
        ({"/": html(OUR_PAGE)}, {"assets"}),
        # Redirected on the same machine, the page's own addresses count from there.
        (
            {
                "/": httpx.Response(302, headers={"location": "/qa/"}),
                "/qa/": html(OUR_PAGE),
                "/qa/static/ask.js": SCRIPT,
            },
            set(),
        ),
        ({"/": html('<form><input id="user"></form><script src="/static/login.js"></script>')}, {"page"}),
        ({"/": html('<input id="question"><script src="/static/login.js"></script>')}, {"page"}),
        (
            {"/": html('<input id="question"><script src="https://cdn.example/static/ask.js"></script>')},
            {"page"},
        ),
    ],
)
def test_only_the_page_with_question_box_and_script_is_ours(
    pages: dict[str, httpx.Response], red: set[str]
) -> None:
    assert lost(loaded({f"{BASE}{path}": reply for path, reply in pages.items()})) == red


def test_a_redirect_elsewhere_is_lost_whatever_is_there() -> None:
    other = "https://sso.example.org/"
    report = loaded(
        {
            f"{BASE}/": httpx.Response(302, headers={"location": other}),
            other: html(OUR_PAGE),
            f"{other}static/ask.js": SCRIPT,
        }
    )
    (finding,) = report.findings
    assert (finding.check, finding.level) == ("page", "lost")
    assert other in finding.detail
