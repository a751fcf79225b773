"""Saying on the page whether an answer helped: by mouse, by keyboard, and when it does not work."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from api.feedback.records import Feedback
from api.feedback.store import FILE_NAME, FeedbackStore
from tests.browser import Held, Site, Tabs, ask, expect, violations

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


@pytest.fixture
def page(tabs: Tabs, site: Site) -> Page:
    (site.data_dir / FILE_NAME).unlink(missing_ok=True)
    opened: Page = tabs.open(site.url)
    ask(opened, "清晨熄灯？")
    expect(thumb(opened, "有帮助")).to_be_visible()
    return opened


def thumb(page: Page, name: str) -> Locator:
    return page.get_by_role("group", name="这个回答有帮助吗？").get_by_role("button", name=name)


def said(page: Page) -> Locator:
    return page.locator(".feedback .said")


def kept(site: Site) -> tuple[Feedback, ...]:
    return FeedbackStore(site.data_dir).all().feedback


def test_an_answer_that_helped(page: Page, site: Site) -> None:
    expect(thumb(page, "有帮助")).to_have_attribute("aria-pressed", "false")
    thumb(page, "有帮助").click()
    expect(said(page)).to_have_text("谢谢，记下了。")
    expect(thumb(page, "有帮助")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("哪里不对？")).to_have_count(0)
    (feedback,) = kept(site)
    assert (feedback.answer_id, feedback.verdict, feedback.note) == ("answer-1", "up", "")


def test_an_answer_that_did_not_and_why(page: Page, site: Site) -> None:
    thumb(page, "没帮助").click()
    expect(said(page)).to_have_text("谢谢，记下了。")
    assert [each.verdict for each in kept(site)] == ["down"]  # without waiting for words
    page.get_by_label("哪里不对？").fill("  <b>问的是傍晚</b> ")
    page.get_by_role("button", name="送出").click()
    expect(said(page)).to_have_text("谢谢，您的话也记下了。")
    expect(page.get_by_label("哪里不对？")).to_have_count(0)
    assert [(each.verdict, each.note) for each in kept(site)] == [("down", "<b>问的是傍晚</b>")]


def test_one_may_change_ones_mind(page: Page, site: Site) -> None:
    thumb(page, "没帮助").click()
    expect(page.get_by_label("哪里不对？")).to_be_visible()
    thumb(page, "有帮助").click()
    expect(thumb(page, "没帮助")).to_have_attribute("aria-pressed", "false")
    expect(thumb(page, "有帮助")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("哪里不对？")).to_have_count(0)
    assert [each.verdict for each in kept(site)] == ["up"]


def test_all_of_it_by_keyboard(page: Page, site: Site) -> None:
    page.get_by_role("button", name="再问一次").focus()
    for key in ("Tab", "Tab", "Space"):
        page.keyboard.press(key)
    expect(thumb(page, "没帮助")).to_be_focused()
    field = page.get_by_label("哪里不对？")
    expect(field).to_be_visible()
    page.keyboard.press("Tab")
    expect(field).to_be_focused()
    page.keyboard.type("wrong year")
    page.keyboard.press("Enter")
    expect(said(page)).to_have_text("谢谢，您的话也记下了。")
    expect(thumb(page, "没帮助")).to_be_focused()  # not lost with the field
    assert [each.note for each in kept(site)] == ["wrong year"]


def test_an_abstention_may_be_judged_too(page: Page, site: Site) -> None:
    page.get_by_role("button", name="新对话").click()
    ask(page, "明年的茶价？")
    expect(page.locator(".abstained")).to_be_visible()
    thumb(page, "有帮助").click()
    expect(said(page)).to_have_text("谢谢，记下了。")
    assert [each.verdict for each in kept(site)] == ["up"]


def test_what_goes_wrong_is_said_and_may_be_tried_again(page: Page, site: Site, tabs: Tabs) -> None:
    tabs.refusals = True
    path = site.data_dir / FILE_NAME
    path.write_text("no database " * 100, encoding="utf-8")
    thumb(page, "有帮助").click()
    expect(said(page)).to_contain_text("没有记下：反馈文件读不了或写不进去")
    expect(said(page)).to_have_class("said failed")
    expect(thumb(page, "有帮助")).to_have_attribute("aria-pressed", "false")
    path.unlink()
    thumb(page, "有帮助").click()
    expect(said(page)).to_have_text("谢谢，记下了。")
    expect(said(page)).to_have_class("said")


def test_without_a_connection(page: Page, tabs: Tabs) -> None:
    tabs.refusals = True
    page.route("**/v1/feedback", lambda route: route.abort())
    thumb(page, "没帮助").click()
    expect(said(page)).to_contain_text("连不上服务")


def test_an_impatient_reader_sends_one_verdict_at_a_time(page: Page, site: Site) -> None:
    sent = Held(page, "**/v1/feedback")
    thumb(page, "有帮助").click()
    expect(said(page)).to_have_text("正在送出……")
    thumb(page, "没帮助").click()
    sent.first().continue_()
    expect(said(page)).to_have_text("谢谢，记下了。")
    assert len(sent.routes) == 1
    assert [each.verdict for each in kept(site)] == ["up"]


def test_an_answer_taken_up_again_may_be_judged(page: Page, site: Site) -> None:
    page.reload()
    expect(thumb(page, "没帮助")).to_be_visible()
    thumb(page, "没帮助").click()
    expect(said(page)).to_have_text("谢谢，记下了。")
    assert len(kept(site)) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1000])
def test_it_is_accessible_and_fits(tabs: Tabs, site: Site, scheme: str, width: int) -> None:
    # Without motion: in the middle of a smooth scroll what passes below the question box shows in part.
    page = tabs.open(
        site.url, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce"
    )
    ask(page, "清晨熄灯？")
    thumb(page, "没帮助").click()
    expect(page.get_by_label("哪里不对？")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
