"""The pages with the real engine over the sample corpus."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rag.records import Source
from tests.browser import Tabs, ask, expect, shift_of

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def page(tabs: Tabs, live_url: str) -> Page:
    return tabs.open(live_url)


def test_from_question_to_printed_lines(page: Page, seed_source: Source) -> None:
    ask(page, "“141”基层智治体系覆盖了多少个乡镇街道？")
    mark = page.locator(".answered .cite").first
    expect(mark).to_be_visible()
    mark.hover()
    quote = str(page.locator(".peek blockquote").text_content())
    assert "".join(quote.split()) in "".join(seed_source.text.split())
    with page.context.expect_page() as opened:
        mark.click()
    source = opened.value
    expect(source.locator(".printed mark").first).to_be_in_viewport()
    assert "".join(source.locator(".printed mark").all_text_contents()).replace(" ", "") == quote.replace(
        " ", ""
    )
    assert source.locator(".reading mark").text_content() == quote
    assert shift_of(page) < 0.01


def test_a_follow_up_is_understood(page: Page) -> None:
    ask(page, "“141”基层智治体系覆盖了多少个乡镇街道？")
    expect(page.locator(".answered")).to_have_count(1)
    ask(page, "那它覆盖了多少个网格？")
    expect(page.locator(".resolved")).to_contain_text("理解为：")
    expect(page.locator(".answered")).to_have_count(2)
    expect(page.locator(".answered").last).to_contain_text("6.5万个网格")


def test_an_abstention(page: Page) -> None:
    ask(page, "火锅底料怎么炒？")
    expect(page.locator(".abstained .verdict")).to_have_text("不作答：与文库的内容无关")
    expect(page.locator(".related .card").first).to_be_visible()


def test_an_example_of_the_service_is_answered(page: Page) -> None:
    example = page.locator(".example").first
    expect(example).to_be_visible()
    question = str(example.text_content())
    example.click()
    expect(page.locator(".asked")).to_have_text(question)
    expect(page.locator(".answered")).to_be_visible()
    assert shift_of(page) < 0.01
