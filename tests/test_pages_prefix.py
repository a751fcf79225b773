"""The ask page behind a path prefix: its links of citations carry it, shown and copied."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api_fakes import FakeEngine
from tests.browser import Site, Tabs, ask, expect, serving_site

[CITATION] = FakeEngine().ask("清晨熄灯").citations


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving_site("/cewen") as served:
        yield served


def test_marks_cards_and_copies_carry_the_prefix(tabs: Tabs, site: Site) -> None:
    page = tabs.open(f"{site.url}/")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    address = site.url + CITATION.url
    with site.engine.paced() as tickets:
        ask(page, "清晨熄灯")
        tickets.release(3)
        expect(page.locator(".live .cite")).to_have_attribute("href", address)
    expect(page.locator(".answered .cite")).to_have_attribute("href", address)
    expect(page.locator(".card a")).to_have_attribute("href", address)
    page.locator(".answered .cite").hover()
    expect(page.locator(".peek a")).to_have_attribute("href", address)
    for name in ("Markdown", "纯文本", "GB/T 7714"):
        page.locator(".copy summary").click()
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#status")).to_have_text(f"已复制（{name}）。")
        assert address in page.evaluate("navigator.clipboard.readText()")
    with page.context.expect_page() as opened:
        page.locator(".answered .cite").click()
    expect(opened.value.locator(".printed mark").first).to_be_visible()


def test_related_passages_carry_it_and_links_of_the_page_too(tabs: Tabs, site: Site) -> None:
    page = tabs.open(f"{site.url}/")
    expect(page.locator("#corpus a").first).to_have_attribute(
        "href", f"/cewen/documents/{CITATION.document_id}"
    )
    ask(page, "灯塔的灯泡是谁换的？")
    links = page.locator(".related .card a")
    expect(links).to_have_count(3)
    for link in links.all():
        assert str(link.get_attribute("href")).startswith(f"{site.url}/documents/")
