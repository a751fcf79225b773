"""`POST /v1/chat/completions`, `GET /v1/models` and `GET /v1/models/{id}`.

`PATHS` are those that compute: the admission gate guards them, and they may have larger bodies, because a
chat client sends the whole conversation every time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response

from api.declared_errors import COMPUTES, HAS_JSON_BODY
from api.engine_slot import OpenEngine
from api.links import linker_of
from api.openai_chat.completion import Chunk, Completion, Wanted, folded
from api.openai_chat.conversation import read_conversation
from api.openai_chat.refusals import ChatRoute, FieldError, declare_openai, field_refusal
from api.openai_chat.schemas import ChatCompletionOut, ChatRequest, ModelListOut, ModelOut
from api.streaming import EventStreamResponse, sent_event, whole_answer
from rag.inputs import excerpt
from rag.records import Answer

PATHS: tuple[str, ...] = ("/v1/chat/completions",)

PLAIN = "cewen"
WITH_FOOTNOTES = "cewen-footnotes"
MODELS = (PLAIN, WITH_FOOTNOTES)
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
    body: ChatRequest, engine: OpenEngine, request: Request
) -> ChatCompletionOut | Response:
    """Answer the last question of a conversation."""
    model = body.model if body.model is not None else PLAIN
    _check_model(model)
    conversation = read_conversation(body.messages)
    options = body.stream_options
    wanted = Wanted(
        model=model,
        with_footnotes=model == WITH_FOOTNOTES,
        texts=conversation.texts,
        max_tokens=body.max_completion_tokens or body.max_tokens,
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
    "给只显示正文的客户端。",
    response_description="全部模型",
    responses=declare_openai(),
)
async def list_models() -> ModelListOut:
    """What `model` may be; asked by clients to see whether they are connected."""
    return ModelListOut(object="list", data=[_model(name) for name in MODELS])


@router.get(
    "/v1/models/{model}",
    operation_id="getModel",
    summary="查看一个模型",
    response_description="该模型",
    response_model=ModelOut,
    responses=declare_openai("model_not_found"),
)
async def get_model(model: str, request: Request) -> ModelOut | Response:
    """One model."""
    try:
        _check_model(model)
    except FieldError as error:
        return field_refusal(request, error)
    return _model(model)


def _model(name: str) -> ModelOut:
    return ModelOut(id=name, object="model", created=_CREATED, owned_by="cewen")


def _check_model(name: str) -> None:
    if name not in MODELS:
        raise FieldError(
            f"没有名为{excerpt(name)}的模型，可用的有：{'、'.join(MODELS)}。请改用其中之一。",
            code="model_not_found",
            param="model",
        )


def _with_end(chunks: Iterator[Chunk]) -> Iterator[bytes]:
    yield from map(_event, chunks)
    yield _DONE


def _event(body: dict[str, Any]) -> bytes:
    return sent_event(json.dumps(body, ensure_ascii=False, allow_nan=False))
