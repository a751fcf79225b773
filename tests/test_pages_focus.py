"""Where the keyboard's focus goes when what had it goes away: never to nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api_fakes import EXAMPLES
from tests.browser import Site, Tabs, ask, expect

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def page(tabs: Tabs, site: Site) -> Page:
    return tabs.open(site.url)


def test_after_asking_again(page: Page, site: Site) -> None:
    ask(page, "清晨熄灯")
    again = page.get_by_role("button", name="再问一次")
    expect(again).to_be_visible()
    with site.engine.paced():
        again.press("Enter")
        expect(page.locator("#stop")).to_be_focused()
    expect(page.locator(".answered")).to_be_visible()
    expect(page.locator("#submit")).to_be_focused()


def test_asking_again_from_elsewhere_leaves_it_there(page: Page, site: Site) -> None:
    ask(page, "清晨熄灯")
    expect(page.locator(".answered")).to_be_visible()
    with site.engine.paced():
        page.get_by_role("button", name="再问一次").evaluate("(button) => button.click()")
        expect(page.locator("#stop")).to_be_visible()
        expect(page.locator("#question")).to_be_focused()


def test_after_an_example(page: Page, site: Site) -> None:
    with site.engine.paced():
        page.get_by_role("button", name=EXAMPLES[0]).press("Enter")
        expect(page.locator("#welcome")).to_be_hidden()
        expect(page.locator("#stop")).to_be_focused()
    expect(page.locator(".answered")).to_be_visible()
    expect(page.locator("#submit")).to_be_focused()


def test_after_the_key(page: Page, tabs: Tabs) -> None:
    tabs.refusals = True
    error = {"type": "unauthorized", "code": "api_key_missing", "message": "要密钥。", "request_id": "r"}
    page.route("**/v1/ask", lambda route: route.fulfill(status=401, json={"error": error}), times=1)
    ask(page, "清晨熄灯")
    field = page.get_by_label("访问密钥")
    expect(field).to_be_focused()
    field.fill("s3cret")
    page.get_by_role("button", name="继续").press("Enter")
    expect(page.locator("#question")).to_be_focused()
    expect(page.locator(".answered")).to_be_visible()
    expect(page.locator("#question")).to_be_focused()


def test_after_another_question_in_the_address(page: Page) -> None:
    ask(page, "清晨熄灯")
    page.locator(".answered .cite").focus()
    page.evaluate("location.hash = '#q=' + encodeURIComponent('塔高三十二米')")
    expect(page.locator(".asked")).to_have_text("塔高三十二米")
    expect(page.locator("#question")).to_be_focused()
