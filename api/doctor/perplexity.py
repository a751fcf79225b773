"""A client made for Perplexity: reads `citations` and `search_results` beside the message."""

from __future__ import annotations

from collections.abc import Sequence

from api.doctor.chat import CHANGED, ask_stream, ask_whole, read_stream
from api.doctor.chat_shapes import PerplexityRead, SearchResultRead
from api.doctor.checks import judge_abstention, judge_links, judge_spans, judge_text
from api.doctor.context import NONSENSE, Context
from api.doctor.model import Notes, Surface
from api.doctor.shapes import read_as
from api.doctor.spans import cited_of_url

_WHAT = "顶层的 citations 和 search_results"


def _examine(context: Context, notes: Notes) -> None:
    whole = read_as(PerplexityRead, ask_whole(context, context.question), "shape", _WHAT)
    text, results = whole.choices[0].message.content, whole.search_results
    notes.show(text, *(f"{place}. {each.title}" for place, each in enumerate(results, 1)))
    judge_text(context, notes, text)
    found = [cited_of_url(each.url, each.snippet) for each in results]
    judge_spans(context, notes, [cited for cited in found if cited], what="search_results 里的引文")
    urls = [each.url for each in results]
    fault = "" if urls == whole.citations else f"{len(whole.citations)} 条对 {len(urls)} 条，或次序不同"
    notes.judge("pairs", "citations 的第 n 条就是 search_results 的第 n 条", fault, CHANGED)
    judge_links(context, notes, [(url, None) for url in dict.fromkeys([*whole.citations, *urls])])
    _judge_stream(context, notes, results)
    nonsense = read_as(PerplexityRead, ask_whole(context, NONSENSE), "shape", _WHAT)
    cited = len(nonsense.citations) + len(nonsense.search_results)
    judge_abstention(context, notes, cited=cited, text=nonsense.choices[0].message.content)


def _judge_stream(context: Context, notes: Notes, results: Sequence[SearchResultRead]) -> None:
    what = "流式返回里有同样的 search_results"
    streamed = read_stream(ask_stream(context, context.question))
    if streamed.citations is None or streamed.search_results is None:
        notes.lost("stream_sources", what, "没有一块带着它们", CHANGED)
    elif not context.repeatable:
        notes.skip("stream_sources", what, "生成器每次写的不尽相同，不作比较")
    else:
        fault = "" if list(streamed.search_results) == list(results) else "与非流式的不同"
        notes.judge("stream_sources", what, fault, CHANGED)


PERPLEXITY = Surface("perplexity", "Perplexity 类客户端", "读顶层的 citations 和 search_results", _examine)
