"""The source page in a browser: printed lines and reading view, joined; picking lines; without script too."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from rag.reading.decoding import source_from_text
from rag.reading.documents import read_documents
from tests.api_fakes import LIGHTHOUSE, PAGE, TEA
from tests.browser import Site, Tabs, expect, serving_site, settle

if TYPE_CHECKING:
    from playwright.sync_api import Page

WORDS = "守塔人每\n天傍晚点灯"
START = PAGE.index(WORDS)
CITED = f"/documents/{LIGHTHOUSE}?chars={START}-{START + len(WORDS)}#L4-L5"
PHONE: dict[str, object] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


def expect_lines(page: Page, selector: str, *numbers: int) -> None:
    """Wait until these lines, and no others, are such."""
    found = page.locator(f".line{selector}")
    expect(found).to_have_count(len(numbers))
    for at, number in enumerate(numbers):
        expect(found.nth(at)).to_have_id(f"L{number}")


@pytest.mark.parametrize("script", [True, False])
def test_the_cited_words_are_marked_in_both_views(tabs: Tabs, site: Site, script: bool) -> None:
    page = tabs.open(site.url + CITED, java_script_enabled=script)
    expect(page.locator(".printed mark")).to_have_text(["守塔人每", "天傍晚点灯"])
    expect(page.locator(".reading mark")).to_have_text("守塔人每天傍晚点灯")
    expect(page.locator(".printed mark").first).to_be_in_viewport()
    expect(page.locator(".reading mark")).to_be_in_viewport()
    if script:
        expect_lines(page, ".hit", 4, 5)
        expect(page.locator(".passage.hit")).to_have_id("P1")


LONG_LINE = "".join(f"第{year}年筑堤{5 * year + 11}丈，用工{31 * year + 7}人。" for year in range(1, 400))
LAST_WORDS = "第一任闸官叫沈砚耕。"
LONG_TEXT = f"围垦史略\n\n{LONG_LINE}{LAST_WORDS}\n{LONG_LINE}\n"


@pytest.fixture(scope="module")
def long_site() -> Iterator[tuple[str, str]]:
    """A site with a source of long lines, and its document."""
    (document,) = read_documents(source_from_text("围垦.txt", LONG_TEXT))
    with serving_site(held=[document]) as served:
        yield served.url, document.document_id


# What a reader sees once nothing moves any more: where the marks are, and how far the page was scrolled.
STANDING = """() => new Promise((done) => {
  const frames = (count) => count ? requestAnimationFrame(() => frames(count - 1)) : setTimeout(() => {
    const { top, bottom } = document.querySelector(".printed mark").getBoundingClientRect();
    done([document.readyState, top >= 0 && bottom <= innerHeight, scrollY > 0]);
  });
  frames(5);
})"""


@pytest.mark.parametrize("width", [1280, 390])
def test_words_deep_in_a_long_line_are_what_is_seen(
    tabs: Tabs, long_site: tuple[str, str], width: int
) -> None:
    url, document_id = long_site
    start = LONG_TEXT.index(LAST_WORDS)
    address = f"{url}/documents/{document_id}?chars={start}-{start + len(LAST_WORDS)}#L3"
    page = tabs.open(address, viewport={"width": width, "height": 720})
    assert page.evaluate(STANDING) == ["complete", True, True]


@pytest.mark.parametrize("script", [True, False])
def test_a_link_to_several_lines_opens_at_the_words(
    tabs: Tabs, long_site: tuple[str, str], script: bool
) -> None:
    url, document_id = long_site
    start, end = LONG_TEXT.index(LAST_WORDS), LONG_TEXT.index(LAST_WORDS) + len(LAST_WORDS) + 30
    address = f"{url}/documents/{document_id}?chars={start}-{end}#L3-L4"
    page = tabs.open(address, viewport={"width": 1280, "height": 720}, java_script_enabled=script)
    expect(page.locator(".printed mark").first).to_be_in_viewport()


def test_a_paragraph_shows_its_lines_and_a_line_its_paragraph(tabs: Tabs, site: Site) -> None:
    page = tabs.open(f"{site.url}/documents/{LIGHTHOUSE}")
    page.locator("#P2 .body").hover()
    expect_lines(page, ".near", 7, 8)
    page.locator("#L3 .text").hover()
    expect_lines(page, ".near", 3, 4, 5)
    expect(page.locator(".passage.near")).to_have_id("P1")
    page.locator("#L12 .text").hover()  # another document's line
    expect_lines(page, ".near")
    page.locator("#P2 .body").click()
    expect_lines(page, ".near", 7, 8)


def test_lines_are_picked_and_a_link_to_them_copied(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url + CITED)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#L7 .number").click()
    expect(page.locator("#picked-lines")).to_have_text("已选第 7 行")
    expect_lines(page, ".hit", 7)
    page.locator("#L3 .number").click(modifiers=["Shift"])
    expect(page.locator("#picked-lines")).to_have_text("已选第 3–7 行")
    expect_lines(page, ".hit", 3, 4, 5, 6, 7)
    page.get_by_role("button", name="复制链接").click()
    expect(page.locator("#picked-lines")).to_have_text("已复制链接")
    assert page.evaluate("navigator.clipboard.readText()") == f"{site.url}/documents/{LIGHTHOUSE}#L3-L7"


def test_shift_without_a_range_picks_the_line(tabs: Tabs, site: Site) -> None:
    page = tabs.open(f"{site.url}/documents/{LIGHTHOUSE}")
    page.locator("#L5 .number").click(modifiers=["Shift"])
    expect(page.locator("#picked-lines")).to_have_text("已选第 5 行")
    expect_lines(page, ".hit", 5)
    page.locator("#L4 .number").click(modifiers=["Shift"])
    expect(page.locator("#picked-lines")).to_have_text("已选第 4–5 行")
    assert len(page.context.pages) == 1


@pytest.mark.parametrize("key", ["Alt", "Control"])
@pytest.mark.parametrize("fragment", ["", "#L3"])
def test_keys_of_the_browser_pick_nothing(tabs: Tabs, site: Site, key: Any, fragment: str) -> None:
    address = f"{site.url}/documents/{LIGHTHOUSE}{fragment}"
    page = tabs.open(address)
    page.locator("#L5 .number").click(modifiers=[key])
    settle(page)
    expect(page.locator("#picked")).to_be_hidden()
    assert page.url == address


def test_on_a_phone_one_view_at_a_time(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url + CITED, **PHONE)
    expect(page.locator(".printed")).to_be_visible()
    expect(page.locator(".reading")).to_be_hidden()
    page.get_by_text("连排阅读", exact=True).first.tap()
    expect(page.locator(".printed")).to_be_hidden()
    expect(page.locator(".reading mark")).to_be_visible()
    page.locator("#P2").get_by_role("link").tap()
    expect(page.locator("#L7")).to_be_in_viewport()
    expect_lines(page, ".hit", 7, 8)


def test_the_views_switch_without_script(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url + CITED, java_script_enabled=False, **PHONE)
    page.get_by_label("连排阅读").first.press("ArrowRight")
    expect(page.locator(".printed")).to_be_visible()
    page.get_by_label("原文各行").first.press("ArrowRight")
    expect(page.locator(".reading")).to_be_visible()
    expect(page.locator(".printed")).to_be_hidden()


def test_lines_of_a_page_keep_what_was_printed(tabs: Tabs, site: Site) -> None:
    page = tabs.open(f"{site.url}/documents/{TEA}")
    assert "\n".join(str(line.text_content()) for line in page.locator(".line .text").all()) == PAGE
