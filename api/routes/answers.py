"""`POST /v1/ask` and `POST /v1/search`: check the input, call the engine, convert the result.

The engine works in worker threads, so the event loop stays free; how many run at once is the admission
gate's decision (`PATHS` is what it guards).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from fastapi import APIRouter, Request, Response

from api.engine_slot import OpenLibrary, chosen_engine
from api.errors.declared import CHOOSES, COMPUTES, HAS_JSON_BODY, declare
from api.wire.convert import ask_reply, filters_of, hit
from api.wire.schemas import AskReply, AskRequest, SearchReply, SearchRequest
from api.wire.streaming import EventStreamResponse, encode_event, whole_answer
from api.wire.strict_route import StrictJsonRoute
from rag.inputs import MAX_QUERY_CHARS, MAX_TURN_CHARS, check_question, check_text
from rag.records import Turn

router = APIRouter(route_class=StrictJsonRoute, tags=["问答"])
PATHS = ("/v1/ask", "/v1/search")


@router.post(
    "/v1/ask",
    operation_id="ask",
    summary="提问，得到逐句带引文的答案",
    description="每一句都带引文；文库没有说的，回答 `status: abstained` 和原因。同样的问题得到同样的答案。",
    response_description="答案，或弃答",
    response_model=AskReply,
    response_model_exclude_unset=True,
    responses=declare(
        *HAS_JSON_BODY,
        "empty_question",
        "question_too_long",
        "empty_content",
        "content_too_long",
        "generator_not_found",
        *CHOOSES,
        *COMPUTES,
        streams="事件流：citations（至今全部引文，先于标注它们的文字）、delta（一段文字）、done（与不流式时相同的正文）；"
        "中途出错为 error",
    ),
)
async def ask(body: AskRequest, library: OpenLibrary, request: Request) -> AskReply | Response:
    """Answer a question, or abstain."""
    collection = body.collection
    history = [
        Turn(turn.role, check_text(turn.content, name="content", max_chars=MAX_TURN_CHARS))
        for turn in body.history
    ]
    asked: dict[str, Any] = {
        "question": check_question(body.question),
        "history": history,
        "top_k": body.top_k,
        "generator": body.generator,
        "explain": body.explain,
    }
    engine = await chosen_engine(library, collection, filters_of(body.filters))
    if body.stream:
        encode = partial(encode_event, collection=collection)
        return EventStreamResponse(lambda left: map(encode, engine.stream(**asked, cancelled=left)))
    answer = await whole_answer(lambda left: engine.ask(**asked, cancelled=left), request)
    return ask_reply(answer, collection)


@router.post(
    "/v1/search",
    operation_id="search",
    summary="检索段落",
    description="最相关的在前；`score_threshold` 过滤的就是返回的 `score`。没有合适的返回空列表。",
    response_description="检索到的段落",
    responses=declare(*HAS_JSON_BODY, "empty_query", "query_too_long", *CHOOSES, *COMPUTES),
)
async def search(body: SearchRequest, library: OpenLibrary, request: Request) -> SearchReply:
    """Find passages."""
    query = check_text(body.query, name="query", max_chars=MAX_QUERY_CHARS)
    engine = await chosen_engine(library, body.collection, filters_of(body.filters))
    wanted = partial(
        engine.search,
        query,
        top_k=body.top_k,
        score_threshold=body.score_threshold,
    )
    passages = await whole_answer(lambda left: wanted(cancelled=left), request)
    return SearchReply(
        hits=[hit(passage) for passage in passages],
        collection=body.collection,
        fingerprint=engine.fingerprint,
    )
