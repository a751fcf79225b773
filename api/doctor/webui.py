"""Open WebUI: streams, shows the text, and lists the titles of the annotations as sources under it."""

from __future__ import annotations

from api.doctor.chat import (
    CHANGED,
    PLAIN,
    ask_stream,
    cited_by_links,
    judge_models,
    read_stream,
)
from api.doctor.checks import (
    judge_abstention,
    judge_buffering,
    judge_links,
    judge_spans,
    judge_text,
    tries_left,
)
from api.doctor.context import NONSENSE, Context
from api.doctor.model import Notes, Surface


def _examine(context: Context, notes: Notes) -> None:
    judge_models(context, notes, PLAIN)
    tries = [ask_stream(context, context.question)]
    streamed = read_stream(tries[0])
    # It shows each address once, whatever number of marks points to it.
    sources = {each.url_citation.url: each.url_citation.title for each in streamed.annotations}
    notes.show(streamed.text, *(f"来源：{title}" for title in sources.values()))
    judge_text(context, notes, streamed.text)
    judge_spans(context, notes, cited_by_links(list(sources)), what="来源", advice=CHANGED)
    blank = [url for url, title in sources.items() if not title.strip()]
    fault = f"{len(blank)} 条没有标题" if blank else ""
    notes.judge("titles", "来源有可读的标题", fault, CHANGED)
    judge_links(context, notes, [(url, None) for url in sources])
    nonsense = read_stream(ask_stream(context, NONSENSE))
    judge_abstention(context, notes, cited=len(nonsense.annotations), text=nonsense.text)
    while tries_left(context, tries):
        tries.append(ask_stream(context, context.question))
    judge_buffering(context, notes, tries)


WEBUI = Surface(
    "open-webui", "Open WebUI", "流式读 delta.content 和 delta.annotations，标题列为来源", _examine
)
