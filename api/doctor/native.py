"""The native REST interface, whose answer all others are compared with: looked at first, and hardest."""

from __future__ import annotations

from api.doctor.checks import error_fault, judge_abstention, judge_links, judge_marks, judge_truth
from api.doctor.context import ASK, EXTRACTIVE, NONSENSE, Context
from api.doctor.model import LostError, Notes, Surface
from api.doctor.shapes import AnswerRead, SearchRead, read_as
from api.doctor.spans import cited_of, cited_of_hit, lines

_TOP_K = 3
_INTERCEPTED = "代理换掉了服务的错误答复（nginx：proxy_intercept_errors off），程序认不出出了什么错。"


def _examine(context: Context, notes: Notes) -> None:
    _judge_readiness(context, notes)
    _judge_errors(context, notes)
    answer = _judge_answer(context, notes)
    _judge_search(context, notes)
    _judge_nonsense(context, notes)
    if answer is None and context.asked.lost:
        raise context.asked.lost


def _judge_answer(context: Context, notes: Notes) -> AnswerRead | None:
    answer = context.asked.answer
    if answer is None:
        return None
    notes.show(answer.answer)
    notes.show(
        *(
            f"[{each.number}] {each.title} {lines(each.start_line, each.end_line)} {each.url}"
            for each in answer.citations
        )
    )
    judge_marks(notes, answer.answer, answer)
    cited = [cited_of(each) for each in answer.citations]
    judge_truth(context, notes, cited)
    links = [(each.url, cited_of(each)) for each in answer.citations]
    # On this machine a program knows what to put before the slash; a reader elsewhere does not.
    judge_links(context, notes, links, relative_is_fine=context.links.near)
    what = "再问一遍，答案相同"
    if context.repeatable:
        notes.ok("repeatable", what)
    elif context.asked_again.lost:
        finding = context.asked_again.lost.finding
        notes.lost("repeatable", what, finding.detail, finding.advice)
    elif answer.generator != EXTRACTIVE:
        notes.skip("repeatable", what, f"生成器 {answer.generator} 每次写的不尽相同；各接口只核对引文")
    else:
        notes.lost(
            "repeatable",
            what,
            "两次的答案不同",
            "代理可能把两次请求转给了不同版本的服务，或改了其中一次的答复。",
        )
    return answer


def _judge_readiness(context: Context, notes: Notes) -> None:
    reply = context.connection.get("/readyz", key="none")
    fault = (
        "" if reply.status == 200 and reply.media_type == "application/json" else f"/readyz 答 {reply.status}"
    )
    notes.judge("ready", "就绪检查", fault, "代理没有转发 /readyz；负载均衡器靠它知道服务能不能用。")


def _judge_errors(context: Context, notes: Notes) -> None:
    what = "出错时答的是错误码"
    faults = [error_fault(context.connection.post(ASK, {"question": ""}), 422)]
    if context.key_needed:
        faults.append(error_fault(context.connection.post(ASK, {"question": "？"}, key="wrong"), 401))
    notes.judge("errors", what, next(filter(None, faults), ""), _INTERCEPTED)


def _judge_search(context: Context, notes: Notes) -> None:
    what = "检索到的段落"
    body = {"query": context.question, "top_k": _TOP_K}
    try:
        hits = read_as(SearchRead, context.post_json("/v1/search", body, what), "search", what).hits
    except LostError as error:
        finding = error.finding
        notes.lost("search", what, finding.detail, finding.advice)
        return
    if context.answered and not hits:
        advice = "中间的代理或网关改了答复，或把请求转给了别的服务。"
        notes.lost("search", what, "这个问题有答案，却一段也没有检索到", advice)
        return
    faults = [context.sources.fault(cited_of_hit(hit)) for hit in hits]
    near = context.links.near
    faults += [context.links.fault(hit.url, cited_of_hit(hit), relative_is_fine=near) for hit in hits]
    wrong = [fault for fault in faults if fault]
    if None in faults and not wrong:
        notes.skip("search", f"{what}逐条在原文里", "原文接口给的不是源文件，无从核对；见“原文”")
    else:
        fault = wrong[0] if wrong else ""
        advice = "中间的代理或网关改了答复，或 CEWEN_PUBLIC_URL 没有设对。"
        notes.judge("search", f"{what}逐条在原文里", fault, advice, seen=f"{len(hits)} 条")


def _judge_nonsense(context: Context, notes: Notes) -> None:
    answer = context.nonsense.answer
    if answer is None:
        lost = context.nonsense.lost
        if lost and context.asked.answer:
            notes.lost("abstains", "文库没有的，如实说没有", lost.finding.detail, lost.finding.advice)
    elif context.nonsense_abstained:
        judge_abstention(context, notes, cited=0, text=answer.answer)
    else:
        notes.lost(
            "abstains",
            "文库没有的，如实说没有",
            f"对胡诌的问题作了答，给了 {len(answer.citations)} 条引文：{NONSENSE}",
            "请调低 CEWEN_FALSE_ANSWER_RATE。",
        )


NATIVE = Surface("native", "原生 REST", "自己写的程序：POST /v1/ask、/v1/search", _examine)
