"""The pages as a browser would read them: parsed, with the rules of the content security policy applied."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.app import create_app
from api.errors.codes import CODES
from api.pages.rendering import STATIC_DIR
from api.settings import ApiSettings
from rag.reading.documents import read_documents
from rag.records import Source
from tests.api_fakes import LIGHTHOUSE, PAGE, TEA, FakeEngine, client_for

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
VOID = {"meta", "link", "br", "input", "img"}


class Page(HTMLParser):
    """Elements, ids and text of a page; fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.marked = ""
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if "mark" in self._open and "ol" in self._open:
            self.marked += data

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for() as opened:
        yield opened


def get_page(client: TestClient, path: str, status: int = 200) -> Page:
    reply = client.get(path, headers=BROWSER)
    assert reply.status_code == status
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return Page(reply.text)


PATHS = ["/", "/docs", f"/documents/{LIGHTHOUSE}", f"/documents/{TEA}?chars=101-140", "/nope"]


@pytest.mark.parametrize("path", PATHS)
def test_nothing_inline_and_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    page = get_page(client, path, 404 if path == "/nope" else 200)
    for tag, attributes in page.elements:
        assert tag != "style"
        assert "style" not in attributes
        assert not [name for name in attributes if name.startswith("on")]
        assert (tag == "script") == ("src" in attributes and tag == "script")
    for address in page.attributes("src") + page.attributes("href"):
        assert address.startswith(("/", "#"))
        assert not address.startswith("//")
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    assert ("html", {"lang": "zh-Hans"}) in page.elements


@pytest.mark.parametrize("path", PATHS)
def test_every_link_inside_leads_somewhere(client: TestClient, path: str) -> None:
    page = get_page(client, path, 404 if path == "/nope" else 200)
    for address in page.attributes("src") + page.attributes("href"):
        if address.startswith("#"):
            assert re.fullmatch(r"#L\d+-L\d+", address) or address[1:] in page.attributes("id")
        else:
            assert client.get(address).status_code == 200, address


def test_scripts_import_only_each_other_and_insert_only_text() -> None:
    for script in STATIC_DIR.glob("*.js"):
        source = script.read_text(encoding="utf-8")
        for imported in re.findall(r'from "([^"]+)"', source):
            assert (STATIC_DIR / imported).is_file()
        for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http"):
            uses = [line for line in source.splitlines() if forbidden in line and "protocol" not in line]
            assert uses == [], (script.name, forbidden)


@pytest.mark.parametrize(("path", "script"), [("/", "ask.js"), (f"/documents/{TEA}", "source.js")])
def test_all_modules_of_a_page_are_fetched_at_once(client: TestClient, path: str, script: str) -> None:
    links = [attributes for tag, attributes in get_page(client, path).elements if tag == "link"]
    preloaded = [Path(link["href"]).name for link in links if link["rel"] == "modulepreload"]
    imported = set()
    for name in [script, *preloaded]:
        source = (STATIC_DIR / name).read_text(encoding="utf-8")
        imported |= {Path(each).name for each in re.findall(r'\bfrom "([^"]+)"', source)}
    assert sorted(preloaded) == sorted(imported)


def test_no_script_is_long() -> None:
    lengths = {script.name: script.read_text("utf-8").count("\n") for script in STATIC_DIR.glob("*.js")}
    assert {name: length for name, length in lengths.items() if length >= 250} == {}


def test_styles_fetch_nothing() -> None:
    for style in STATIC_DIR.glob("*.css"):
        source = style.read_text(encoding="utf-8")
        assert "url(" not in source
        assert "@import" not in source


def test_the_ask_page_knows_the_limit_and_no_corpus(client: TestClient) -> None:
    page = get_page(client, "/")
    [box] = [attributes for tag, attributes in page.elements if tag == "textarea"]
    assert box["data-max-chars"] == "2000"
    assert box["data-max-turns"] == "20"
    assert box["data-max-turn-chars"] == "8000"
    assert box["data-max-bytes"] == "65536"
    assert "autofocus" in box
    assert "polite" in page.attributes("aria-live")
    assert "灯" not in page.text


def test_the_source_page(client: TestClient) -> None:
    page = get_page(client, f"/documents/{LIGHTHOUSE}")
    lines = {a["id"]: a["class"].split() for tag, a in page.elements if tag == "li" and "id" in a}
    assert list(lines) == [f"L{number}" for number in range(1, 15)]
    assert lines["L9"] == ["line", "kind-note", "own"]
    assert lines["L10"] == ["line", "kind-title", "rest"]
    for part in (
        "周望潮、林听雨",
        "作者单位：望海角航标处",
        "望海角灯塔建于一九零七年，塔高三十二米，由本地",
    ):
        assert part in page.text
    assert "茶山笔记<初稿>" in page.text
    assert page.marked == ""


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_marked_characters_come_through_the_page(client: TestClient, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(PAGE) - 1))
    end = data.draw(st.integers(start + 1, len(PAGE)))
    page = get_page(client, f"/documents/{TEA}?chars={start}-{end}")
    assert page.marked == PAGE[start:end].replace("\n", "")


def test_a_range_beyond_the_source_is_ignored(client: TestClient) -> None:
    beyond = client.get(f"/documents/{TEA}?chars=5-{len(PAGE) + 1}").text
    assert beyond == client.get(f"/documents/{TEA}").text


@settings(max_examples=60, deadline=None)
@given(value=st.text(max_size=30))
def test_any_other_chars_value_is_ignored(client: TestClient, value: str) -> None:
    reply = client.get(f"/documents/{TEA}", params={"chars": f"x{value}"})
    assert reply.status_code == 200
    assert reply.text == client.get(f"/documents/{TEA}").text


@pytest.fixture(scope="module")
def long() -> Iterator[tuple[TestClient, str, str]]:
    """A service over one source of 5,000 lines, the address of its page, and its text."""
    text = "\n".join(f"第{number}号灯塔建在海边，由石匠砌成。" for number in range(1, 5001))
    read = read_documents(Source("长卷.txt", text, hashlib.sha256(text.encode()).hexdigest()))
    with client_for(FakeEngine(held=read)) as opened:
        yield opened, f"/documents/{read[0].document_id}", text


def lines_of(page: Page) -> list[int]:
    return [int(name[1:]) for name in page.attributes("id") if re.fullmatch(r"L\d+", name)]


def test_of_a_long_source_a_part_is_sent(long: tuple[TestClient, str, str]) -> None:
    client, address, text = long
    page = get_page(client, address)
    assert lines_of(page) == list(range(1, 1001))
    assert "共 5000 行，这里是第 1–1000 行。" in page.text
    start = text.index("第3000号")
    page = get_page(client, f"{address}?chars={start}-{start + 6}")
    assert lines_of(page) == list(range(2667, 3667))
    assert page.marked == "第3000号"
    # What is marked stays marked in the parts before and after, where it goes on there.
    ways = [each["href"] for tag, each in page.elements if tag == "a" and "rel" in each]
    assert [lines_of(get_page(client, way))[::999] for way in ways] == [[1667, 2666], [3667, 4666]]
    assert all(way.endswith(f"&chars={start}-{start + 6}") for way in ways)
    for way in page.attributes("href") + page.attributes("action"):
        assert way.startswith(("/", "#"))


def test_a_line_number_leads_to_its_line(long: tuple[TestClient, str, str]) -> None:
    client, address, _ = long
    for goto, number in (("4321", 4321), ("99999", 5000), ("1", 1)):
        reply = client.get(address, params={"goto": goto}, follow_redirects=False)
        assert reply.status_code == 303
        assert reply.headers["location"] == f"{address}?line={number}#L{number}"
        assert number in lines_of(get_page(client, reply.headers["location"]))


@pytest.mark.parametrize("name", ["part", "line", "goto"])
@pytest.mark.parametrize("value", ["", "0", "-3", "x", "5-3", "1-999999999", "<script>", "９", "1" * 5000])
def test_what_names_no_part_is_ignored(long: tuple[TestClient, str, str], name: str, value: str) -> None:
    client, address, _ = long
    reply = client.get(address, params={name: value}, follow_redirects=False)
    assert reply.status_code == 200
    assert reply.text == client.get(address).text


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_no_range_makes_a_page_long(long: tuple[TestClient, str, str], data: st.DataObject) -> None:
    client, address, text = long
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    page = get_page(client, f"{address}?part={start}-{end}")
    shown = lines_of(page)
    assert 0 < len(shown) <= 1000
    assert shown[0] == text.count("\n", 0, start) + 1
    assert shown[-1] <= text.count("\n", 0, end) + 1


def test_what_stands_in_a_document_is_text_on_its_page() -> None:
    planted = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    text = f"题目{planted}\n\n■作者{planted}\n\n正文从这里开始，{planted}，到这里结束。\n"
    source = Source(f"{planted}.txt", text, hashlib.sha256(text.encode()).hexdigest())
    held = read_documents(source)
    with client_for(FakeEngine(held=held)) as opened:
        page = get_page(opened, f"/documents/{held[0].document_id}")
    assert f"正文从这里开始，{planted}" in page.text
    assert "img" not in [tag for tag, _ in page.elements]
    assert all("src" in attributes for tag, attributes in page.elements if tag == "script")


def test_an_error_opened_in_a_browser_is_a_page(client: TestClient) -> None:
    page = get_page(client, "/documents/gone", 404)
    assert "document_not_found" in page.text
    assert "script" not in [tag for tag, _ in get_page(client, "/documents/<script>", 404).elements]
    assert CODES["document_not_found"].meaning in page.text
    assert client.get("/v1/documents/gone", headers=BROWSER).json()["error"]["code"] == "document_not_found"


def test_the_reference_lists_every_operation_and_code(client: TestClient) -> None:
    page = get_page(client, "/docs")
    document = client.get("/openapi.json").json()
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    for operation in operations:
        assert operation["operationId"] in page.attributes("id")
        assert operation["summary"] in page.text
    for code, row in CODES.items():
        assert code in page.text
        assert row.action in page.text
    assert "整数，1–50，默认 8" in page.text
    assert "字符串，1–64 个字符 或 null" in page.text
    assert "数组（对象），最多 20 项" in page.text
    for field in ("history[].content", "citations[].start_char", "hits[].chunk_id", "score_threshold"):
        assert field in page.text


def test_without_docs_there_is_neither_page_nor_document() -> None:
    with client_for(settings=ApiSettings(docs=False)) as client:
        assert client.get("/docs").status_code == 404
        assert client.get("/openapi.json").status_code == 404
        assert "/docs" not in get_page(client, "/").attributes("href")


def test_behind_a_prefix_all_links_carry_it() -> None:
    app = create_app(FakeEngine, ApiSettings())
    app.state.engine_slot.open()
    client = TestClient(app, root_path="/cewen")
    for path in ("/cewen/", "/cewen/docs", f"/cewen/documents/{TEA}", "/cewen/static/gone.css"):
        page = Page(client.get(path, headers=BROWSER).text)
        for address in page.attributes("src") + page.attributes("href"):
            assert address.startswith(("/cewen/", "#")), address
            if address.startswith("/"):
                assert client.get(address).status_code == 200, address
