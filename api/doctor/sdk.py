"""A program on OpenAI's SDK: reads the whole message, its annotations by offset, and our `cewen` object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from api.doctor.chat import CHANGED, COMPLETIONS, PLAIN, ask_whole, judge_models
from api.doctor.chat_shapes import CompletionRead, OwnCompletionRead, UrlCitationRead
from api.doctor.checks import error_fault, judge_abstention, judge_links, judge_marks, judge_spans, judge_text
from api.doctor.context import NONSENSE, Context
from api.doctor.model import LostError, Notes, Surface, shortened
from api.doctor.shapes import CewenRead, read_as
from api.doctor.spans import Cited, cited_of, cited_of_url

_WHAT = "对话补全的格式"


def _examine(context: Context, notes: Notes) -> None:
    judge_models(context, notes, PLAIN)
    _judge_errors(context, notes)
    body = ask_whole(context, context.question)
    message = read_as(CompletionRead, body, "shape", _WHAT).choices[0].message
    read = [each.url_citation for each in message.annotations]
    shown = (f"{message.content[each.start_index : each.end_index]} → {each.url}" for each in read)
    notes.show(message.content, *shown)
    judge_text(context, notes, message.content)
    own = _own(notes, body)
    if own is not None:
        judge_marks(notes, message.content, own)
        judge_spans(context, notes, [cited_of(each) for each in own.citations], what="cewen 对象里的引文")
    known = own or context.asked.answer
    if known is not None:
        fault = _fault(message.content, read, known)
        notes.judge("annotations", "标注的区间正是各处角标", fault, CHANGED, seen=f"{len(read)} 处")
    links: list[tuple[str, Cited | None]] = [(each.url, None) for each in read]
    links += [(each.url, cited_of(each)) for each in own.citations] if own else []
    judge_links(context, notes, list(dict.fromkeys(links)))
    _judge_nonsense(context, notes)


def _own(notes: Notes, body: Any) -> CewenRead | None:
    """Our own object, if it came; a program without it can still go by the annotations."""
    what = "cewen 对象里有完整的引文"
    try:
        return read_as(OwnCompletionRead, body, "own", what).cewen
    except LostError as error:
        notes.lost("own", what, error.finding.detail, CHANGED)
        return None


def _fault(text: str, annotations: Sequence[UrlCitationRead], known: CewenRead) -> str:
    """What is wrong with the annotations of a text; "" for nothing."""
    keys = {each.number: cited_of(each).key for each in known.citations}
    found: list[int] = []
    for each in annotations:
        start, end = each.start_index, each.end_index
        shown = text[start:end] if 0 <= start < end <= len(text) else ""
        number = next((number for number in keys if shown == f"[{number}]"), None)
        if number is None:
            return f"区间 {start}–{end} 是“{shortened(shown, 20)}”，不是角标"
        cited = cited_of_url(each.url)
        if cited is not None and cited.key != keys[number]:
            return f"{shown} 的链接指的不是它的引文：{shortened(each.url, 60)}"
        found.append(number)
    marks = [number for sentence in known.sentences for number in sentence.citations]
    return "" if sorted(found) == sorted(marks) else f"答案里有 {len(marks)} 处角标，标注了 {len(found)} 处"


def _judge_errors(context: Context, notes: Notes) -> None:
    what = "出错时是 OpenAI 的错误格式"
    asked = {
        "model": "cewen-doctor-no-such-model",
        "messages": [{"role": "user", "content": context.question}],
    }
    faults = [error_fault(context.connection.post(COMPLETIONS, asked), 404)]
    if context.key_needed:
        faults.append(error_fault(context.connection.get("/v1/models", key="wrong"), 401))
    advice = "网关或代理换掉了错误答复（nginx：proxy_intercept_errors off），SDK 认不出出了什么错。"
    notes.judge("errors", what, next(filter(None, faults), ""), advice)


def _judge_nonsense(context: Context, notes: Notes) -> None:
    body = ask_whole(context, NONSENSE)
    message = read_as(CompletionRead, body, "shape", _WHAT).choices[0].message
    own = _own(Notes(), body)
    cited = len(message.annotations) + (len(own.citations) if own else 0)
    judge_abstention(context, notes, cited=cited, text=message.content)


SDK = Surface("openai-sdk", "OpenAI SDK 程序", "非流式读 message.content、annotations 和 cewen", _examine)
