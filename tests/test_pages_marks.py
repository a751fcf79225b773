"""The marks of an answer: the quote on hover, on focus and on tap, the way to the source, and copying."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from tests.api_fakes import FakeEngine
from tests.browser import Site, Tabs, ask, expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

[CITATION] = FakeEngine().ask("清晨熄灯").citations
QUOTE = "守塔人每天傍晚点灯，清晨熄灯。"
LABEL = "周望潮、林听雨：望海角灯塔…"


def answered(tabs: Tabs, site: Site, **options: object) -> Page:
    page = tabs.open(site.url, **options)
    ask(page, "清晨熄灯")
    page.locator(".answered").wait_for()
    return page


def test_the_mouse_shows_the_quote_and_may_move_into_it(tabs: Tabs, site: Site) -> None:
    page = answered(tabs, site, locale="zh-CN")  # a context of its own, as it shares its clock
    page.locator(".answer .cite").hover()
    card = page.locator(".peek")
    expect(card.locator(".source")).to_have_text(LABEL)
    expect(card.locator(".where")).to_have_text("周望潮、林听雨 · 第 1 段 · 第 4–5 行 · 逐字相同")
    expect(card.locator("blockquote")).to_have_text(QUOTE)
    page.clock.install()  # the page's own, which the test moves on
    card.locator("blockquote").hover()
    page.clock.run_for(400)  # longer than it would stay without the pointer
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.locator(".asked").hover()
    page.locator(".answer .cite").hover()
    expect(card).to_be_visible()
    page.locator(".asked").hover()
    expect(card).to_be_hidden()


def test_the_keyboard_shows_the_quote_and_opens_the_source(tabs: Tabs, site: Site) -> None:
    page = answered(tabs, site)
    mark = page.locator(".answer .cite")
    for _ in range(12):
        page.keyboard.press("Shift+Tab")
        if mark.evaluate("(mark) => mark === document.activeElement"):
            break
    expect(mark).to_be_focused()
    expect(page.locator(".peek blockquote")).to_have_text(QUOTE)
    page.keyboard.press("Escape")
    expect(page.locator(".peek")).to_be_hidden()
    expect(mark).to_be_focused()
    with page.context.expect_page() as opened:
        page.keyboard.press("Enter")
    expect(opened.value.locator("mark").first).to_be_visible()


def test_the_first_tap_shows_and_the_link_inside_opens(tabs: Tabs, site: Site) -> None:
    page = answered(tabs, site, has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    page.locator(".answer .cite").tap()
    card = page.locator(".peek")
    expect(card).to_be_visible()
    assert len(page.context.pages) == 1
    box = card.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 360
    page.locator(".asked").tap()
    expect(card).to_be_hidden()
    page.locator(".answer .cite").tap()
    with page.context.expect_page() as opened:
        card.get_by_role("link").tap()
    expect(opened.value).to_have_url(site.url + CITATION.url)


def test_a_click_leads_to_the_lines_with_the_words_marked(tabs: Tabs, site: Site) -> None:
    page = answered(tabs, site)
    mark = page.locator(".answer .cite")
    assert mark.get_attribute("rel") == "noopener"
    with page.context.expect_page() as opened:
        mark.click()
    source = opened.value
    expect(source).to_have_url(site.url + CITATION.url)
    expect(source.locator(".printed mark")).to_have_text(["守塔人每", "天傍晚点灯，清晨熄灯。"])
    expect(source.locator(".reading mark")).to_have_text(QUOTE)
    expect(source.locator(".line.hit")).to_have_count(2)
    expect(source.locator(".printed mark").first).to_be_in_viewport()
    assert source.evaluate("window.opener") is None


def test_a_screen_reader_hears_place_and_quote(tabs: Tabs, site: Site) -> None:
    page = answered(tabs, site)
    mark = page.locator(".answer .cite")
    expect(mark).to_have_accessible_name(f"引文 1：{LABEL}，第 4–5 行")
    expect(mark).to_have_accessible_description(QUOTE)
    expect(page.locator(".turn")).to_have_accessible_name("清晨熄灯")
    expect(page.locator(".cards")).to_have_accessible_name("依据")
    link = page.locator(".card a")
    expect(link).to_have_accessible_name(f"引文 1：{LABEL}，在原文中查看")
    assert link.get_attribute("href") == site.url + CITATION.url


def point_at(page: Page, mark: str) -> None:
    """As the mouse does that then leaves with nothing telling: the mark moves away under it."""
    page.locator(mark).dispatch_event("pointerover", {"pointerType": "mouse", "bubbles": True})
    expect(page.locator(".peek")).to_be_visible()


def test_the_card_goes_with_its_mark(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    with site.engine.paced() as tickets:
        ask(page, "清晨熄灯")
        tickets.release(3)
        point_at(page, ".live .cite")
        tickets.release()
        expect(page.locator(".answered")).to_be_visible()
        expect(page.locator(".peek")).to_have_count(0)
        point_at(page, ".answered .cite")
        page.get_by_role("button", name="再问一次").evaluate("(button) => button.click()")
        expect(page.locator(".live")).to_be_visible()
        expect(page.locator(".peek")).to_have_count(0)


def test_a_focused_mark_stays_so_when_the_answer_is_finished(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    with site.engine.paced() as tickets:
        ask(page, "清晨熄灯")
        tickets.release(3)
        page.locator(".live .cite").focus()
        tickets.release()
        expect(page.locator(".answered .cite")).to_be_focused()


def copies(site: Site) -> dict[str, str]:
    url, day = site.url + CITATION.url, date.today().isoformat()  # noqa: DTZ011 -- the reader's own day
    return {
        "Markdown": f"{QUOTE}[1]\n\n1. [{LABEL}]({url})，周望潮、林听雨，第4–5行\n\n   > {QUOTE}",
        "纯文本": f"{QUOTE}[1]\n\n[1] {LABEL}，周望潮、林听雨，第4–5行\n{QUOTE}\n{url}",
        "GB/T 7714": f"{QUOTE}[1]\n\n[1] 周望潮, 林听雨. {LABEL}[EB/OL]: 第4-5行[{day}]. {url}.",
    }


@pytest.mark.parametrize("modern", [True, False])
def test_copying_in_three_formats(tabs: Tabs, site: Site, modern: bool) -> None:
    page = answered(tabs, site)
    if modern:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    else:  # as on an insecure origin
        page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    for name, expected in copies(site).items():
        page.locator(".copy summary").click()
        page.get_by_role("button", name=name, exact=True).click()
        expect(page.locator("#status")).to_have_text(f"已复制（{name}）。")
        expect(page.locator(".formats")).to_be_hidden()
        page.locator("#question").fill("")
        page.locator("#question").press("Control+V")
        expect(page.locator("#question")).to_have_value(expected)


def test_the_copy_menu_closes(tabs: Tabs, site: Site) -> None:
    page = answered(tabs, site)
    summary = page.locator(".copy summary")
    summary.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Markdown")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(".formats")).to_be_hidden()
    expect(summary).to_be_focused()
    summary.click()
    page.locator(".asked").click()
    expect(page.locator(".formats")).to_be_hidden()


def test_answers_leave_no_listeners_behind(tabs: Tabs, site: Site) -> None:
    page = tabs.open()
    page.add_init_script(
        """window.added = 0;
        const { addEventListener } = document;
        document.addEventListener = (...values) => {
          window.added += 1;
          addEventListener.apply(document, values);
        };"""
    )
    page.goto(site.url)
    ask(page, "清晨熄灯")
    expect(page.locator(".answered")).to_have_count(1)
    added = page.evaluate("window.added")
    assert added > 0
    ask(page, "塔高三十二米")
    expect(page.locator(".answered")).to_have_count(2)
    assert page.evaluate("window.added") == added
    first, second = page.locator(".copy summary").all()
    first.click()
    second.click()
    expect(page.locator(".copy[open]")).to_have_count(1)
