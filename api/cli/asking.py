"""`cewen ask` and `cewen search`: a question or a query, here or of a service elsewhere."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from api.cli.console import harmless, stdout_console, write_json
from api.cli.opening import service
from api.cli.options import (
    Authors,
    Collection,
    DateFrom,
    DateTo,
    Documents,
    IndexDir,
    Json,
    Names,
    Seeds,
    SourceUrl,
    Tags,
    Titles,
    Url,
    check_range,
    filters_of,
    piped_text,
)
from api.cli.service import AskOptions, SearchOptions, Where

ASK_HELP = "提问，得到逐句带引文的答案。"
SEARCH_HELP = "检索段落，最相关的在前。"
MAX_TOP_K = 50  # as the REST service has it; a test compares

_MAX_STDIN_BYTES = 65_536

Question = Annotated[str, typer.Argument(metavar="问题", help="要问的话；写 - 则从标准输入读")]
Query = Annotated[str, typer.Argument(metavar="检索词", help="要找的内容；写 - 则从标准输入读")]


def ask(  # noqa: PLR0913, PLR0917 -- the options of a command line
    context: typer.Context,
    question: Question,
    as_json: Json = False,
    top_k: Annotated[int, typer.Option(metavar="N", help=f"最多依据几个段落作答，1 到 {MAX_TOP_K}")] = 8,
    generator: Annotated[
        str | None, typer.Option(metavar="NAME", help="用哪个生成器作答；默认用设置里的")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="附上各路检索的原始分数")] = False,
    collection: Collection = "default",
    document: Documents = None,
    title: Titles = None,
    author: Authors = None,
    tag: Tags = None,
    name: Names = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    source_url: SourceUrl = None,
    url: Url = None,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Answer one question, or abstain."""
    from api.cli.show import show_answer
    from cewen import Answer
    from rag.inputs import check_question

    asked = check_question(_typed_or_piped(question))
    check_range("--top-k", top_k, 1, MAX_TOP_K)
    filters = filters_of(
        documents=document,
        titles=title,
        authors=author,
        tags=tag,
        names=name,
        date_from=date_from,
        date_to=date_to,
        source_url=source_url,
    )
    with service(context, url, seeds, index_dir) as answering:
        options: AskOptions = {"top_k": top_k, "generator": generator, "explain": explain}
        body = answering.ask_json(asked, Where(collection, filters), options)
    if as_json:
        write_json(body)
    else:
        show_answer(stdout_console(), Answer.model_validate(harmless(json.loads(body))))


def search(  # noqa: PLR0913, PLR0917 -- the options of a command line
    context: typer.Context,
    query: Query,
    as_json: Json = False,
    top_k: Annotated[int, typer.Option(metavar="N", help=f"最多几个段落，1 到 {MAX_TOP_K}")] = 10,
    score_threshold: Annotated[
        float | None, typer.Option(metavar="X", help="只要相关度不低于此值的，0 到 1")
    ] = None,
    collection: Collection = "default",
    document: Documents = None,
    title: Titles = None,
    author: Authors = None,
    tag: Tags = None,
    name: Names = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    source_url: SourceUrl = None,
    url: Url = None,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Find passages."""
    from api.cli.show import show_hits
    from cewen import SearchResult
    from rag.inputs import MAX_QUERY_CHARS, check_text

    wanted = check_text(_typed_or_piped(query), name="query", max_chars=MAX_QUERY_CHARS)
    check_range("--top-k", top_k, 1, MAX_TOP_K)
    check_range("--score-threshold", score_threshold or 0.0, 0.0, 1.0)
    filters = filters_of(
        documents=document,
        titles=title,
        authors=author,
        tags=tag,
        names=name,
        date_from=date_from,
        date_to=date_to,
        source_url=source_url,
    )
    with service(context, url, seeds, index_dir) as searching:
        options: SearchOptions = {"top_k": top_k, "score_threshold": score_threshold}
        body = searching.search_json(wanted, Where(collection, filters), options)
    if as_json:
        write_json(body)
    else:
        show_hits(stdout_console(), SearchResult.model_validate(harmless(json.loads(body))))


def _typed_or_piped(text: str) -> str:
    """The argument, or standard input for "-", without the line end that closes it."""
    return text if text != "-" else piped_text(_MAX_STDIN_BYTES, "一个问题").rstrip("\r\n")
