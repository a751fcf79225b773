"""The pages that citations lead to, as a browser that has no key shows them."""

from __future__ import annotations

from urllib.parse import quote

from api.doctor.context import Context
from api.doctor.model import LostError, Notes, Surface, shortened
from api.doctor.pages_reader import Page, read_page
from api.doctor.spans import Cited, cited_of, cited_of_url, lines, squeezed

_ADVICE = "代理改了网页、去掉了 ?chars=…，或没有转发 /documents/；请原样转发。"


def _examine(context: Context, notes: Notes) -> None:
    answer = context.asked.answer
    if answer is None or not answer.citations:
        notes.skip("page", "引文链接打开的网页", "没有引文可以打开")
        return
    for citation in answer.citations:
        # What the link says counts here; the numbers beside it are looked at elsewhere.
        cited = cited_of_url(citation.url) or cited_of(citation)
        what = f"[{citation.number}] 打开的网页标出了这段引文"
        try:
            page = _open(context, cited)
        except LostError as error:
            finding = error.finding
            notes.lost("page", what, finding.detail, finding.advice)
            continue
        if citation.number == 1:
            notes.show(f"{lines(cited.start_line, cited.end_line)}，标出：{page.marked}")
        notes.judge("page", what, _fault(context, cited, citation.quote, page), _ADVICE)


def _open(context: Context, cited: Cited) -> Page:
    """The page, at the deployment's own address; whether the link itself leads there, others look at."""
    path = f"/documents/{quote(cited.document_id)}?chars={cited.start_char}-{cited.end_char}"
    reply = context.connection.open(f"{context.connection.base_url}{path}").expect("page", "网页")
    if reply.media_type != "text/html":
        seen = f"{path} 的 Content-Type 是 {reply.media_type or '空的'}"
        raise LostError("page", "网页", seen, _ADVICE)
    return read_page(reply.text)


def _fault(context: Context, cited: Cited, quoted: str, page: Page) -> str:
    first, last = cited.start_line, cited.end_line
    missing = [number for number in range(first, last + 1) if number not in page.lines]
    if missing:
        return f"没有第 {missing[0]} 行"
    anchors = {f"L{first}-L{last}"} if last > first else {f"L{first}", f"L{first}-L{last}"}
    if not anchors & page.ids:
        return f"没有锚点 {min(anchors)}，链接跳不到这些行"
    text = context.sources.trusted(cited.document_id)
    wanted = quoted if text is None else text[cited.start_char : cited.end_char]
    if squeezed(page.marked) != squeezed(wanted):
        return f"标出的是“{shortened(page.marked, 30)}”，应为“{shortened(wanted, 30)}”"
    if text is not None:
        printed = text.split("\n")
        differing = [
            number
            for number in range(first, last + 1)
            if number > len(printed) or squeezed(page.lines[number]) != squeezed(printed[number - 1])
        ]
        if differing:
            return f"第 {differing[0]} 行与源文件不同：“{shortened(page.lines[differing[0]], 30)}”"
    return ""


PAGES = Surface("pages", "引文链接", "点开引文的读者：浏览器，不带密钥", _examine)
