"""`POST /v1/chat/completions`, `GET /v1/models` and `GET /v1/models/{id}`.

`PATHS` are those that compute: the admission gate guards them, and they may have larger bodies, because a
chat client sends the whole conversation every time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from api.engine_slot import OpenedLibrary, OpenLibrary, chosen_engine
from api.errors.declared import COMPUTES, HAS_JSON_BODY
from api.openai_chat.completion import Chunk, Completion, Wanted, folded
from api.openai_chat.conversation import read_conversation
from api.openai_chat.models import PLAIN, Model, listed, model_not_found, read_model
from api.openai_chat.refusals import ChatRoute, FieldError, declare_openai, field_refusal
from api.openai_chat.schemas import ChatCompletionOut, ChatRequest, ModelListOut, ModelOut
from api.pages.links import linker_of
from api.wire.streaming import EventStreamResponse, sent_event, whole_answer
from rag.errors import NotFoundError
from rag.records import Answer

PATHS: tuple[str, ...] = ("/v1/chat/completions",)

_CREATED = 1_767_225_600
"""A fixed time, so that clients which cache the list see no change."""

_DONE = b"data: [DONE]\n\n"

_posting = APIRouter(route_class=ChatRoute)
router = APIRouter(tags=["OpenAI 兼容"])


@_posting.post(
    "/v1/chat/completions",
    operation_id="createChatCompletion",
    summary="提问，OpenAI 聊天格式",
    description="答案在 `content`，每处 [n] 在 `annotations` 里有链接。文库没有说的，`content` 如实说明，"
    "`cewen.status` 是 `abstained`。没有列出的字段一律忽略。",
    response_description="答案，或弃答",
    response_model=ChatCompletionOut,
    responses=declare_openai(
        *HAS_JSON_BODY,
        "empty_question",
        "question_too_long",
        "model_not_found",
        *COMPUTES,
        streams="事件流：chat.completion.chunk 各块，最后 [DONE]；中途出错为 {error}",
    ),
)
async def create_chat_completion(
    body: ChatRequest, library: OpenLibrary, request: Request
) -> ChatCompletionOut | Response:
    """Answer the last question of a conversation."""
    model = read_model(body.model if body.model is not None else PLAIN, library)
    # In a thread: it may be megabytes.
    conversation = await anyio.to_thread.run_sync(read_conversation, body.messages)
    try:
        engine = await chosen_engine(library, model.collection)
    except NotFoundError as error:
        raise model_not_found(model.name, library) from error
    options = body.stream_options
    wanted = Wanted(
        model=model.name,
        collection=model.collection,
        with_footnotes=model.with_footnotes,
        texts=conversation.texts,
        max_tokens=body.most_tokens,
        with_usage=not body.stream or bool(options and options.include_usage),
    )
    completion = Completion(engine, wanted, linker_of(request))
    asked: dict[str, Any] = {"question": conversation.question, "history": conversation.history}
    if body.stream:
        return EventStreamResponse(
            lambda left: _with_end(completion.chunks(engine.stream(**asked, cancelled=left))),
            tell_error=_event,
            opening=_event(completion.opening()),
        )
    whole: list[Chunk] = []

    def compute(left: Callable[[], bool]) -> Answer:
        events = list(engine.stream(**asked, cancelled=left))
        whole.append(folded((completion.opening(), *completion.chunks(events))))
        (answer,) = (event for event in events if isinstance(event, Answer))
        return answer

    await whole_answer(compute, request)
    return ChatCompletionOut.model_validate(whole[0])


router.include_router(_posting)


@router.get(
    "/v1/models",
    operation_id="listModels",
    summary="列出模型",
    description="`cewen` 的出处在 `annotations` 等字段里；`cewen-footnotes` 另在正文之后附上出处，"
    "给只显示正文的客户端。这两个问的是文库 default；名为 x 的文库是 `cewen@x` 和 `cewen-footnotes@x`。",
    response_description="全部模型",
    responses=declare_openai(),
)
def list_models(library: OpenedLibrary) -> ModelListOut:
    """What `model` may be; asked by clients to see whether they are connected."""
    return ModelListOut(object="list", data=[_model(model) for model in listed(library)])


@router.get(
    "/v1/models/{model}",
    operation_id="getModel",
    summary="查看一个模型",
    response_description="该模型",
    response_model=ModelOut,
    responses=declare_openai("model_not_found"),
)
def get_model(model: str, library: OpenedLibrary, request: Request) -> ModelOut | Response:
    """One model."""
    try:
        return _model(read_model(model, library, must_exist=True))
    except FieldError as error:
        return field_refusal(request, error)


def _model(model: Model) -> ModelOut:
    return ModelOut(id=model.name, object="model", created=_CREATED, owned_by="cewen")


def _with_end(chunks: Iterator[Chunk]) -> Iterator[bytes]:
    yield from map(_event, chunks)
    yield _DONE


def _event(body: dict[str, Any]) -> bytes:
    return sent_event(json.dumps(body, ensure_ascii=False, allow_nan=False))
