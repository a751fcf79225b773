"""Checks that several surfaces share: same answer, true citations, links that open, honest abstention."""

from __future__ import annotations

from collections.abc import Sequence

from api.doctor.connection import Reply
from api.doctor.context import NONSENSE, Context
from api.doctor.links import ADVICE
from api.doctor.model import LostError, Notes, shortened
from api.doctor.shapes import CewenRead, ErrorRead, read_as
from api.doctor.spans import Cited, keys_of

CHANGED = "中间的代理或网关改了答复；请让它原样转发。"
_STALE = "中间的代理或网关改了答复，或把两次请求转给了不同版本的服务。"
_TOO_QUICK_SECONDS = 0.05
_TRIES = 3


def judge_text(context: Context, notes: Notes, text: str) -> None:
    """Is the text a client shows the native answer?"""
    what = "答案与原生接口的相同"
    native = context.asked.answer
    if native is None:
        notes.skip("same_answer", what, "原生接口没有给出答案，无从比较")
    elif not context.repeatable:
        notes.skip("same_answer", what, f"生成器 {native.generator} 每次写的不尽相同，不比较文字")
    else:
        notes.judge("same_answer", what, text_fault(text, native.answer), _STALE)


def text_fault(text: str, native: str) -> str:
    """What is wrong with a text that should be the native one; "" for nothing."""
    if text == native:
        return ""
    place = next(
        (at for at, (one, other) in enumerate(zip(text, native, strict=False)) if one != other),
        min(len(text), len(native)),
    )
    seen = shortened(text[place : place + 20], 20) or "（到此为止）"
    return f"第 {place + 1} 个字起不同：这里是“{seen}”，原生接口是“{shortened(native[place:], 20)}”"


def judge_spans(
    context: Context, notes: Notes, cited: Sequence[Cited], *, what: str = "引文", advice: str = CHANGED
) -> None:
    """Does every claim stand in the source, and are they the native ones?"""
    same = f"{what}与原生接口的是同一些区间"
    if context.answered and not cited:
        # Also where nothing can be compared: who answers cites something.
        notes.lost("same_spans", same, "原生接口作了答，这里一条引文也没有", advice)
        return
    judge_truth(context, notes, cited, what=what)
    what = same
    native = context.trusted
    if native is None:
        notes.skip("same_spans", what, "原生接口的引文缺失或核对不上，不作比较")
    elif not context.repeatable:
        notes.skip("same_spans", what, "生成器每次写的不尽相同，不作比较")
    else:
        wanted = [(each.document_id, each.start_char, each.end_char) for each in native.citations]
        have = keys_of(cited)
        missing = [key for key in wanted if key not in have]
        foreign = [key for key in have if key not in wanted]
        faults = [f"原生接口有 {len(wanted)} 条，这里少了 {len(missing)} 条"] if missing else []
        faults += [f"多出 {len(foreign)} 条别的区间"] if foreign else []
        notes.judge("same_spans", what, "，".join(faults), advice)


def judge_truth(context: Context, notes: Notes, cited: Sequence[Cited], *, what: str = "引文") -> None:
    """Does every claim stand in the source where it is said to stand?"""
    what = f"{what}逐条在原文里，行号相符"
    faults = [context.sources.fault(each) for each in cited]
    wrong = [fault for fault in faults if fault]
    if wrong:
        notes.lost("true_spans", what, f"{len(wrong)}/{len(cited)} 条不符：{wrong[0]}", CHANGED)
    elif None in faults:
        notes.skip("true_spans", what, "原文接口给的不是源文件，无从核对；见“原文”")
    elif cited:
        notes.ok("true_spans", what, f"{len(cited)} 条")
    else:
        notes.ok("true_spans", what, "没有引文")


def judge_links(
    context: Context,
    notes: Notes,
    links: Sequence[tuple[str, Cited | None]],
    *,
    what: str = "链接",
    relative_is_fine: bool = False,
) -> None:
    """Can a person open every link?"""
    faults = [context.links.fault(url, cited, relative_is_fine=relative_is_fine) for url, cited in links]
    wrong = [fault for fault in faults if fault]
    fault = f"{len(wrong)}/{len(links)} 条不行：{wrong[0]}" if wrong else ""
    notes.judge("links", f"{what}读者打得开", fault, ADVICE, seen=f"{len(links)} 条")


def judge_abstention(context: Context, notes: Notes, *, cited: int, text: str | None) -> None:
    """Does this surface admit that nonsense is not answered?

    Args:
        context: The examination.
        notes: To write to.
        cited: How many citations the client is given for nonsense.
        text: What it shows; None if it shows records only.
    """
    what = "文库没有的，如实说没有"
    native = context.nonsense.answer
    if native is None or not context.nonsense_abstained:
        notes.skip("abstains", what, "原生接口自己没有弃答，见“原生 REST”")
    elif cited:
        notes.lost("abstains", what, f"对胡诌的问题给了 {cited} 条引文：{NONSENSE}", _STALE)
    elif text is not None and context.repeatable:
        fault = text_fault(text, native.answer)
        notes.judge("abstains", what, fault, _STALE, seen=shortened(native.answer, 60))
    else:
        notes.ok("abstains", what, "没有引文")


def judge_buffering(context: Context, notes: Notes, tries: Sequence[Reply]) -> None:
    """Did the parts of a stream come as they were written, or all at once at the end?

    The service opens every stream before it computes. Only where it computes long enough, and the opening
    came together with the end every time, was it held back.
    """
    what = "流式返回逐句到达"
    if not tries[-1].pieces:
        notes.skip("unbuffered", what, "流是空的")
        return
    first, last = tries[-1].pieces[0][0], tries[-1].pieces[-1][0]
    seen = f"第一个字节 {first * 1000:.0f} 毫秒，最后一个 {last * 1000:.0f} 毫秒"
    if not all(arrived_at_once(context, reply) for reply in tries):
        notes.ok("unbuffered", what, seen)
    elif context.computing_seconds < _TOO_QUICK_SECONDS:
        notes.skip("unbuffered", what, f"答得太快（{last * 1000:.0f} 毫秒），看不出中间有没有攒着")
    else:
        advice = (
            "代理缓冲了流。nginx：proxy_buffering off；其他代理和 CDN 对 text/event-stream 关掉缓冲和压缩。"
        )
        notes.lost("unbuffered", what, f"{seen}，试了 {len(tries)} 次都是攒到最后一起到", advice)


def arrived_at_once(context: Context, reply: Reply) -> bool:
    """Whether all of a streamed reply came in much less time than the answer took."""
    if not reply.pieces:
        return False
    passed = reply.pieces[-1][0] - reply.pieces[0][0]
    return passed < max(context.computing_seconds, _TOO_QUICK_SECONDS) / 2


def tries_left(context: Context, tries: Sequence[Reply]) -> bool:
    """Whether a stream should be asked for again before it is said to be held back."""
    if context.computing_seconds < _TOO_QUICK_SECONDS or len(tries) >= _TRIES:
        return False
    return all(arrived_at_once(context, reply) for reply in tries)


def judge_marks(notes: Notes, text: str, answer: CewenRead) -> None:
    """Does every sentence have its marks, and every mark its citation?"""
    notes.judge("marks", "每一句都有角标，每个角标都有引文", numbers_fault(text, answer), CHANGED)


def numbers_fault(text: str, answer: CewenRead) -> str:
    """What is wrong with the marks of an answer; "" for nothing."""
    if answer.status == "answered" and not (answer.sentences and answer.citations):
        return "作了答，却没有引文" if answer.sentences else "作了答，却没有一句话"
    numbers = {citation.number for citation in answer.citations}
    used = {number for sentence in answer.sentences for number in sentence.citations}
    if used - numbers:
        return f"角标 {sorted(used - numbers)} 没有引文"
    bare = [sentence.text for sentence in answer.sentences if not sentence.citations]
    if bare:
        return f"有一句没有引文：“{shortened(bare[0], 24)}”"
    lost = [
        sentence.text
        for sentence in answer.sentences
        if sentence.text + "".join(f"[{number}]" for number in sentence.citations) not in text
    ]
    return f"答案里没有这一句和它的角标：“{shortened(lost[0], 24)}”" if lost else ""


def error_fault(reply: Reply, status: int) -> str:
    """What is wrong with a refusal: another status, or no error that a program can read; "" if nothing is."""
    if reply.status != status:
        return f"{reply.path} 该答 {status}，答了 {reply.status}"
    try:
        read_as(ErrorRead, reply.json("errors", "错误"), "errors", "错误")
    except LostError as error:
        return error.finding.detail
    return ""
