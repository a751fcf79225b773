"""The page of a very long source in a browser: its parts, with script and without, and both views in step."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from api.pages.source_parts import SIZES
from rag.reading.documents import read_documents
from rag.records import Source
from tests.browser import Site, Tabs, expect, serving_site, violations

if TYPE_CHECKING:
    from playwright.sync_api import Page

LINES = 9_000
MOST = 8  # parts on one page, as `parts.js` has it


def _printed() -> Iterator[str]:
    """Columns of 20 characters, 12 lines a paragraph; the last is short."""
    sentence = "守塔人说，灯要亮到最后一条船进港，雾天也一样。海鸟绕着塔飞，潮水每天来两次，石阶上长了青苔。"
    for number in range(1, LINES // 12 + 2):
        text = f"　　第{number}段。{sentence * 5}"[:228] + "守塔人睡了。"
        yield from (text[start : start + 20] for start in range(0, len(text), 20))


TEXT = "\n".join(itertools.islice(_printed(), LINES))
[DOCUMENT] = read_documents(Source("长卷.txt", TEXT, hashlib.sha256(TEXT.encode()).hexdigest()))
ADDRESS = f"/documents/{DOCUMENT.document_id}"
WORDS = DOCUMENT.paragraphs[300].block.span
CITED = (
    f"{ADDRESS}?chars={WORDS.start_char}-{WORDS.start_char + 30}#L{WORDS.start_line}-L{WORDS.start_line + 1}"
)
FIRST_LINES = "Array.from(document.querySelectorAll('.line')).map((line) => Number(line.id.slice(1)))"
READ = "Array.from(document.querySelectorAll('.passage .body')).map((body) => body.textContent)"


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serving_site(held=[DOCUMENT]) as served:
        yield served


def shown(page: Page) -> tuple[int, int]:
    """The first and last line on the page, with no gap in between, and the printed text as it is."""
    numbers = page.evaluate(FIRST_LINES)
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    expect(page.locator("#shown-first")).to_have_text(str(numbers[0]))
    expect(page.locator("#shown-last")).to_have_text(str(numbers[-1]))
    return numbers[0], numbers[-1]


def both_views_agree(page: Page) -> None:
    """Each view holds the text from the first line shown to the last, and the paragraphs are whole again."""
    first, last = shown(page)
    lines = page.locator(".line .text").all_text_contents()
    assert lines == TEXT.split("\n")[first - 1 : last]
    read = page.evaluate(READ)
    title = max((block.span.end_line for block in DOCUMENT.typed_blocks), default=0)
    assert "".join(read) == "".join("".join(lines[max(title - first + 1, 0) :]).split())
    whole = [each.text for each in DOCUMENT.paragraphs]
    assert all(paragraph in whole for paragraph in read[1:-1])


def hits(page: Page) -> list[str]:
    return [str(line.get_attribute("id")) for line in page.locator(".line.hit").all()]


@pytest.mark.parametrize("script", [True, False])
def test_a_citation_opens_in_the_middle_of_its_part(tabs: Tabs, site: Site, script: bool) -> None:
    page = tabs.open(site.url + CITED, java_script_enabled=script)
    expect(page.locator(".printed mark")).to_have_count(2)
    expect(page.locator(".printed mark").first).to_be_in_viewport()
    marked = "".join(TEXT[WORDS.start_char : WORDS.start_char + 30].split())
    expect(page.locator(".reading mark")).to_have_text(marked)
    lines = page.locator(".line")
    assert lines.count() == SIZES.part_lines
    assert lines.first.get_attribute("id") == f"L{WORDS.start_line - SIZES.part_lines // 3}"
    if script:
        expect(page.locator(".reading mark")).to_be_in_viewport()
        assert hits(page) == [f"L{WORDS.start_line}", f"L{WORDS.start_line + 1}"]


def test_without_script_its_links_lead_through_the_text(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url + ADDRESS, java_script_enabled=False)
    expect(page.get_by_role("link", name="前一部分")).to_have_count(0)
    page.get_by_role("link", name="后一部分").click()
    expect(page.locator(".line").first).to_have_id(f"L{SIZES.part_lines + 1}")
    expect(page.locator(".passage .where").first).to_contain_text("（接上）")
    page.get_by_role("link", name="前一部分").click()
    expect(page.locator(".line").first).to_have_id("L1")
    page.get_by_label("到第").fill("8999")
    page.get_by_label("到第").press("Enter")
    expect(page.locator("#L8999:target")).to_be_in_viewport()
    expect(page.get_by_role("link", name="后一部分")).to_have_count(0)
    expect(page.locator(".line").last).to_have_id(f"L{LINES}")


def test_further_parts_come_as_one_scrolls_down(tabs: Tabs, site: Site) -> None:
    page = tabs.open(f"{site.url}{ADDRESS}#L995-L1003")
    expect(page.locator("#L1003.hit")).to_have_count(1)  # the next part came, as its beginning is near
    page.locator("#L1990").evaluate("(line) => line.scrollIntoView({ behavior: 'instant' })")
    expect(page.locator(f"#L{3 * SIZES.part_lines}")).to_be_attached()
    assert hits(page) == [f"L{number}" for number in range(995, 1004)]
    both_views_agree(page)
    page.locator("#P200").scroll_into_view_if_needed()
    page.locator("#P200 .body").hover()
    span = DOCUMENT.paragraphs[199].block.span
    near = page.locator(".line.near")
    expect(near).to_have_count(span.end_line - span.start_line + 1)
    expect(near.first).to_have_id(f"L{span.start_line}")


def test_on_the_way_up_what_comes_before_moves_nothing(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url + CITED)
    first = WORDS.start_line - SIZES.part_lines // 3
    expect(page.locator(".line").first).to_have_id(f"L{first}")
    at = page.evaluate(
        """([first, seen]) => {
          document.getElementById(`L${first + 30}`).scrollIntoView({ block: "start", behavior: "instant" });
          return document.getElementById(`L${seen}`).getBoundingClientRect().top;
        }""",
        [first, first + 40],
    )
    expect(page.locator(f"#L{first - SIZES.part_lines}")).to_be_attached()
    now = page.evaluate(
        "(seen) => document.getElementById(`L${seen}`).getBoundingClientRect().top", first + 40
    )
    assert now == pytest.approx(at, abs=1)
    both_views_agree(page)


def test_the_reading_pane_brings_its_part_into_both_views(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url + CITED)
    first, last = shown(page)
    scroll = "(pane) => pane.scrollTo({ top: pane.scrollHeight, behavior: 'instant' })"
    page.locator(".reading").evaluate(scroll)
    expect(page.locator(f"#L{last + SIZES.part_lines}")).to_be_attached()
    row = page.locator(".passage").nth(2)
    name = row.get_attribute("id")
    at = page.locator(".reading").evaluate(
        """(pane, name) => {
          pane.scrollTo({ top: 200, behavior: "instant" });
          return document.getElementById(name).getBoundingClientRect().top;
        }""",
        name,
    )
    expect(page.locator(f"#L{first - SIZES.part_lines}")).to_be_attached()
    now = page.locator(f"#{name}").evaluate("(row) => row.getBoundingClientRect().top")
    assert now == pytest.approx(at, abs=1)
    both_views_agree(page)


def test_a_line_far_away_takes_the_place_of_what_is_shown(tabs: Tabs, site: Site) -> None:
    page = tabs.open(f"{site.url}{ADDRESS}#L7000-L7002")
    expect(page.locator("#L7001")).to_be_in_viewport()
    assert hits(page) == ["L7000", "L7001", "L7002"]
    page.evaluate("location.hash = '#L8999'")
    expect(page.locator("#L8999.hit")).to_be_in_viewport()
    expect(page.locator("a[rel=next]")).to_be_hidden()
    both_views_agree(page)
    page.go_back()
    expect(page.locator("#L7002.hit")).to_be_in_viewport()
    page.evaluate("location.hash = '#L99999'")  # no such line: what is shown stays
    expect(page.locator(".hit")).to_have_count(0)
    page.locator("#L7005 .number").click()
    expect(page.locator("#picked-lines")).to_have_text("已选第 7005 行")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="复制链接").click()
    expect(page.locator("#picked-lines")).to_have_text("已复制链接")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{site.url}{ADDRESS}?line=7005#L7005"


def test_the_page_stays_with_the_collection_of_its_address(tabs: Tabs, site: Site) -> None:
    page = tabs.open()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(site.url + CITED.replace("#", "&collection=live#"))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.evaluate("window.location.hash = '#L8000'")
    expect(page.locator("#L8000.hit")).to_be_in_viewport()
    page.locator("#L8000 .number").click()
    page.get_by_role("button", name="复制链接").click()
    expect(page.locator("#picked-lines")).to_have_text("已复制链接")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == f"{site.url}{ADDRESS}?collection=live&line=8000#L8000"
    pages = [url for url in asked if ADDRESS in url]
    assert len(pages) > 1
    assert all("collection=live" in url for url in pages)
    page.locator("#goto-line").fill("20")
    page.locator("#goto-line").press("Enter")
    expect(page).to_have_url(f"{site.url}{ADDRESS}?line=20&collection=live#L20")


def test_the_page_does_not_grow_for_ever(tabs: Tabs, site: Site) -> None:
    page = tabs.open(site.url + ADDRESS)
    for parts in range(2, MOST + 1):
        page.evaluate("window.scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
        expect(page.locator(f"#L{parts * SIZES.part_lines}")).to_be_attached()
    page.evaluate("window.scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    page.locator("a[rel=next]").click()
    expect(page.locator(".line").first).to_have_id(f"L{MOST * SIZES.part_lines + 1}")


def test_where_a_part_cannot_be_had_its_link_stays(tabs: Tabs, site: Site) -> None:
    tabs.refusals = True
    page = tabs.open()
    page.route("**/*part=*", lambda route: route.fulfill(status=503, json={}), times=1)
    page.goto(site.url + ADDRESS)
    with page.expect_response("**/*part=*"):
        page.evaluate("window.scrollTo({ top: document.body.scrollHeight, behavior: 'instant' })")
    page.get_by_role("link", name="后一部分").click()
    expect(page.locator(".line").first).to_have_id(f"L{SIZES.part_lines + 1}")


@pytest.mark.parametrize("width", [1000, 320])
def test_it_is_accessible_and_fits(tabs: Tabs, site: Site, width: int) -> None:
    """A short part, as axe takes long for a thousand lines."""
    tabs.refusals = True
    scheme = "dark" if width == 320 else "light"
    page = tabs.open(color_scheme=scheme, reduced_motion="reduce", viewport={"width": width, "height": 700})
    page.route(
        "**/*part=*",
        lambda route: route.continue_() if route.request.is_navigation_request() else route.abort(),
    )
    page.goto(f"{site.url}{ADDRESS}?part=2100-2900")
    assert shown(page) == (103, 142)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_the_keyboard_reaches_the_ways_on(tabs: Tabs, site: Site) -> None:
    page = tabs.open(f"{site.url}{ADDRESS}?part=20500-41000")
    page.get_by_role("link", name="纯文本").focus()
    reached = []
    for _ in range(3):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("(({ activeElement: at }) => at.id || at.textContent)(document)"))
    assert reached == ["goto-line", "跳转", "前一部分"]
