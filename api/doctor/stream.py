"""The native stream of events, as the web page and the client library read it."""

from __future__ import annotations

from api.doctor.checks import (
    judge_abstention,
    judge_buffering,
    judge_links,
    judge_marks,
    judge_spans,
    judge_text,
    tries_left,
)
from api.doctor.connection import Reply
from api.doctor.context import ASK, NONSENSE, Context
from api.doctor.events import events_of, json_of
from api.doctor.model import LostError, Notes, Surface
from api.doctor.shapes import AnswerRead, read_as
from api.doctor.spans import cited_of

_CHANGED = "流没有完整到达，或中间改了它。请看代理的超时和日志。"


def _examine(context: Context, notes: Notes) -> None:
    tries = [_ask(context, context.question)]
    answer, text = _read(tries[0])
    notes.show(text)
    notes.ok("events", "事件的次序：citations、delta、done")
    fault = "" if text == answer.answer else "各 delta 合起来不是 done 里的答案"
    notes.judge("parts", "逐句的文字合起来就是答案", fault, _CHANGED)
    judge_text(context, notes, answer.answer)
    judge_marks(notes, answer.answer, answer)
    judge_spans(context, notes, [cited_of(each) for each in answer.citations])
    links = [(each.url, cited_of(each)) for each in answer.citations]
    # Both who read this stream put the deployment's address before a relative link.
    judge_links(context, notes, links, relative_is_fine=True)
    nonsense, _ = _read(_ask(context, NONSENSE))
    judge_abstention(context, notes, cited=len(nonsense.citations), text=nonsense.answer)
    while tries_left(context, tries):
        tries.append(_ask(context, context.question))
    judge_buffering(context, notes, tries)


def _ask(context: Context, question: str) -> Reply:
    reply = context.connection.post(ASK, {"question": question, "stream": True})
    return reply.expect("answer", "流式答复")


def _read(reply: Reply) -> tuple[AnswerRead, str]:
    """The answer of `done`, and the text of the parts before it.

    Raises:
        LostError: If the events are not those of an answer.
    """
    events = events_of(reply)
    names = [name for name, _ in events]
    orderly = names[:1] == ["citations"] and names[-1:] == ["done"] and names.count("done") == 1
    if not orderly or set(names) - {"citations", "delta", "done"}:
        seen = f"收到的是 {'、'.join(names[:6]) or '没有事件'}{'……' if len(names) > 6 else ''}"
        raise LostError("events", "事件的次序：citations、delta、done", seen, _CHANGED)
    parts = [json_of(data) for name, data in events if name == "delta"]
    text = "".join(str(part.get("text", "")) if isinstance(part, dict) else "" for part in parts)
    answer = read_as(AnswerRead, json_of(events[-1][1]), "events", "done 事件")
    return answer, text


STREAM = Surface("stream", "原生流式", "网页和客户端库：POST /v1/ask，stream 为 true，逐句显示", _examine)
