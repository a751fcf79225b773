"""What comes back: a reply's text if it is the service's, else the error it stands for.

Pure functions of status, headers and bytes. Only the service's own messages are passed on; of a page that
somebody in between has sent, nothing but its media type is named.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TypeVar

from pydantic import ValidationError

from cewen.envelopes import ErrorReply
from cewen.errors import (
    AuthenticationError,
    BadRequestError,
    CewenError,
    InvalidReplyError,
    NotFoundError,
    OverloadedError,
    ServerError,
    ServiceError,
)
from cewen.models import Model
from cewen.requests import JSON, PLAIN, Request
from cewen.retrying import retry_after_seconds

ModelT = TypeVar("ModelT", bound=Model)

_CHECK_ADDRESS = "请检查 base_url 是不是策问服务的地址，以及中间的代理"

_SUCCESSES = frozenset({200, 201, 202})

# Statuses by which a proxy speaks about itself or the service; it is taken at its word.
_OF_PROXIES: dict[int, tuple[type[ServiceError], str]] = {
    401: (AuthenticationError, "对方要求验证身份。请检查 api_key 和中间的代理"),
    403: (AuthenticationError, "对方拒绝访问。请检查 api_key 和中间的代理"),
    407: (AuthenticationError, "代理要求验证身份。请检查代理的用户名和口令"),
    413: (BadRequestError, "请求太大，被拒绝。请缩短内容，或分几次发送"),
    429: (OverloadedError, "请求太多，被拒绝。请稍后再试"),
    502: (ServerError, "代理连不上策问服务。请确认服务已启动，稍后再试"),
    503: (OverloadedError, "服务暂时不可用。请稍后再试"),
    504: (ServerError, "代理等不到策问服务的答复。请稍后再试"),
}
_BY_TYPE: dict[str, type[ServiceError]] = {
    "invalid_request": BadRequestError,
    "too_large": BadRequestError,
    "authentication": AuthenticationError,
    "not_found": NotFoundError,
    "unavailable": OverloadedError,
}


def text_of(request: Request, status: int, headers: Mapping[str, str], body: bytes) -> str:
    """The text of a reply that succeeded.

    Raises:
        ServiceError: If the service says that it will not or cannot.
        InvalidReplyError: If this is no reply of the service.
    """
    check_head(request, status, headers, body)
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _foreign(status, headers, "不是 UTF-8 文字") from error


def check_head(request: Request, status: int, headers: Mapping[str, str], body: bytes = b"") -> None:
    """Refuse what did not succeed, or is not of the kind that was asked for.

    Args:
        request: What was asked.
        status: HTTP status of the reply.
        headers: Of the reply; names in any case.
        body: All of it if `status` is no success; not looked at else.

    Raises:
        ServiceError: If the service says that it will not or cannot.
        InvalidReplyError: If this is no reply of the service.
    """
    if status not in _SUCCESSES:
        raise _refusal(status, headers, body)
    # JSON shows by itself whether it is ours; a text or a stream could be anybody's.
    if request.accept != JSON and _media_type(headers) != request.accept:
        expected = "文字" if request.accept == PLAIN else "事件流"
        raise _foreign(status, headers, f"不是{expected}")


def parse(model: type[ModelT], text: str) -> ModelT:
    """A model read from JSON.

    Raises:
        InvalidReplyError: If the text is no JSON, or not of that model.
    """
    try:
        return model.model_validate_json(text, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = f"字段 {where} 不合约定" if where else "不是约定的 JSON"
        raise InvalidReplyError(f"收到的答复{what}。{_CHECK_ADDRESS}。") from error


def checked(model: type[ModelT], text: str) -> str:
    """The text itself, unchanged.

    Raises:
        InvalidReplyError: As `parse`.
    """
    parse(model, text)
    return text


def error_in_stream(data: str) -> CewenError:
    """The error that an `error` event stands for."""
    try:
        detail = parse(ErrorReply, data).error
    except InvalidReplyError as error:
        return error
    kind = _BY_TYPE.get(detail.type, ServerError)
    return kind(detail.message, code=detail.code, request_id=detail.request_id)


def _refusal(status: int, headers: Mapping[str, str], body: bytes) -> CewenError:
    wait = retry_after_seconds(headers.get("retry-after"), time.time())
    try:
        detail = ErrorReply.model_validate_json(body).error
    except ValidationError:
        if status in _OF_PROXIES:
            kind, message = _OF_PROXIES[status]
            return kind(f"{message}。", code=f"http_{status}", status=status, retry_after=wait)
        return _foreign(status, headers, _strangeness(status))
    request_id = detail.request_id or headers.get("x-request-id")
    return _kind_of(status)(
        detail.message, code=detail.code, status=status, request_id=request_id, retry_after=wait
    )


def _kind_of(status: int) -> type[ServiceError]:
    if status in (404, 410):
        return NotFoundError
    if status in _OF_PROXIES:
        return _OF_PROXIES[status][0]
    return ServerError if status >= 500 else BadRequestError


def _strangeness(status: int) -> str:
    if 300 <= status < 400:
        return "要求转到别处；不跟随跳转，base_url 要写最终的地址"
    return "不是策问的答复"


def _foreign(status: int, headers: Mapping[str, str], what: str) -> InvalidReplyError:
    kind = _media_type(headers) or "没有说明类型"
    return InvalidReplyError(f"收到的答复（{kind}）{what}。{_CHECK_ADDRESS}。", status=status)


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()[:60]
