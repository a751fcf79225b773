"""The scripts that need no page: each is imported into a real browser and called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser import Site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture(scope="module")
def page(browser: Browser, site: Site) -> Iterator[Page]:
    with browser.new_context(timezone_id="Asia/Shanghai") as context:
        opened = context.new_page()
        opened.goto(f"{site.url}/docs")
        yield opened


def call(page: Page, module: str, body: str, *values: object) -> Any:
    """What `body` returns; it sees the module as `m` and the values as `v`."""
    script = f"async (v) => {{ const m = await import('/static/{module}'); {body} }}"
    return page.evaluate(script, list(values))


# Server-sent events.

STREAM = (
    '\ufeff: comment\r\n\r\nevent: delta\r\ndata: {"text":"城𠮷"}\r\n\r\n'
    "event: done\ndata:one\ndata: two\n\nevent: named but empty\n\rdata:  spaced\n\ndata: cut off"
)
EVENTS = [
    {"event": "delta", "data": '{"text":"城𠮷"}'},
    {"event": "done", "data": "one\ntwo"},
    {"event": "message", "data": " spaced"},
]
READ = """
    const bytes = new TextEncoder().encode(v[0]);
    const size = v[1];
    const body = new ReadableStream({
      start(to) {
        for (let at = 0; at < bytes.length; at += size) to.enqueue(bytes.slice(at, at + size));
        to.close();
      },
    });
    const events = [];
    for await (const event of m.readEvents(body)) events.push(event);
    return events;
"""


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_events_come_out_whole_however_the_stream_is_cut(page: Page, size: int) -> None:
    assert call(page, "sse.js", READ, STREAM, size) == EVENTS


def test_a_reader_that_leaves_early_cancels_the_stream(page: Page) -> None:
    body = """
        let cancelled = false;
        const bytes = new TextEncoder().encode("data: 1\\n\\ndata: 2\\n\\n");
        const stream = new ReadableStream({
          start(to) { to.enqueue(bytes); },
          cancel() { cancelled = true; },
        });
        for await (const event of m.readEvents(stream)) break;
        return cancelled;
    """
    assert call(page, "sse.js", body) is True


# Citing.


def citation(number: int, **changes: object) -> dict[str, object]:
    return {
        "number": number,
        "title": "茶山*笔记*<初稿>",
        "authors": ["何采薇"],
        "start_line": 12,
        "end_line": 13,
        "quote": "一斤鲜叶只能制二两干茶。",
        "url": "/documents/x-2?chars=1-2#L12-L13",
        **changes,
    }


def reply(*citations: dict[str, object]) -> dict[str, object]:
    return {
        "answer": "一斤鲜叶只能制二两干茶。[1]塔[3]高_三十二_米。[1][2]\n第二，OK.[2] Yes.[1]",
        "sentences": [
            {"text": "一斤鲜叶只能制二两干茶。", "citations": [1]},
            {"text": "塔[3]高_三十二_米。", "citations": [1, 2]},
            {"text": "第二，OK.", "citations": [2]},
            {"text": "Yes.", "citations": [1]},
        ],
        "citations": list(citations),
    }


OF_FOUR = ["甲", "乙", "丙", "丁"]
TWO = reply(
    citation(1),
    citation(
        2, title="无名的一篇", authors=[], start_line=7, end_line=7, quote="1. 头一行\n- 又一行", url="/d/(y)"
    ),
)
CONTEXT = {"base": "http://texts.example/cewen/", "root": "/cewen", "accessed": "2026-11-25"}


def cited(page: Page, format_id: str, of: dict[str, object]) -> str:
    return str(call(page, "citing.js", "return m.cite(...v);", format_id, of, CONTEXT))


def test_markdown(page: Page) -> None:
    assert cited(page, "markdown", TWO) == (
        "一斤鲜叶只能制二两干茶。[1]塔\\[3\\]高\\_三十二\\_米。[1][2]\n\n"
        "第二，OK.[2] Yes.[1]\n\n"
        "1. [茶山\\*笔记\\*\\<初稿\\>](http://texts.example/cewen/documents/x-2?chars=1-2#L12-L13)，何采薇，第12–13行\n\n"
        "   > 一斤鲜叶只能制二两干茶。\n\n"
        "2. [无名的一篇](http://texts.example/cewen/d/%28y%29)，第7行\n\n"
        "   > 1\\. 头一行\n"
        "   > \\- 又一行"
    )


def test_plain_text(page: Page) -> None:
    assert cited(page, "plain", TWO) == (
        "一斤鲜叶只能制二两干茶。[1]塔[3]高_三十二_米。[1][2]\n"
        "第二，OK.[2] Yes.[1]\n\n"
        "[1] 茶山*笔记*<初稿>，何采薇，第12–13行\n"
        "一斤鲜叶只能制二两干茶。\n"
        "http://texts.example/cewen/documents/x-2?chars=1-2#L12-L13\n\n"
        "[2] 无名的一篇，第7行\n"
        "1. 头一行\n- 又一行\n"
        "http://texts.example/cewen/d/%28y%29"
    )


def test_gbt7714(page: Page) -> None:
    assert cited(page, "gbt7714", TWO) == (
        "一斤鲜叶只能制二两干茶。[1]塔[3]高_三十二_米。[1][2]\n"
        "第二，OK.[2] Yes.[1]\n\n"
        "[1] 何采薇. 茶山*笔记*<初稿>[EB/OL]: 第12-13行[2026-11-25]. "
        "http://texts.example/cewen/documents/x-2?chars=1-2#L12-L13.\n"
        "[2] 无名的一篇[EB/OL]: 第7行[2026-11-25]. http://texts.example/cewen/d/%28y%29."
    )


@pytest.mark.parametrize(
    ("authors", "named"),
    [([], ""), (["甲"], "甲. "), (OF_FOUR[:3], "甲, 乙, 丙. "), (OF_FOUR, "甲, 乙, 丙, 等. ")],
)
def test_gbt7714_names_at_most_three_authors(page: Page, authors: list[str], named: str) -> None:
    text = cited(page, "gbt7714", reply(citation(1, authors=authors, title="题名 ")))
    assert f"\n[1] {named}题名[EB/OL]: 第12-13行" in text


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//[", "http://:"])
def test_what_leads_to_no_web_page_is_no_link(page: Page, url: str) -> None:
    of = reply(citation(1, title="题名", url=url))
    assert "\n1. 题名，何采薇，第12–13行\n" in cited(page, "markdown", of)
    assert cited(page, "plain", of).endswith("[1] 题名，何采薇，第12–13行\n一斤鲜叶只能制二两干茶。")
    assert cited(page, "gbt7714", of).endswith("[1] 何采薇. 题名[EB/OL]: 第12-13行[2026-11-25].")


def test_a_parenthesis_after_a_mark_makes_no_markdown_link(page: Page) -> None:
    texts = ("茶。", "(见下)船(大)。")
    sentences = [{"text": text, "citations": [1]} for text in texts]
    of = {**reply(citation(1)), "answer": "茶。[1](见下)船(大)。[1]", "sentences": sentences}
    assert cited(page, "markdown", of).startswith("茶。[1]\\(见下)船(大)。[1]\n\n")
    assert cited(page, "plain", of).startswith("茶。[1](见下)船(大)。[1]\n\n")


def test_the_day_is_the_readers(page: Page) -> None:
    # 2026-11-24T16:30Z is half past midnight of the 25th in Shanghai.
    assert call(page, "citing.js", "return m.dayOf(v[0]);", 1795537800000) == "2026-11-25"


@pytest.mark.parametrize(
    ("root", "url", "leads"),
    [
        ("", "/documents/x#L1", "http://texts.example/documents/x#L1"),
        ("/c", "/documents/x#L1", "http://texts.example/c/documents/x#L1"),
        ("/c", "/c/documents/x", "http://texts.example/c/documents/x"),
        ("/c", "/caves", "http://texts.example/c/caves"),
        ("/c", "documents/x", "http://texts.example/here/documents/x"),
        ("/c", "https://elsewhere.example/d", "https://elsewhere.example/d"),
        ("/c", "//elsewhere.example/d", "http://elsewhere.example/d"),
        ("/c", " javascript:alert(1)", None),
        ("/c", None, "http://texts.example/here/null"),
    ],
)
def test_where_a_link_leads(page: Page, root: str, url: str | None, leads: str | None) -> None:
    place = {"base": "http://texts.example/here/", "root": root}
    assert call(page, "address.js", "return m.webAddress(...v);", url, place) == leads


# Sentences.


def test_lines_are_those_of_the_text(page: Page) -> None:
    shape = "return m.linesOf(v[0]).map((line) => line.map((each) => each.before + each.sentence.text));"
    assert call(page, "sentences.js", shape, TWO) == [
        ["一斤鲜叶只能制二两干茶。", "塔[3]高_三十二_米。"],
        ["第二，OK.", " Yes."],
    ]
    assert len(call(page, "sentences.js", shape, {**TWO, "answer": "别的文字"})) == 4


# What goes along with a question.


LIMITS = {"turns": 20, "turnChars": 5, "bytes": 10_000}


def body_of(page: Page, asked: list[dict[str, object]], **limits: int) -> dict[str, Any]:
    body = call(page, "dialogue.js", "return m.askBody(...v);", "现在呢？", asked, {**LIMITS, **limits})
    assert isinstance(body, dict)
    return body


def turn(question: str, answer: str | None) -> dict[str, object]:
    return {"question": question, "reply": None if answer is None else {"answer": answer}}


def test_history_is_oldest_first_and_clipped_by_code_points(page: Page) -> None:
    body = body_of(
        page, [turn("甲", "𠮷𠮷𠮷𠮷𠮷𠮷"), turn("停了", None), turn("空的", " "), turn("乙", "好")]
    )
    assert body == {
        "question": "现在呢？",
        "history": [
            {"role": "user", "content": "甲"},
            {"role": "assistant", "content": "𠮷𠮷𠮷𠮷𠮷"},
            {"role": "user", "content": "乙"},
            {"role": "assistant", "content": "好"},
        ],
        "stream": True,
    }


def test_half_a_character_does_not_spoil_what_is_sent(page: Page) -> None:
    body = """
        const turn = { question: "a\\ud83d", reply: { answer: "\\udc00\\ud83d\\ude00b" } };
        const { question, history } = m.askBody("\\ud83d\\ude00\\ud83d", [turn], v[0]);
        return [question, ...history.map((each) => each.content)];
    """
    assert call(page, "dialogue.js", body, LIMITS) == ["😀\ufffd", "a\ufffd", "\ufffd😀b"]


def test_history_keeps_the_latest_that_fit(page: Page) -> None:
    turns = [turn(f"问{number}", f"答{number}") for number in range(30)]
    assert [each["content"] for each in body_of(page, turns)["history"]][:2] == ["问20", "答20"]
    assert [each["content"] for each in body_of(page, turns, turns=5)["history"]] == [
        "问28", "答28", "问29", "答29",
    ]  # fmt: skip
    small = body_of(page, turns, bytes=300)
    assert [each["content"] for each in small["history"]][-2:] == ["问29", "答29"]
    assert len(json.dumps(small, ensure_ascii=False, separators=(",", ":")).encode()) <= 300
    assert body_of(page, turns, bytes=10)["history"] == []


# Past conversations.

STORE = """
    const kept = new Map(v[0]);
    const storage = {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, text) => {
        if (text.length > v[1]) throw new DOMException("full", "QuotaExceededError");
        kept.set(key, text);
      },
      removeItem: (key) => kept.delete(key),
    };
    const place = (url) => ({ title: "t", authors: [], url, quote: "q", text: "x" });
    const turn = (question, answer) => ({
      question, asked: 1,
      reply: { status: "answered", answer, sentences: [], citations: [place("/a")], related: [],
               timings_ms: { total: 1 }, explain: { raw: 1 }, fingerprint: "f" },
    });
    const conversation = (id, ...answers) =>
      ({ id, updated: 1, turns: answers.map((answer, at) => turn(`${id}${at}`, answer)) });
    const store = new m.ConversationStore(storage, { conversations: 3, turns: 2, chars: 2000 });
    const ids = () => store.list().map((each) => each.id);
"""


def in_store(page: Page, body: str, stored: str | None = None, quota: int = 10**9) -> Any:
    entries = [] if stored is None else [["cewen.conversations.v1", stored]]
    return call(page, "store.js", STORE + body, entries, quota)


def test_the_newest_conversation_comes_first_and_old_ones_go(page: Page) -> None:
    save = "for (const id of 'abcdb') store.save(conversation(id, '1', '2', '3'));"
    ids, kept = in_store(page, save + "return [ids(), store.get('b')];")
    assert ids == ["b", "d", "c"]
    assert [each["question"] for each in kept["turns"]] == ["b1", "b2"]
    assert set(kept["turns"][0]["reply"]) == {"status", "answer", "sentences", "citations", "related"}


def test_the_list_is_bounded_in_size_too(page: Page) -> None:
    body = "for (const id of 'ab') store.save(conversation(id, 'x'.repeat(1200))); return ids();"
    assert in_store(page, body) == ["b"]


def test_a_full_storage_keeps_what_fits(page: Page) -> None:
    body = "for (const id of 'abc') store.save(conversation(id, '1', '2')); return ids();"
    assert in_store(page, body, quota=1100) == ["c", "b"]
    assert in_store(page, body, quota=10) == ["c", "b", "a"]
    assert in_store(page, body, quota=0) == ["c", "b", "a"]


@pytest.mark.parametrize(("chars", "quota"), [(1990, 10**9), (1600, 1500)])
def test_one_that_does_not_fit_leaves_the_others(page: Page, chars: int, quota: int) -> None:
    body = """
        for (const id of 'ab') store.save(conversation(id, '1'));
        store.save(conversation('large', 'x'.repeat(v[2])));
        const stored = () => JSON.parse(kept.get("cewen.conversations.v1")).map((each) => each.id);
        const before = [ids(), stored()];
        store.save({ ...conversation('c', '1'), updated: 2 });
        const after = [ids(), stored()];
        store.remove('large');
        return [before, after, [ids(), stored()]];
    """
    assert call(page, "store.js", STORE + body, [], quota, chars) == [
        [["large", "b", "a"], ["b", "a"]],
        [["c", "large", "b"], ["c", "b"]],
        [["c", "b"], ["c", "b"]],
    ]


def test_a_lone_question_asked_again_is_kept_once(page: Page) -> None:
    body = """
        store.save(conversation('a', '1'));
        const again = { ...conversation('a', '2'), id: 'z' };
        store.save(again);
        return [ids(), store.list()[0].turns[0].reply.answer];
    """
    assert in_store(page, body) == [["z"], "2"]


def test_the_same_question_to_another_collection_is_another_conversation(page: Page) -> None:
    body = """
        const about = (id, collection) => {
          const made = { ...conversation('a', '1'), id };
          if (collection) made.turns[0].reply.collection = collection;
          return made;
        };
        store.save(about('old'));
        store.save(about('live', 'live'));
        const both = ids();
        store.save(about('live again', 'live'));
        store.save(about('new', 'default'));
        return [both, ids()];
    """
    assert in_store(page, body) == [["live", "old"], ["new", "live again"]]


def test_conversations_are_removed(page: Page) -> None:
    body = """
        for (const id of 'abc') store.save(conversation(id, '1', '2'));
        store.remove('b');
        const left = ids();
        store.clear();
        return [left, ids()];
    """
    assert in_store(page, body) == [["c", "a"], []]


# A storage that holds something and takes no more.
STUCK = """
    const text = JSON.stringify([conversation('old', '1')]);
    const held = new Map([["cewen.conversations.v1", text]]);
    const stuck = new m.ConversationStore({
      getItem: (key) => held.get(key) ?? null,
      setItem() { throw new Error('no'); },
      removeItem: (key) => held.delete(key),
    });
    const listed = () => stuck.list().map((each) => each.id);
"""


def test_a_storage_that_takes_nothing_loses_nothing_but_what_is_cleared(page: Page) -> None:
    body = """
        stuck.save({ ...conversation('new', '1'), updated: 2 });
        const saved = [listed(), held.size];
        stuck.clear();
        return [saved, [listed(), held.size]];
    """
    assert in_store(page, STUCK + body) == [[["new", "old"], 1], [[], 0]]


@pytest.mark.parametrize(
    "stored",
    ["", "{", "null", "7", '{"a": 1}', '[null, 1, {"id": "x"}]', '[{"id":"x","updated":1,"turns":[{}]}]'],
)
def test_anything_may_be_stored(page: Page, stored: str) -> None:
    body = "const before = ids(); store.save(conversation('a', '1')); return [before, ids()];"
    assert in_store(page, body, stored) == [[], ["a"]]


@pytest.mark.parametrize("storage", ["null", "{ getItem() { throw new Error('no'); } }"])
def test_without_storage_this_visit_is_remembered(page: Page, storage: str) -> None:
    body = f"""
        const without = new m.ConversationStore({storage});
        without.save(conversation('a', '1'));
        return without.list().map((each) => each.id);
    """
    assert in_store(page, body) == ["a"]


# Ranges of lines.


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("#L3", [3, 3]),
        ("#L3-L8", [3, 8]),
        ("#L8-3", [3, 8]),
        ("#L", None),
        ("#L1-L2x", None),
        ("#q=L3", None),
        ("", None),
    ],
)
def test_ranges_of_lines(page: Page, fragment: str, expected: list[int] | None) -> None:
    found = call(page, "ranges.js", "return m.linesIn(v[0]);", fragment)
    assert (list(found.values()) if found else None) == expected


def test_a_range_as_a_fragment(page: Page) -> None:
    assert call(page, "ranges.js", "return [m.rangeFragment(3, 3), m.rangeFragment(3, 8)];") == [
        "#L3",
        "#L3-L8",
    ]
