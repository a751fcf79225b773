"""Choosing a collection on the ask page: offered where there is a choice, kept in the address, asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from api.library_records import Upload
from rag.reading.decoding import source_from_text
from tests.api_fakes import FakeLibrary
from tests.browser import Tabs, ask, expect, shift_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

BRIDGE = "廊桥记\n\n廊桥建于一八八二年，木拱跨度二十七米。\n"
QUESTION = "廊桥建于一八八二年"


@pytest.fixture(scope="module")
def shelves() -> FakeLibrary:
    library = FakeLibrary()
    library.create_collection("bridges")
    library.add("bridges", Upload(source_from_text("bridge.txt", BRIDGE)))
    return library


@pytest.fixture(scope="module")
def url(shelves: FakeLibrary) -> Iterator[str]:
    from api.app import create_app
    from tests.evals_server import serving_app

    app = create_app(lambda: shelves)
    app.root_path = "/qa"
    with serving_app(app) as address:
        assert app.state.engine_slot.wait(10)
        yield f"{address}/qa"


def address_of(page: Page) -> str:
    parts = urlsplit(page.url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def test_a_collection_is_chosen_and_asked(tabs: Tabs, url: str) -> None:
    page = tabs.open(f"{url}/")
    summary = page.locator("#collections summary")
    expect(summary).to_have_text("文库：default")
    expect(page.locator("#corpus a")).to_have_count(2)
    summary.click()
    links = page.locator("#collection-list a")
    assert [link.get_attribute("href") for link in links.all()] == ["/qa/", "/qa/?collection=bridges"]
    expect(links.first).to_have_attribute("aria-current", "page")
    links.nth(1).click()
    expect(page.locator("#collections summary")).to_have_text("文库：bridges")
    expect(page.locator("#corpus a")).to_have_count(1)
    ask(page, QUESTION)
    expect(page.locator(".answered")).to_be_visible()
    assert address_of(page) == "/qa/?collection=bridges"
    assert "#q=" in page.url
    page.reload()
    expect(page.locator(".answered")).to_be_visible()
    page.locator("#new-conversation").click()
    expect(page).to_have_url(f"{url}/?collection=bridges")
    assert shift_of(page) < 0.01


def test_the_list_is_closed_by_escape_and_by_leaving_it(tabs: Tabs, url: str) -> None:
    page = tabs.open(f"{url}/")
    choice, summary = page.locator("#collections"), page.locator("#collections summary")
    summary.press("Enter")
    expect(choice).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    expect(page.locator("#collection-list a").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(choice).not_to_have_attribute("open", "")
    summary.click()
    page.locator("#question").click()
    expect(choice).not_to_have_attribute("open", "")


def test_a_past_conversation_opens_in_its_own_collection(tabs: Tabs, url: str) -> None:
    page = tabs.open(f"{url}/?collection=bridges")
    ask(page, QUESTION)
    expect(page.locator(".answered")).to_be_visible()
    page.goto(f"{url}/")
    page.locator("#past-open").click()
    page.locator(".past-open").first.click()
    expect(page.locator(".asked")).to_have_text(QUESTION)
    expect(page.locator(".answered")).to_be_visible()
    assert address_of(page) == "/qa/?collection=bridges"


def test_a_collection_that_is_none_says_so_and_offers_the_others(tabs: Tabs, url: str) -> None:
    tabs.refusals = True
    page = tabs.open(f"{url}/?collection=gone")
    expect(page.locator("#collections summary")).to_have_text("文库：gone（没有）")
    ask(page, QUESTION)
    expect(page.locator(".notice.failed .verdict")).to_contain_text("没有名为")
    page.locator("#collections summary").click()
    expect(page.locator("#collection-list a")).to_have_count(2)


@pytest.mark.parametrize("status", [200, 404, 500])
def test_without_the_list_the_page_asks_all_the_same(tabs: Tabs, url: str, status: int) -> None:
    tabs.refusals = True
    page = tabs.open()
    one = '{"collections": [{"name": "default", "documents": 2}]}'
    body = one if status == 200 else "no JSON"
    page.route("**/v1/collections", lambda route: route.fulfill(status=status, body=body))
    page.goto(f"{url}/")
    expect(page.locator("#corpus a")).to_have_count(2)
    expect(page.locator("#collections")).to_be_hidden()
    ask(page, "清晨熄灯")
    expect(page.locator(".answered")).to_be_visible()
    assert address_of(page) == "/qa/"
