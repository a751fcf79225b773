"""Conversations: follow-ups, the address, and what this browser remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from rag.records import Turn
from tests.browser import Site, Tabs, ask, expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

FIRST, SECOND = "塔高三十二米", "清晨熄灯"


def converse(page: Page, *questions: str) -> None:
    for question in questions:
        before = page.locator(".turn .tools").count()
        ask(page, question)
        expect(page.locator(".turn .tools")).to_have_count(before + 1)


def test_a_follow_up_sends_the_conversation(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    converse(page, FIRST, "没有说的事", SECOND)
    asked = site.engine.asked[-1]
    assert asked["question"] == SECOND
    assert asked["history"] == (
        Turn("user", FIRST),
        Turn("assistant", "望海角灯塔建于一九零七年，塔高三十二米，由本地石匠用花岗岩砌成。[1]"),
        Turn("user", "没有说的事"),
        Turn("assistant", "文库里没有说到这件事。"),
    )
    expect(page.locator(".turn").last).to_be_in_viewport()
    # Asked again in its place: with what came before it, not after.
    page.locator(".turn").first.get_by_role("button", name="再问一次").click()
    expect(page.locator("#status")).to_have_text("答完，有 1 处依据。")
    assert site.engine.asked[-1]["history"] == ()
    page.get_by_role("button", name="新对话").click()
    expect(page.locator("#welcome")).to_be_visible()
    expect(page.locator("#question")).to_be_focused()
    converse(page, SECOND)
    assert site.engine.asked[-1]["history"] == ()


def test_a_conversation_survives_a_reload(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    converse(page, FIRST, SECOND)
    page.reload()
    expect(page.locator(".asked")).to_have_text([FIRST, SECOND])
    expect(page.locator(".answered")).to_have_count(2)
    converse(page, "明前茶")
    assert len(site.engine.asked[-1]["history"]) == 4  # type: ignore[arg-type]


def test_past_conversations_are_listed_opened_and_deleted(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    page.get_by_role("button", name="历史").click()
    expect(page.locator("#past-empty")).to_be_visible()
    page.get_by_role("button", name="关闭").click()
    for question in (FIRST, SECOND, "明前茶"):
        page.get_by_role("button", name="新对话").click()
        converse(page, question)
    page.goto(site.url)
    expect(page.locator("#welcome")).to_be_visible()
    page.get_by_role("button", name="历史").click()
    titles = page.locator(".past-title")
    expect(titles).to_have_text(["明前茶", SECOND, FIRST])
    titles.nth(1).click()
    expect(page.locator(".asked")).to_have_text(SECOND)
    expect(page.locator(".answered .cite")).to_have_text("[1]")
    page.get_by_role("button", name="历史").click()
    page.get_by_role("button", name=f"删除：{SECOND}").click()
    expect(titles).to_have_text(["明前茶", FIRST])
    page.get_by_role("button", name="清空").click()
    expect(titles).to_have_count(2)
    page.get_by_role("button", name="确定清空？").click()
    expect(titles).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#past")).to_be_hidden()
    assert page.evaluate("localStorage.getItem('cewen.conversations.v1')") == "[]"


@pytest.mark.parametrize(
    "storage",
    [
        "localStorage.setItem('cewen.conversations.v1', '{broken')",
        """localStorage.setItem('cewen.conversations.v1', '[{"id":"x","updated":1,"turns":[{}]}]')""",
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('forbidden'); } })",
        "Storage.prototype.setItem = () => { throw new DOMException('full', 'QuotaExceededError'); }",
    ],
)
def test_whatever_the_storage_does_one_can_ask(tabs: Tabs, site: Site, storage: str) -> None:
    page = tabs.open()
    page.add_init_script(storage)
    page.goto(site.url)
    converse(page, FIRST)
    page.get_by_role("button", name="历史").click()
    expect(page.locator(".past-title")).to_have_text(FIRST)


STORED = """JSON.parse(localStorage.getItem('cewen.conversations.v1')).map(
    ({ turns }) => turns.map((turn) => turn.question))"""


def clear(page: Page) -> None:
    page.get_by_role("button", name="历史").click()
    page.get_by_role("button", name="清空").click()
    page.get_by_role("button", name="确定清空？").click()
    page.get_by_role("button", name="关闭").click()


def test_the_page_says_what_is_sent(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    page.get_by_role("button", name="历史").click()
    expect(page.locator("#past")).to_contain_text(
        "只存在这个浏览器里；接着问时，同一对话前面的几问几答会随问题一起发给服务。"
    )


@pytest.mark.parametrize("button", ["删除", "清空"])
def test_what_was_deleted_while_shown_does_not_come_back(tabs: Tabs, site: Site, button: str) -> None:
    page = tabs.open(site.url)
    converse(page, FIRST, SECOND)
    if button == "清空":
        clear(page)
    else:
        page.get_by_role("button", name="历史").click()
        page.get_by_role("button", name=f"删除：{FIRST}").click()
        page.get_by_role("button", name="关闭").click()
    assert page.evaluate(STORED) == []
    expect(page).to_have_url(f"{site.url}/")
    expect(page.locator(".asked")).to_have_text([FIRST, SECOND])
    converse(page, "明前茶")
    assert page.evaluate(STORED) == [["明前茶"]]
    page.reload()
    expect(page.locator(".asked")).to_have_text("明前茶")
    expect(page.locator(".answered")).to_be_visible()


def test_an_answer_under_way_when_all_is_cleared_is_not_stored(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    converse(page, SECOND)
    page.get_by_role("button", name="新对话").click()
    with site.engine.paced():
        ask(page, FIRST)
        expect(page.locator("#stop")).to_be_visible()
        clear(page)
    expect(page.locator(".answered")).to_be_visible()
    expect(page.locator("#status")).to_have_text("答完，有 1 处依据。")
    assert page.evaluate(STORED) == []
    # Asked again it is a question of now.
    page.get_by_role("button", name="再问一次").click()
    expect(page).to_have_url(f"{site.url}/#q={quote(FIRST)}")
    assert page.evaluate(STORED) == [[FIRST]]


def test_deleting_another_conversation_leaves_this_one(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    converse(page, FIRST)
    page.get_by_role("button", name="新对话").click()
    converse(page, SECOND)
    page.get_by_role("button", name="历史").click()
    page.get_by_role("button", name=f"删除：{FIRST}").click()
    page.get_by_role("button", name="关闭").click()
    converse(page, "明前茶")
    assert page.evaluate(STORED) == [[SECOND, "明前茶"]]


def test_half_a_character_does_not_spoil_a_conversation(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    page.evaluate("document.getElementById('question').value = '清晨熄灯\\ud83d'")
    page.locator("#question").press("Enter")
    expect(page.locator(".turn .tools")).to_have_count(1)
    expect(page.locator(".asked")).to_have_text("清晨熄灯\ufffd")
    converse(page, SECOND)
    expect(page.locator(".answered")).to_have_count(1)
    assert site.engine.asked[-1]["history"] == (
        Turn("user", "清晨熄灯\ufffd"),
        Turn("assistant", "文库里没有说到这件事。"),
    )


def test_the_fragment_asks_and_is_never_sent(tabs: Tabs, site: Site) -> None:
    page = tabs.open()
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.goto(f"{site.url}/#q={quote(FIRST)}")
    expect(page.locator(".asked")).to_have_text(FIRST)
    expect(page.locator(".answered")).to_be_visible()
    assert not [url for url in sent if quote(FIRST) in url.partition("#")[0]]
    page.reload()
    expect(page.locator(".answered")).to_be_visible()
    page.evaluate("(question) => { location.hash = `q=${encodeURIComponent(question)}`; }", SECOND)
    expect(page.locator(".asked")).to_have_text(SECOND)
    expect(page.locator(".answered")).to_be_visible()
    # The reloaded link was asked twice and is remembered once.
    page.get_by_role("button", name="历史").click()
    expect(page.locator(".past-title")).to_have_text([SECOND, FIRST])


@pytest.mark.parametrize("fragment", ["#q=%E7%9", "#q=", "#c=nothing", "#x"])
def test_an_address_that_says_nothing_is_ignored(tabs: Tabs, site: Site, fragment: str) -> None:
    page = tabs.open(f"{site.url}/{fragment}")
    expect(page.locator("#corpus")).to_be_visible()
    expect(page.locator("#question")).to_be_focused()
    expect(page.locator(".turn")).to_have_count(0)


def test_leaving_an_answer_under_way_stops_it(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url)
    with site.engine.paced():
        ask(page, FIRST)
        expect(page.locator("#stop")).to_be_visible()
        page.get_by_role("button", name="新对话").click()
        expect(page.locator("#submit")).to_be_visible()
    converse(page, SECOND)
    expect(page.locator(".asked")).to_have_text(SECOND)
    expect(page.locator("#status")).to_have_text("答完，有 1 处依据。")
