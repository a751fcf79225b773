"""A client that shows nothing but text (FastGPT and many others): the model `cewen-footnotes` is for it."""

from __future__ import annotations

import re

from api.doctor.chat import CHANGED, FOOTNOTES, ask_stream, cited_by_links, judge_models, read_stream
from api.doctor.checks import judge_abstention, judge_links, judge_spans, judge_text
from api.doctor.context import NONSENSE, Context
from api.doctor.model import Notes, Surface, shortened
from api.doctor.spans import squeezed

_RULE = "\n\n---\n\n"
_ENTRY = re.compile(r"^\[([0-9]+)\] .*?(?<!\\)\]\(([^()\s]*)\)", re.MULTILINE)


def _examine(context: Context, notes: Notes) -> None:
    judge_models(context, notes, FOOTNOTES)
    shown = read_stream(ask_stream(context, context.question, FOOTNOTES)).text
    notes.show(shown)
    text, rule, block = shown.rpartition(_RULE)
    judge_text(context, notes, text if rule else shown)
    urls = [url for _, url in _ENTRY.findall(block if rule else "")]
    judge_spans(context, notes, cited_by_links(urls), what="脚注", advice=CHANGED)
    notes.judge("quotes", "脚注里有引文的原话", _quotes_fault(context, block if rule else ""), CHANGED)
    judge_links(context, notes, [(url, None) for url in urls])
    nonsense = read_stream(ask_stream(context, NONSENSE, FOOTNOTES)).text
    text, rule, block = nonsense.rpartition(_RULE)
    judge_abstention(context, notes, cited=len(_ENTRY.findall(block)) if rule else 0, text=nonsense)


def _quotes_fault(context: Context, block: str) -> str:
    """Which native quote is not among the notes; "" for none. Markdown's backslashes do not count."""
    if context.trusted is None or not context.repeatable:
        return ""
    written = squeezed(block).replace("\\", "")
    for citation in context.trusted.citations:
        if squeezed(citation.quote).replace("\\", "") not in written:
            return f"没有 [{citation.number}] 的原话“{shortened(citation.quote, 30)}”"
    return ""


PLAIN_TEXT = Surface(
    "plain-text", "只显示文字的客户端", "FastGPT 等：模型 cewen-footnotes，出处写在正文之后", _examine
)
