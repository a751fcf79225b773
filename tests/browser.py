"""A real browser for the pages: where it comes from, what is watched while it shows one, and a site."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from rag.records import AnswerEvent, Document
from tests.api_fakes import FakeEngine

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route, WebError

_PATIENCE_S = 30  # the machine may be busy with something else
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# What a page does by itself, noted from its first moment: layout that moved, and when the focus came.
_NOTES = """
window.notes = { shifts: [], focused: null };
const note = (entries) => {
  for (const entry of entries) {
    if (entry.hadRecentInput) continue;
    const moved = entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName);
    window.notes.shifts.push({ value: entry.value, moved });
  }
};
const shifting = new PerformanceObserver((list) => note(list.getEntries()));
shifting.observe({ type: "layout-shift", buffered: true });
window.notes.catchUp = () => note(shifting.takeRecords());
document.addEventListener("focusin", (event) => {
  window.notes.focused ??= { id: event.target.id, at: performance.now() };
});
"""

# Two frames: what was due is laid out and painted, and what it moved has been noted; then what timers left.
_SETTLED = """() => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)));
})"""

_FORGET = "try { localStorage.clear(); sessionStorage.clear(); } catch { /* forbidden by the test */ }"

# WCAG 2.2 A and AA, and axe's best practices.
_AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Only what is wrong comes back: all that axe looked at is megabytes.
_AXE = """async (options) => (await axe.run(options)).violations.map(
  ({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`
)"""


def executable() -> str:
    """Where the browser is."""
    found = os.environ.get("TEST_BROWSER") or next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.fail(
            "no Chromium found: `make browser` installs it, or set TEST_BROWSER to one", pytrace=False
        )
    return found


@contextmanager
def launched() -> Iterator[Browser]:
    """A headless Chromium until the block ends.

    Its driver keeps an event loop running in this thread, so tests that start one of their own must come
    before or after.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()


class KeptBrowser:
    """A browser that is launched when first wanted and stays until it is closed."""

    def __init__(self) -> None:
        self._browser: Browser | None = None
        self._open = ExitStack()

    def get(self) -> Browser:
        """The browser."""
        if self._browser is None:
            self._browser = self._open.enter_context(launched())
        return self._browser

    def close(self) -> None:
        """Close it, if there is one."""
        self._browser = None
        self._open.close()


KEPT = KeptBrowser()
"""For test files one after the other, as launching takes longer than most tests."""


class Tabs:
    """Opens pages and holds against them whatever no page of ours may do.

    That is: ask another origin for anything, raise an error, write one to the console. What the console says
    about a refused request is the browser's own remark; `refusals` lets it pass.
    """

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        # One for all pages without wishes of their own, since making one takes longer than most tests.
        self._shared = browser.contexts[0] if browser.contexts else self._context()
        self._watch(self._shared)
        self._own: list[BrowserContext] = []
        self.problems: list[str] = []
        self.refusals = False

    def open(self, url: str | None = None, **options: Any) -> Page:
        """A page at `url`, or still empty; it finds nothing stored."""
        context = self._context(**options) if options else self._shared
        if options:
            self._watch(context)
            self._own.append(context)
        page = context.new_page()
        if url:
            page.goto(url)
        return page

    def close(self) -> None:
        """Close all, forget what they stored, and fail for what was noted."""
        for context in self._own:
            context.close()
        for name in ("request", "console", "weberror"):
            self._shared.remove_listener(name, self._listeners()[name])
        self._shared.clear_permissions()
        for page in self._shared.pages:
            if page.url.startswith("http"):
                page.evaluate(_FORGET)
            page.close()
        assert self.problems == []

    def _context(self, **options: Any) -> BrowserContext:
        context = self._browser.new_context(**{"viewport": {"width": 1000, "height": 800}, **options})
        context.set_default_timeout(1000 * _PATIENCE_S)
        context.add_init_script(_NOTES)
        return context

    def _watch(self, context: BrowserContext) -> None:
        for name, listener in self._listeners().items():
            context.on(name, listener)  # type: ignore[call-overload]

    def _listeners(self) -> dict[str, Callable[[Any], None]]:
        return {
            "request": self._note_request,
            "console": self._note_message,
            "weberror": self._note_error,
        }

    def _note_error(self, error: WebError) -> None:
        self.problems.append(str(error.error))

    def _note_request(self, request: Request) -> None:
        if urlsplit(request.url).hostname != "127.0.0.1":
            self.problems.append(f"asked for {request.url}")

    def _note_message(self, message: ConsoleMessage) -> None:
        refusal = message.text.startswith("Failed to load resource")
        if message.type in {"error", "warning"} and not (refusal and self.refusals):
            self.problems.append(f"{message.type}: {message.text}")


class PacedEngine(FakeEngine):
    """The fake engine, whose streams can be made to wait at each event until the test lets it go."""

    def __init__(self, held: Sequence[Document] | None = None) -> None:
        super().__init__(held=held)
        self._paced = False
        self._tickets = threading.Semaphore(0)

    def stream(self, question: str, **options: Any) -> Iterator[AnswerEvent]:
        return self._held(super().stream(question, **options))

    def _held(self, events: Iterator[AnswerEvent]) -> Iterator[AnswerEvent]:
        for event in events:
            if self._paced:
                assert self._tickets.acquire(timeout=20)
            yield event

    @contextmanager
    def paced(self) -> Iterator[threading.Semaphore]:
        """Each release of what this gives lets one event go; the end of the block lets all go."""
        self._paced, self._tickets = True, threading.Semaphore(0)
        try:
            yield self._tickets
        finally:
            self._paced = False
            self._tickets.release(1000)


class Site:
    """A service with the fake engine behind a real socket."""

    def __init__(self, url: str, engine: PacedEngine, data_dir: Path) -> None:
        self.url = url  # with the path prefix, if it has one
        self.engine = engine
        self.data_dir = data_dir  # where feedback lies


@contextmanager
def serving_site(root: str = "", held: Sequence[Document] | None = None) -> Iterator[Site]:
    """The site until the block ends.

    Args:
        root: The path prefix it stands below, as behind a proxy that adds one.
        held: Other documents than those of the fake engine.
    """
    from api.app import create_app
    from api.settings import ApiSettings
    from tests.evals_server import serving_app

    engine = PacedEngine(held)
    with TemporaryDirectory() as data_dir:
        app = create_app(lambda: engine, ApiSettings(data_dir=Path(data_dir)))
        app.root_path = root
        with serving_app(app) as url:
            assert app.state.engine_slot.wait(10)
            yield Site(url + root, engine, Path(data_dir))


def sse(*events: tuple[str, object]) -> str:
    """Events as they go over the wire."""
    return "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)


def answer_with(page: Page, *events: tuple[str, object], times: int | None = None) -> None:
    """Let the page's questions be answered by these events instead of by the service."""
    page.route(
        "**/v1/ask",
        lambda route: route.fulfill(content_type="text/event-stream; charset=utf-8", body=sse(*events)),
        times=times,
    )


def ask(page: Page, question: str) -> None:
    """Write a question and send it by the Enter key."""
    box = page.locator("#question")
    box.fill(question)
    box.press("Enter")


def expect(found: Any) -> Any:
    """Playwright's `expect`: assertions that wait until they hold."""
    from playwright.sync_api import expect as waiting

    waiting.set_options(timeout=1000 * _PATIENCE_S)
    return waiting(found)


def violations(page: Page) -> list[str]:
    """What axe finds wrong with the page as it stands; everything it knows but its experiments."""
    from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]

    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    found: list[str] = page.evaluate(_AXE, {"runOnly": _AXE_TAGS, "resultTypes": ["violations"]})
    return found


def settle(page: Page) -> None:
    """Return once the page has painted all that happened up to now."""
    page.evaluate(_SETTLED)


def shift_of(page: Page) -> float:
    """How much of the layout moved up to now without anybody having caused it."""
    settle(page)
    page.evaluate("window.notes.catchUp()")
    return float(page.evaluate("window.notes.shifts.reduce((sum, each) => sum + each.value, 0)"))


class Held:
    """Requests of a page that wait until the test answers them."""

    def __init__(self, page: Page, pattern: str) -> None:
        self._page = page
        self.routes: list[Route] = []
        page.route(pattern, lambda route: self.routes.append(route))  # noqa: PLW0108 -- takes no built-in

    def first(self) -> Route:
        """The first request, once it has been made."""
        limit = monotonic() + _PATIENCE_S
        while not self.routes:
            assert monotonic() < limit, "the request was not made"
            settle(self._page)
        return self.routes[0]
