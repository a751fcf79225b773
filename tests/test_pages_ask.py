"""Asking on the page: what arrives, what is shown of it, what can go wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.api_fakes import EXAMPLES, LIGHTHOUSE, TEA
from tests.browser import Site, Tabs, answer_with, ask, expect

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route


@pytest.fixture
def page(tabs: Tabs, site: Site) -> Page:
    return tabs.open(site.url)


CITATION: dict[str, object] = {
    "number": 1,
    "document_id": TEA,
    "title": "茶山笔记<初稿>",
    "authors": ["何采薇"],
    "paragraph": 0,
    "start_char": 1,
    "end_char": 2,
    "start_line": 10,
    "end_line": 10,
    "quote": "茶山笔记<初稿>",
    "source_sha256": "0" * 64,
    "match": "normalised",
    "url": f"/documents/{TEA}?chars=1-2#L10-L10",
    "score": 0.5,
}
REPLY: dict[str, object] = {
    "id": "a",
    "status": "answered",
    "answer": "<b>茶</b>[2]的书。[1]",
    "reason": None,
    "confidence": 0.875,
    "sentences": [{"text": "<b>茶</b>[2]的书。", "citations": [1], "match": "supported"}],
    "citations": [CITATION],
    "related": [],
    "resolved_question": "茶山的书呢？",
    "generator": "model",
    "fingerprint": "f",
    "timings_ms": {},
    "calibration": "general",
    "degraded": {"generator": "model", "code": "generator_timeout", "message": "模型太慢，改由摘录作答。"},
}


def test_an_answer_arrives_piece_by_piece(page: Page, site: Site) -> None:
    with site.engine.paced() as tickets:
        ask(page, "清晨熄灯？")
        expect(page.locator("#status")).to_have_text("正在查找……")
        expect(page.locator("#stop")).to_be_visible()
        expect(page.locator("#question")).to_have_value("")
        tickets.release(2)  # the citations, the first half
        text = page.locator(".live .sentence")
        expect(text).to_have_text("守塔人每天傍晚点灯")
        assert text.locator("a").count() == 0
        tickets.release()
        expect(text).to_have_text("守塔人每天傍晚点灯，清晨熄灯。[1]")
        expect(text.locator("a")).to_have_attribute(
            "href", f"{site.url}/documents/{LIGHTHOUSE}?chars=52-68#L4-L5"
        )
        tickets.release()
        expect(page.locator(".answered .sentence")).to_have_text("守塔人每天傍晚点灯，清晨熄灯。[1]")
    expect(page.locator("#status")).to_have_text("答完，有 1 处依据。")
    expect(page.locator("#announcer")).to_have_text("守塔人每天傍晚点灯，清晨熄灯。")
    expect(page.locator("#submit")).to_be_visible()
    expect(page.locator("#question")).to_be_focused()
    expect(page.locator(".asked")).to_have_text("清晨熄灯？")
    card = page.locator(".card")
    expect(card.locator(".where")).to_have_text("周望潮、林听雨 · 第 1 段 · 第 4–5 行 · 逐字相同")
    expect(card.locator("blockquote")).to_have_text("守塔人每天傍晚点灯，清晨熄灯。")


def test_the_finished_answer_is_drawn_from_its_structure(page: Page) -> None:
    other = {**CITATION, "number": 2}
    arriving = {"text": REPLY["answer"], "citations": [1]}
    answer_with(page, ("citations", {"citations": [other]}), ("delta", arriving), ("done", REPLY))
    ask(page, "它的书呢？")
    sentence = page.locator(".answered .sentence")
    expect(sentence).to_have_text("<b>茶</b>[2]的书。[1]转述，已核对")
    assert [mark.text_content() for mark in sentence.locator("a").all()] == ["[1]"]
    expect(page.locator("#announcer")).to_have_text("<b>茶</b>[2]的书。")
    expect(page.locator(".resolved")).to_have_text("理解为：茶山的书呢？")
    expect(page.locator(".degraded")).to_have_text("模型太慢，改由摘录作答。")
    expect(page.locator(".meta")).to_have_text("文库能回答的可能性 88% · 生成器 model")
    expect(page.locator(".card .where")).to_have_text(
        "何采薇 · 标题、署名或附注 · 第 10 行 · 书写形式略有不同"
    )


def test_an_abstention_looks_like_one(page: Page) -> None:
    ask(page, "灯塔的灯泡是谁换的？")
    box = page.locator(".abstained")
    expect(box.locator(".verdict")).to_have_text("不作答：文库里没有说到")
    expect(box.locator(".sentence")).to_have_text("文库里没有说到这件事。")
    expect(page.locator(".turn h3")).to_have_text("相关段落（不是答案）")
    assert page.locator(".related .card").count() == 3
    expect(page.locator("#status")).to_have_text("文库里没有答案。")
    assert page.locator(".answered, .copy").count() == 0


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("off_topic", "与文库的内容无关"),
        ("false_premise", "问题的前提与原文不符"),
        ("too_vague", "问题太笼统"),
        ("something_new", "文库里找不到答案"),
    ],
)
def test_each_reason_has_its_words(page: Page, reason: str, words: str) -> None:
    passage = {**CITATION, "text": "一段", "rank": 1, "chunk_id": "c"}
    abstained = {**REPLY, "status": "abstained", "reason": reason, "sentences": [], "citations": []}
    answer_with(page, ("done", {**abstained, "related": [passage] * 5}))
    ask(page, "别的")
    expect(page.locator(".verdict")).to_have_text(f"不作答：{words}")
    assert page.locator(".related .card").count() == 3
    page.get_by_role("button", name="再看 2 段").click()
    assert page.locator(".related .card").count() == 5
    expect(page.locator(".related .card a").nth(3)).to_be_focused()


def test_examples_come_from_the_service_and_are_asked(page: Page) -> None:
    page.get_by_role("button", name=EXAMPLES[0]).click()
    expect(page.locator(".asked")).to_have_text(EXAMPLES[0])
    expect(page.locator(".answered")).to_be_visible()
    expect(page.locator("#welcome")).to_be_hidden()


@pytest.mark.parametrize("status", [200, 503])
def test_without_examples_the_page_does_without(tabs: Tabs, site: Site, status: int) -> None:
    tabs.refusals = True
    page = tabs.open()
    page.route(
        "**/v1/examples",
        lambda route: route.fulfill(status=status, json={"questions": [], "fingerprint": "f"}),
    )
    page.goto(site.url)
    expect(page.locator("#corpus a")).to_have_text(["周望潮、林听雨：望海角灯塔…", "茶山笔记<初稿>"])
    expect(page.locator("#examples")).to_be_hidden()


def test_a_list_of_documents_that_fails_is_told(tabs: Tabs, site: Site) -> None:
    tabs.refusals = True
    page = tabs.open()
    error = {"type": "unavailable", "code": "starting", "message": "还在启动。", "request_id": "r"}
    page.route("**/v1/documents", lambda route: route.fulfill(status=503, json={"error": error}))
    page.goto(site.url)
    expect(page.locator("#status")).to_have_text("还在启动。")


def test_a_long_corpus_is_listed_in_part(tabs: Tabs, site: Site) -> None:
    page = tabs.open()
    documents: list[dict[str, object]] = [
        {"id": f"d{number}", "title": None, "label": f"第{number}篇", "authors": []} for number in range(20)
    ]
    page.route("**/v1/documents", lambda route: route.fulfill(json={"documents": documents}))
    page.goto(site.url)
    page.get_by_role("button", name="另有 8 篇").click()
    expect(page.locator("#corpus a")).to_have_count(20)
    expect(page.locator("#corpus a").nth(12)).to_be_focused()


def test_stopping_keeps_what_arrived_and_asks_again(page: Page, site: Site) -> None:
    with site.engine.paced() as tickets:
        ask(page, "清晨熄灯？")
        tickets.release(2)
        expect(page.locator(".live .sentence")).to_have_text("守塔人每天傍晚点灯")
        page.locator("#stop").click()
        expect(page.locator(".stopped")).to_have_text("已停止。")
        expect(page.locator(".broken .sentence")).to_have_text("守塔人每天傍晚点灯")
        expect(page.locator("#submit")).to_be_visible()
    page.get_by_role("button", name="再问一次").click()
    expect(page.locator(".answered")).to_be_visible()
    expect(page.locator(".turn")).to_have_count(1)
    assert page.locator(".stopped, .broken").count() == 0


def test_a_second_try_that_is_stopped_leaves_the_answer(page: Page, site: Site) -> None:
    ask(page, "清晨熄灯")
    expect(page.locator(".answered")).to_be_visible()
    with site.engine.paced() as tickets:
        page.get_by_role("button", name="再问一次").click()
        tickets.release(2)
        expect(page.locator(".live .sentence")).to_have_text("守塔人每天傍晚点灯")
        page.locator("#stop").click()
        expect(page.locator(".answered + h3 + .cards + .stopped")).to_have_text("已停止。上面是先前的答案。")
    expect(page.locator(".answered .sentence")).to_have_text("守塔人每天傍晚点灯，清晨熄灯。[1]")
    expect(page.locator("#status")).to_have_text("已停止。")
    expect(page.locator("#announcer")).to_have_text("已停止。上面是先前的答案。")
    assert page.locator(".broken, .live").count() == 0
    ask(page, "塔高三十二米")
    expect(page.locator(".answered")).to_have_count(2)
    assert len(site.engine.asked[-1]["history"]) == 2  # type: ignore[arg-type]
    page.reload()
    expect(page.locator(".answered")).to_have_count(2)
    assert page.locator(".stopped").count() == 0


def test_a_second_try_that_fails_leaves_the_answer(page: Page, tabs: Tabs) -> None:
    tabs.refusals = True
    ask(page, "清晨熄灯")
    expect(page.locator(".answered")).to_be_visible()
    page.route("**/v1/ask", lambda route: route.abort(), times=1)
    page.get_by_role("button", name="再问一次").click()
    expect(page.locator(".cards + .failed .verdict")).to_have_text("连不上服务。请检查网络，或稍后再试。")
    expect(page.locator(".notice.failed")).to_contain_text("上面是先前的答案。")
    expect(page.locator(".answered")).to_be_visible()
    expect(page.locator(".tools")).to_have_count(1)
    page.get_by_role("button", name="再问一次").click()
    expect(page.locator(".notice.failed")).to_have_count(0)
    expect(page.locator(".answered")).to_be_visible()


def test_a_question_has_to_wait_for_the_one_before(page: Page, site: Site) -> None:
    with site.engine.paced():
        ask(page, "清晨熄灯？")
        ask(page, "塔高三十二米")
        expect(page.locator("#status")).to_have_text("请等这一问答完，或先停止。")
        expect(page.locator("#question")).to_have_value("塔高三十二米")
        expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".answered")).to_be_visible()


def test_an_error_is_shown_with_code_and_request_id(page: Page, tabs: Tabs) -> None:
    tabs.refusals = True
    error = {
        "type": "unavailable",
        "code": "too_many_requests",
        "message": "正忙，请稍后再试。",
        "request_id": "r-7",
    }
    page.route("**/v1/ask", lambda route: route.fulfill(status=503, json={"error": error}), times=1)
    ask(page, "清晨熄灯？")
    expect(page.locator(".turn .failed .verdict")).to_have_text("正忙，请稍后再试。")
    expect(page.locator(".turn .failed .meta")).to_have_text("错误码 too_many_requests · 请求编号 r-7")
    expect(page.locator("#status")).to_have_text("没有答成。")
    page.get_by_role("button", name="再问一次").click()
    expect(page.locator(".answered")).to_be_visible()


def test_an_error_in_mid_stream(page: Page) -> None:
    error = {"type": "internal", "code": "internal_error", "message": "出错了。", "request_id": "r-8"}
    answer_with(page, ("delta", {"text": "守塔人。"}), ("error", {"error": error}))
    ask(page, "清晨熄灯？")
    expect(page.locator(".turn .failed")).to_have_text("出错了。错误码 internal_error · 请求编号 r-8")
    expect(page.locator(".broken")).to_have_text("守塔人。")


@pytest.mark.parametrize(
    ("text", "numbers", "linked"),
    [
        ("据[1]所载，守塔人[2]。[1]", [1], ["[1]"]),
        ("据[1]所载，见[2][1][2]", [1, 2], ["[1]", "[2]"]),
        ("据[1]所载，见[1][2]", [2], ["[2]"]),
        ("文库里没有说到[1]", None, []),
        ("守塔人[1]", [], []),
        ("守塔人[1]。", [1], []),  # the text does not end in it
        ("守塔人。[3]", [3], []),  # of no citation that is known
    ],
)
def test_what_a_source_has_in_brackets_is_no_mark(
    page: Page, text: str, numbers: list[int] | None, linked: list[str]
) -> None:
    known = [CITATION, {**CITATION, "number": 2}]
    delta = {"text": text} | ({} if numbers is None else {"citations": numbers})
    answer_with(page, ("citations", {"citations": known}), ("delta", delta))
    ask(page, "清晨熄灯？")
    expect(page.locator(".turn .failed")).to_be_visible()
    kept = page.locator(".broken .sentence")
    expect(kept).to_have_text(text)
    assert [link.text_content() for link in kept.locator("a").all()] == linked


def test_a_stream_that_breaks_off(page: Page) -> None:
    answer_with(page, ("delta", {"text": "守塔人。"}))
    ask(page, "清晨熄灯？")
    expect(page.locator(".turn .failed")).to_have_text(
        "答案没有传完，连接就断了。请再问一次。错误码 connection_lost"
    )


def test_a_service_that_is_gone(page: Page, tabs: Tabs) -> None:
    tabs.refusals = True
    page.route("**/v1/ask", lambda route: route.abort())
    ask(page, "清晨熄灯？")
    expect(page.locator(".turn .failed .verdict")).to_have_text("连不上服务。请检查网络，或稍后再试。")


def test_a_reply_that_was_not_streamed_is_shown(page: Page) -> None:
    page.route("**/v1/ask", lambda route: route.fulfill(json=REPLY))
    ask(page, "它的书呢？")
    expect(page.locator(".answered")).to_be_visible()


def test_the_key_is_asked_for_and_kept_for_the_tab(tabs: Tabs, site: Site) -> None:
    tabs.refusals = True
    page = tabs.open()
    sent: list[str | None] = []

    def guard(route: Route) -> None:
        key = route.request.header_value("authorization")
        sent.append(key)
        if key == "Bearer s3cret":
            route.continue_()
            return
        code = "api_key_missing" if key is None else "api_key_invalid"
        error = {"type": "unauthorized", "code": code, "message": "访问密钥不对。", "request_id": "r"}
        route.fulfill(status=401, json={"error": error})

    page.route("**/v1/**", guard)
    page.goto(site.url)
    field = page.get_by_label("访问密钥")
    expect(field).to_be_visible()
    expect(page.locator("#question")).to_be_focused()
    ask(page, "清晨熄灯？")
    expect(field).to_be_focused()
    for key, note in (("密 钥", "密钥只含英文字母、数字和符号，没有空格。"), ("wrong", "访问密钥不对。")):
        field.fill(key)
        field.press("Enter")
        expect(page.locator("#access-note")).to_have_text(note)
    field.fill("s3cret")
    field.press("Enter")
    expect(page.locator(".answered")).to_be_visible()
    expect(field).to_be_hidden()
    expect(page.locator("#question")).to_be_focused()
    assert page.evaluate("sessionStorage.getItem('cewen.access')") == "s3cret"
    assert page.evaluate("JSON.stringify(localStorage)").count("s3cret") == 0
    sent.clear()
    page.reload()
    expect(page.locator(".answered")).to_be_visible()
    assert set(sent) == {"Bearer s3cret"}


def test_a_key_that_does_not_allow_it_can_be_replaced(tabs: Tabs, site: Site) -> None:
    tabs.refusals = True
    page = tabs.open()
    page.add_init_script("sessionStorage.setItem('cewen.access', 'reader')")
    error = {"type": "forbidden", "code": "scope_missing", "message": "密钥没有权限。", "request_id": "r"}

    def guard(route: Route) -> None:
        if route.request.header_value("authorization") == "Bearer asker":
            route.continue_()
        else:
            route.fulfill(status=403, json={"error": error})

    page.route("**/v1/ask", guard)
    page.goto(site.url)
    ask(page, "清晨熄灯？")
    field = page.get_by_label("访问密钥")
    expect(field).to_be_focused()
    expect(page.locator("#access-note")).to_have_text("密钥没有权限。")
    field.fill("asker")
    field.press("Enter")
    expect(page.locator(".answered")).to_be_visible()
    expect(field).to_be_hidden()


def test_another_refusal_asks_for_no_key(page: Page, tabs: Tabs) -> None:
    tabs.refusals = True
    error = {"type": "forbidden", "code": "origin_refused", "message": "不行。", "request_id": "r"}
    page.route("**/v1/ask", lambda route: route.fulfill(status=403, json={"error": error}))
    ask(page, "清晨熄灯？")
    expect(page.locator(".turn .failed .verdict")).to_have_text("不行。")
    expect(page.locator("#access")).to_be_hidden()


@pytest.mark.parametrize(
    ("question", "problem"),
    [("  ", "请先写下问题。"), ("𠮷" * 2001, "问题有 2001 个字符，最多 2000 个。请缩短后再试。")],
)
def test_what_cannot_be_asked_is_told_at_once(page: Page, question: str, problem: str) -> None:
    ask(page, question)
    expect(page.locator("#status")).to_have_text(problem)
    expect(page.locator(".turn")).to_have_count(0)


def test_shift_enter_and_composing_do_not_send(page: Page) -> None:
    box = page.locator("#question")
    box.fill("甲")
    box.press("Shift+Enter")
    expect(box).to_have_value("甲\n")
    box.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True, "cancelable": True})
    expect(page.locator(".turn")).to_have_count(0)
