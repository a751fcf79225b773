"""Everything that can go wrong with a language model, as `GeneratorError` with a stable code.

    generator_unreachable     no connection (refused, no such host, TLS, too slow to connect)
    generator_timeout         connected, but too slow: first text, next text, or all of it
    generator_rate_limited    429
    generator_refused         the request is not wanted: key, model or address are wrong (4xx, redirects)
    generator_failed          the server failed (5xx, or an error inside the stream)
    generator_invalid_reply   not an event stream or JSON, not what the interface promises, or too large
    generator_incomplete      cut off: by the connection, a length limit or a content filter
    generator_cancelled       nobody waits any more

Here is the one place that knows httpx's exceptions. A message says what happened and what to do next; it
repeats nothing that a server, a user or the key says.
"""

from __future__ import annotations

from functools import lru_cache

from rag.errors import GeneratorError

_WORDS = {
    "generator_unreachable": (
        "连不上语言模型服务",
        "请确认服务已启动，并检查 CEWEN_LLM_URL、CEWEN_LLM_PROXY 和网络",
    ),
    "generator_timeout": (
        "语言模型没有在限定时间内答完",
        "请稍后再试；若经常如此，请换更快的模型，或调大 CEWEN_LLM_*_TIMEOUT_SECONDS 各项",
    ),
    "generator_rate_limited": ("语言模型服务说请求太多", "请稍后再试，或提高该服务的额度"),
    "generator_refused": (
        "语言模型服务拒绝了请求",
        "请检查密钥 CEWEN_LLM_API_KEY、模型名 CEWEN_LLM_MODEL 和地址 CEWEN_LLM_URL",
    ),
    "generator_failed": ("语言模型服务出错", "请稍后再试，或查看该服务的日志"),
    "generator_invalid_reply": (
        "语言模型服务的回复无法使用",
        "请确认 CEWEN_LLM_URL 指向兼容 OpenAI 的聊天接口（通常以 /v1 结尾）",
    ),
    "generator_incomplete": (
        "语言模型的回答不完整",
        "请稍后再试；若是长度限制所致，请调大 CEWEN_LLM_MAX_TOKENS",
    ),
    "generator_cancelled": ("提问已取消，语言模型停止作答", "需要时请重新提问"),
}
CODES = tuple(_WORDS)


def fault(code: str, detail: str = "") -> GeneratorError:
    """The error with this code.

    Args:
        code: One of `CODES`.
        detail: A few words of ours on what happened; never another's text.

    Raises:
        KeyError: If there is no such code.
    """
    what, advice = _WORDS[code]
    return GeneratorError(f"{what}{f'（{detail}）' if detail else ''}。{advice}。", code=code)


def fault_of_status(status: int) -> GeneratorError | None:
    """The error that an HTTP status stands for; None for success."""
    if 200 <= status < 300:
        return None
    if status == 429:
        return fault("generator_rate_limited", "HTTP 429")
    if status == 408:
        return fault("generator_timeout", "HTTP 408")
    if 300 <= status < 400:
        return fault("generator_refused", f"HTTP {status}，要求转到别处；不跟随跳转，请写最终的地址")
    if 400 <= status < 500:
        return fault("generator_refused", f"HTTP {status}")
    return fault("generator_failed", f"HTTP {status}")


@lru_cache(maxsize=1)
def _table() -> dict[type[Exception], tuple[str, str]]:
    """Exception class -> code before the reply has begun, and after. The nearest ancestor counts."""
    import httpx

    unreachable, incomplete = "generator_unreachable", "generator_incomplete"
    timeout, invalid = "generator_timeout", "generator_invalid_reply"
    refused, failed = "generator_refused", "generator_failed"
    return {
        httpx.ConnectError: (unreachable, unreachable),
        httpx.ConnectTimeout: (unreachable, unreachable),
        httpx.ProxyError: (unreachable, unreachable),
        httpx.NetworkError: (unreachable, incomplete),
        httpx.TimeoutException: (timeout, timeout),
        httpx.RemoteProtocolError: (invalid, incomplete),
        httpx.LocalProtocolError: (refused, refused),
        httpx.UnsupportedProtocol: (refused, refused),
        httpx.InvalidURL: (refused, refused),
        httpx.TooManyRedirects: (refused, refused),
        httpx.DecodingError: (invalid, invalid),
        httpx.CookieConflict: (invalid, invalid),
        httpx.HTTPStatusError: (failed, failed),
        httpx.StreamError: (failed, failed),
        # The roots, for a class that a later version may add.
        httpx.ProtocolError: (invalid, incomplete),
        httpx.TransportError: (unreachable, incomplete),
        httpx.HTTPError: (failed, failed),
        # What httpx lets through: a host name that is none, and what TLS says in mid-stream.
        UnicodeError: (refused, refused),
        OSError: (unreachable, incomplete),
    }


def vendor_errors() -> tuple[type[Exception], ...]:
    """Every exception class that `translate` knows (their subclasses included)."""
    return tuple(_table())


def translate(error: Exception, *, replying: bool) -> GeneratorError:
    """Ours for one of httpx's.

    Args:
        error: An instance of one of `vendor_errors()`.
        replying: Whether the head of a reply has come.

    Raises:
        KeyError: If it is none of them.
    """
    table = _table()
    for ancestor in type(error).__mro__:
        if ancestor in table:
            return fault(table[ancestor][replying], type(error).__name__)
    raise KeyError(type(error).__name__)


def may_retry(error: Exception) -> bool:
    """Whether nothing was sent yet, so that trying again is safe and may help."""
    import httpx

    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
