"""`POST /dify/retrieval`: what Dify calls an external knowledge base, over our search or our answers.

In Dify the endpoint is this service's address, with or without `/dify` after it (Dify adds `/retrieval`),
and the external knowledge id is the name of a collection, or that with `.answer` after it:

- `default`: passages of the search, best first. Dify's model writes the answer and is responsible for it.
- `default.answer`: the verified citations of our own answer to the query, in its order, and nothing when
  we abstain, so that the Dify app has nothing to answer from either. The answer is in the metadata, but
  for sentences that rest on citations which are left out: a filter must not be told round about.

Why it does what it does; Dify means its code (`ExternalDatasetService`, `DatasetRetrieval`):

- When an endpoint is saved, Dify sends a POST with the key and nothing else, and takes everything but
  403, 404 and 502 for success. We answer 400, and say that address and key are right: who looks with
  other tools should see that this was no retrieval, and a proxy that loses bodies should not pass for a
  corpus without answers.
- What is not 200 at query time is an empty result without a word in most versions, an error of the whole
  conversation in the newest documents. So what a user may happen to type is never refused: a blank query
  finds nothing, control characters count as spaces, and of a long one the first 2000 characters are
  searched, the most that every other way in allows. What an app's author gets wrong is refused, and
  logged.
- It raises on `metadata: null` and asks for `top_k` records at most. Fewer are never for want of looking:
  where few of the usual candidates pass a filter, it is put to every row, once. That can take its time, so
  a caller who leaves stops it; and a filter that no record can pass is not put to any.

It does not write prose, does not remember conversations, and does not mix two ids.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.types import Message

from api.dify.conditions import Filter, read_filter
from api.dify.declared import declared
from api.dify.records import (
    CITATION_NAMES,
    PASSAGE_NAMES,
    Piece,
    piece_of_citation,
    piece_of_passage,
    records_of,
    value_in,
)
from api.dify.remaining import remaining_answer
from api.dify.schemas import RetrievalReply, RetrievalRequest, RetrievalSetting
from api.engine_slot import OpenLibrary, chosen_engine
from api.errors.shapes import DIFY_PATHS
from api.pages.links import linker_of
from api.ports import Engine, Library
from api.wire.streaming import whole_answer
from api.wire.strict_route import StrictJsonRoute
from rag.errors import InputError, NotFoundError
from rag.inputs import CONTROL, MAX_QUERY_CHARS, excerpt, is_blank
from rag.records import Citation, Passage

PATHS = DIFY_PATHS
ANSWER = ".answer"
"""After the name of a collection it stands for citations; no name of a collection has a dot in it."""

_NAMED = 10

_logger = logging.getLogger(__name__)


class ProbedRoute(StrictJsonRoute):
    """A route that knows a request without a body for what it is, whatever its Content-Type."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, after a look at the body."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            body = await request.body()
            if not body.strip():
                raise InputError(
                    "请求体是空的。如果这是 Dify 登记端点时的试探，那么地址和密钥都没有问题；"
                    "检索请以 JSON 发送 knowledge_id、query 和 retrieval_setting。",
                    code="malformed_json",
                )
            unread: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

            async def receive() -> Message:
                return unread.pop() if unread else await request.receive()

            return await inner(Request(request.scope, receive))

        return handler


router = APIRouter(route_class=ProbedRoute, tags=["Dify"])


async def retrieve(body: RetrievalRequest, library: OpenLibrary, request: Request) -> RetrievalReply:
    """Find records for Dify."""
    knowledge = body.knowledge_id.strip()
    cites = knowledge.endswith(ANSWER)
    try:
        engine = await chosen_engine(library, knowledge.removesuffix(ANSWER))
    except NotFoundError as error:
        raise _knowledge_not_found(knowledge, library) from error
    wanted = read_filter(body.metadata_condition)
    names = CITATION_NAMES if cites else PASSAGE_NAMES
    if wanted and not wanted.names <= names:
        _logger.warning("a metadata_condition names %d fields that no record has", len(wanted.names - names))
    query = CONTROL.sub(" ", body.query)[:MAX_QUERY_CHARS]
    if is_blank(query) or (wanted and not wanted.can_accept(names)):
        return RetrievalReply(records=[])
    setting = body.retrieval_setting or RetrievalSetting()
    find = _citations if cites else _passages
    return RetrievalReply(records=records_of(await find(engine, query, setting, wanted, request)))


def _knowledge_not_found(knowledge: str, library: Library) -> NotFoundError:
    names = [info.name for info in library.collections()]
    listed = "、".join(f"{name}（段落）和 {name}{ANSWER}（引文）" for name in names[:_NAMED])
    more = f"等 {len(names)} 个文库的" if len(names) > _NAMED else ""
    return NotFoundError(
        f"没有编号为{excerpt(knowledge)}的知识库，可用的有 {listed}{more}。"
        "请在 Dify 的外部知识库设置里改正编号。",
        code="knowledge_not_found",
    )


async def _passages(
    engine: Engine, query: str, setting: RetrievalSetting, wanted: Filter | None, request: Request
) -> list[Piece]:
    link = linker_of(request)

    def keep(passage: Passage) -> bool:
        return wanted is None or _accepts(wanted, piece_of_passage(passage, link))

    search = partial(
        engine.search,
        query,
        top_k=setting.top_k,
        score_threshold=setting.score_threshold,
        keep=keep if wanted else None,
    )
    found = await whole_answer(lambda left: search(cancelled=left), request)
    return [piece_of_passage(passage, link) for passage in found]


async def _citations(
    engine: Engine, query: str, setting: RetrievalSetting, wanted: Filter | None, request: Request
) -> list[Piece]:
    """Citations of the answer that `/v1/ask` gives: `top_k` limits the records, not what it rests on."""
    answer = await whole_answer(lambda left: engine.ask(query, cancelled=left), request)
    link = linker_of(request)

    def piece(citation: Citation, said: str | None) -> Piece:
        return piece_of_citation(citation, engine.document(citation.document_id), said, link)

    chosen = [
        citation
        for citation in answer.citations
        if citation.score >= setting.score_threshold
        and (wanted is None or _accepts(wanted, piece(citation, answer.answer)))
    ][: setting.top_k]
    said = remaining_answer(answer, {citation.number for citation in chosen})
    return [piece(citation, said) for citation in chosen]


def _accepts(wanted: Filter, piece: Piece) -> bool:
    return wanted.accepts(lambda name: value_in(piece, name))


for _path in PATHS:
    router.add_api_route(
        _path,
        retrieve,
        methods=["POST"],
        operation_id="difyRetrieval",
        include_in_schema=_path == PATHS[0],
        summary="Dify 外部知识库检索",
        description="供 Dify 的“外部知识库”调用：端点填本服务的地址（后面可以加 `/dify`），"
        "知识库 ID 填文库的名称，如 `default`（段落），或在后面加 `.answer`，如 `default.answer`"
        "（已核对的引文，弃答时为空）。",
        response_description="记录；没有合适的就是空列表",
        responses=declared(),
    )
