"""The chat client against a server that behaves and one that does not. Limits are tenths of a second."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from rag.errors import GeneratorError
from rag.llm.chat_client import ChatClient
from rag.llm.options import ChatOptions
from tests.llm_server import (
    DONE,
    STREAM_HEAD,
    Script,
    dripping,
    event,
    failing,
    hanging,
    hanging_up,
    paced,
    refusing,
    repeating,
    replying,
    serving,
    streaming,
    whole_json,
)

MESSAGES = [{"role": "user", "content": "机密问题"}]
KEY = "sk-secret"
SLACK_SECONDS = 0.8
"""What a busy machine may take on top of a limit."""


class Naps:
    """A sleep that takes no time, and notes what was slept from one attempt to the next."""

    def __init__(self) -> None:
        self.total = 0.0

    def __call__(self, seconds: float) -> None:
        assert 0 < seconds <= 0.05
        self.total += seconds


def never() -> bool:
    return False


def client(url: str, naps: Naps | None = None, *, draw: float = 1.0, **changes: Any) -> ChatClient:
    limits: dict[str, Any] = {
        "connect_timeout_seconds": 5.0,
        "first_token_timeout_seconds": 5.0,
        "idle_timeout_seconds": 5.0,
        "total_timeout_seconds": 8.0,
        "max_retries": 0,
    }
    options = ChatOptions(url=url, model="m-1", api_key=KEY, **{**limits, **changes})
    # 2015-10-21 07:27:50 GMT
    return ChatClient(options, wall_clock=lambda: 1_445_412_470.0, sleep=naps or Naps(), random=lambda: draw)


def answer(url: str, naps: Naps | None = None, **changes: Any) -> str:
    return "".join(client(url, naps, **changes).stream(MESSAGES, cancelled=never))


def failed(url: str, match: str, cancelled: Callable[[], bool] = never, **changes: Any) -> tuple[str, str]:
    """The code of what was raised and the text that came before; nothing secret is in the message."""
    pieces: list[str] = []
    with pytest.raises(GeneratorError, match=match) as caught:
        pieces.extend(client(url, **changes).stream(MESSAGES, cancelled=cancelled))
    for hidden in (KEY, "secret", "机密"):
        assert hidden not in caught.value.message
    return caught.value.code, "".join(pieces)


def outcome(script: Script, match: str, **changes: Any) -> tuple[str, str]:
    """The same with a server of this script."""
    with serving(script) as server:
        return failed(server.url, match, **changes)


# What a good server sends.


def test_a_stream_comes_piece_by_piece() -> None:
    with serving(streaming("茶树", "有36株。", "[1]")) as server:
        assert list(client(server.url).stream(MESSAGES, cancelled=never)) == ["茶树", "有36株。", "[1]"]
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/v1/chat/completions")
    assert request.json() == {
        "model": "m-1",
        "messages": MESSAGES,
        "stream": True,
        "max_tokens": 1024,
        "temperature": 0.0,
    }
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.headers["accept-encoding"] == "identity"
    assert "机密问题".encode() in request.body


def test_a_piece_is_given_before_the_next_one_is_sent() -> None:
    with serving(hanging(STREAM_HEAD, event("茶"))) as server:
        pieces = client(server.url).stream(MESSAGES, cancelled=never)
        assert next(pieces) == "茶"
        pieces.close()
        assert server.left.wait(2)


def test_nothing_is_sent_before_the_first_piece_is_wanted() -> None:
    with serving(streaming("茶")) as server:
        client(server.url).stream(MESSAGES, cancelled=never).close()
    assert server.requests == []


@pytest.mark.parametrize(
    "script",
    [
        whole_json("茶树"),
        streaming("茶", "树", done=False),
        streaming("茶", "树", finish=None),
        streaming("<thi", "nk>想", "想</think>", "\n茶", "树"),
        replying(event(reasoning_content="想") + event("茶树", finish="stop")),
        replying(event("茶树") + DONE, content_type="text/plain"),
        replying(": 早\r\n\r\n" + (event("茶树") + DONE).replace("\n", "\r\n"), content_type="x"),
        replying(event("茶树") + "data: [DONE]"),
        replying(event("茶树") + DONE, Content_Encoding="identity"),
        hanging(STREAM_HEAD, event("茶树"), DONE),
        hanging(STREAM_HEAD, event("茶树", finish="stop")),
    ],
)
def test_all_these_are_whole_answers(script: Script) -> None:
    with serving(script) as server:
        assert answer(server.url) == "茶树"


def test_without_a_key_none_is_sent() -> None:
    with serving(streaming("茶")) as server:
        options = ChatOptions(url=server.url, model="m")
        assert list(ChatClient(options).stream(MESSAGES, cancelled=never)) == ["茶"]
    assert "authorization" not in server.requests[0].headers


def test_many_at_once_do_not_meet() -> None:
    found: dict[int, str] = {}
    with serving(paced(STREAM_HEAD, event("茶"), event("树"), DONE, pause_seconds=0.05)) as server:
        ours = client(server.url)

        def ask(number: int) -> None:
            found[number] = "".join(ours.stream([{"role": "user", "content": str(number)}], cancelled=never))

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert found == dict.fromkeys(range(8), "茶树")
    assert sorted(request.json()["messages"][0]["content"] for request in server.requests) == list("01234567")


# Cut off, or something else.


@pytest.mark.parametrize(
    ("script", "match", "code", "text"),
    [
        (streaming("茶", finish=None, done=False), "答完之前结束", "generator_incomplete", "茶"),
        (streaming("茶", finish="length"), "长度上限", "generator_incomplete", "茶"),
        (streaming("茶", finish="content_filter"), "内容过滤", "generator_incomplete", "茶"),
        (whole_json("茶", finish="length"), "长度上限", "generator_incomplete", "茶"),
        (whole_json("茶", finish=None), "答完之前结束", "generator_incomplete", "茶"),
        (
            hanging_up(STREAM_HEAD.replace("\r\n\r\n", "\r\nContent-Length: 9999\r\n\r\n"), event("茶")),
            "RemoteProtocolError",
            "generator_incomplete",
            "茶",
        ),
        (hanging_up(STREAM_HEAD, event("茶"), 'data: {"cho'), "没有传完", "generator_incomplete", "茶"),
        (replying(""), "答完之前结束", "generator_incomplete", ""),
        (replying("<html>502</html>", content_type="text/html"), "不是事件流", "generator_invalid_reply", ""),
        (replying(b"\xff\xfe\n"), "UTF-8", "generator_invalid_reply", ""),
        (replying("data: {nonsense}\n\n"), "JSON", "generator_invalid_reply", ""),
        (replying("{nonsense}"), "JSON", "generator_invalid_reply", ""),
        (hanging_up("SSH-2.0-OpenSSH_9.2\r\n"), "RemoteProtocolError", "generator_invalid_reply", ""),
        (hanging_up(), "RemoteProtocolError", "generator_invalid_reply", ""),
        (
            replying(event("茶") + 'data: {"error": {"message": "sk-secret 机密"}}\n\n'),
            "报告了错误",
            "generator_failed",
            "茶",
        ),
    ],
)
def test_what_is_no_whole_answer(script: Script, match: str, code: str, text: str) -> None:
    assert outcome(script, match) == (code, text)


def test_packed_data_is_not_unpacked() -> None:
    bomb = gzip.compress(b"x" * 20_000_000)
    script = replying(bomb, Content_Encoding="gzip")
    assert outcome(script, "压缩") == ("generator_invalid_reply", "")


@pytest.mark.parametrize(
    ("head", "part", "match"),
    [
        (STREAM_HEAD, "x" * 10_000, "一行超过 50000 字节"),
        (STREAM_HEAD, "{" + " " * 10_000, "超过 200000 字节"),
        (STREAM_HEAD, f": {'x' * 10_000}\n", "超过 200000 字节"),
        (STREAM_HEAD, " " * 10_000, "超过 200000 字节"),
        ("HTTP/1.1 200 OK\r\n", f"X-Filler: {'x' * 1000}\r\n", "RemoteProtocolError"),
    ],
)
def test_a_reply_without_end(head: str, part: str, match: str) -> None:
    limits = {"max_bytes": 200_000, "max_line_bytes": 50_000}
    assert outcome(repeating(head, part), match, **limits) == ("generator_invalid_reply", "")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect"])
def test_redirects_are_not_followed(status: str) -> None:
    with serving(streaming("别处")) as elsewhere:
        script = replying("", status=status, Location=f"{elsewhere.url}/chat/completions")
        assert outcome(script, "不跟随跳转") == ("generator_refused", "")
    assert elsewhere.requests == []


# Too slow.


@pytest.mark.parametrize(
    ("script", "limits", "match"),
    [
        (hanging(), {"first_token_timeout_seconds": 0.2}, "0.2 秒没有开始作答"),
        (hanging(STREAM_HEAD), {"first_token_timeout_seconds": 0.2}, "0.2 秒没有开始作答"),
        (hanging(STREAM_HEAD, event("茶")), {"idle_timeout_seconds": 0.2}, "0.2 秒没有续写"),
        (hanging("HTTP/1.1 2"), {"total_timeout_seconds": 0.2}, "总共等了 0.2 秒"),
        (dripping(STREAM_HEAD, ": x\n"), {"first_token_timeout_seconds": 0.2}, "开始作答"),
        (dripping(STREAM_HEAD + event("茶"), event("树") * 9), {"idle_timeout_seconds": 0.2}, "续写"),
        (dripping("HTTP/1.1 200 OK\r\n", "X: y\r\n"), {"first_token_timeout_seconds": 0.2}, "开始作答"),
        (repeating(STREAM_HEAD, event("")), {"first_token_timeout_seconds": 0.2}, "开始作答"),
        (paced(STREAM_HEAD, *[event("茶")] * 99, pause_seconds=0.05), {"total_timeout_seconds": 0.3}, "总共"),
    ],
)
def test_every_wait_has_an_end(script: Script, limits: dict[str, float], match: str) -> None:
    began = monotonic()
    code, _ = outcome(script, match, max_bytes=1_000_000_000, **limits)
    assert code == "generator_timeout"
    assert monotonic() - began < max(limits.values()) + SLACK_SECONDS


def test_a_slow_first_token_is_waited_for() -> None:
    with serving(paced(STREAM_HEAD, event("茶") + DONE, pause_seconds=0.3)) as server:
        assert answer(server.url, first_token_timeout_seconds=2.0, idle_timeout_seconds=0.1) == "茶"


def test_thinking_counts_as_being_alive() -> None:
    thoughts = [event(reasoning_content="想")] * 6
    with serving(paced(STREAM_HEAD, *thoughts, event("茶") + DONE, pause_seconds=0.1)) as server:
        assert answer(server.url, first_token_timeout_seconds=0.6, idle_timeout_seconds=0.6) == "茶"


def test_the_readers_time_is_not_the_models() -> None:
    """The reader comes back only when the model's patience would long be over."""
    now = [0.0]
    with serving(hanging(STREAM_HEAD, event("茶"), event("树"))) as server:
        options = ChatOptions(url=server.url, model="m", idle_timeout_seconds=5.0)
        pieces = ChatClient(options, clock=lambda: now[0]).stream(MESSAGES, cancelled=never)
        assert next(pieces) == "茶"
        now[0] += 60.0
        assert next(pieces) == "树"
        now[0] += 60.0
        with pytest.raises(GeneratorError, match="总共等了 90 秒"):
            next(pieces)


# Cancelled.


@pytest.mark.parametrize(
    "script",
    [hanging(), hanging(STREAM_HEAD), hanging(STREAM_HEAD, event("")), dripping(STREAM_HEAD, ": x\n")],
)
def test_cancelling_ends_a_wait_and_the_connection(script: Script) -> None:
    with serving(script) as server:
        began = monotonic()
        code, _ = failed(server.url, "已取消", lambda: monotonic() > began + 0.2)
        assert code == "generator_cancelled"
        assert monotonic() - began < 0.2 + SLACK_SECONDS
        assert server.left.wait(2)


def test_cancelled_before_it_began_nothing_is_sent() -> None:
    with serving(streaming("茶")) as server:
        assert failed(server.url, "已取消", lambda: True) == ("generator_cancelled", "")
    assert server.requests == []


def test_cancelling_between_attempts() -> None:
    naps = Naps()
    with serving(failing("503 Busy", Retry_After="3")) as server:
        ours = client(server.url, naps, max_retries=5)
        with pytest.raises(GeneratorError, match="已取消") as caught:
            list(ours.stream(MESSAGES, cancelled=lambda: naps.total > 0.2))
    assert caught.value.code == "generator_cancelled"
    assert naps.total < 0.3
    assert len(server.requests) == 1


@pytest.mark.parametrize("how", ["close", "forget", "error"])
def test_a_reader_who_leaves_closes_the_connection(how: str) -> None:
    with serving(hanging(STREAM_HEAD, event("茶"))) as server:
        pieces = client(server.url).stream(MESSAGES, cancelled=never)
        assert next(pieces) == "茶"
        if how == "close":
            pieces.close()
        elif how == "error":
            with pytest.raises(ZeroDivisionError, match="theirs"):
                pieces.throw(ZeroDivisionError("theirs"))
        del pieces
        assert server.left.wait(2)


def test_a_reader_may_leave_from_inside_a_loop() -> None:
    """As when a web framework drops a stream whose reader has gone."""
    with serving(hanging(STREAM_HEAD, event("茶"))) as server:
        pieces = client(server.url).stream(MESSAGES, cancelled=never)
        assert next(pieces) == "茶"

        async def elsewhere() -> None:
            pieces.close()

        asyncio.run(elsewhere())
        assert server.left.wait(2)


def test_a_cancelled_tls_greeting_leaves_nothing_open() -> None:
    with serving(hanging()) as server:
        began = monotonic()
        url = server.url.replace("http:", "https:")
        code, _ = failed(url, "已取消", lambda: monotonic() > began + 0.1, connect_timeout_seconds=5.0)
        assert code == "generator_cancelled"
        assert server.left.wait(2)


# Again, or not.


@pytest.mark.parametrize(
    ("script", "waited"),
    [
        (failing("429 Too Many", Retry_After="2"), 2.0),
        (failing("429 Too Many", Retry_After="Wed, 21 Oct 2015 07:27:53 GMT"), 3.0),
        (failing("429 Too Many", Retry_After="soon"), 0.5),
        (failing("500 Broken"), 0.5),
        (failing("502 Bad Gateway"), 0.5),
        (failing("503 Busy", Retry_After="0"), 0.0),
        (failing("504 Too Late"), 0.5),
    ],
)
def test_what_may_pass_is_tried_again(script: Script, waited: float) -> None:
    naps = Naps()
    with serving(script, streaming("茶")) as server:
        assert answer(server.url, naps, max_retries=2) == "茶"
    assert len(server.requests) == 2
    assert naps.total == pytest.approx(waited)


def test_the_waits_grow_and_end() -> None:
    naps = Naps()
    with serving(failing("500 Broken")) as server:
        ours = client(server.url, naps, draw=0.5, max_retries=3)
        with pytest.raises(GeneratorError, match="HTTP 500") as caught:
            list(ours.stream(MESSAGES, cancelled=never))
    assert caught.value.code == "generator_failed"
    assert len(server.requests) == 4
    assert naps.total == pytest.approx(0.25 + 0.5 + 1.0)


def test_a_wait_beyond_the_deadline_is_not_begun() -> None:
    naps = Naps()
    with serving(failing("429 Too Many", Retry_After="60")) as server:
        ours = client(server.url, naps, max_retries=3)
        with pytest.raises(GeneratorError, match="请求太多") as caught:
            list(ours.stream(MESSAGES, cancelled=never))
    assert caught.value.code == "generator_rate_limited"
    assert (len(server.requests), naps.total) == (1, 0.0)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("400 Bad Request", "generator_refused"),
        ("401 Unauthorized", "generator_refused"),
        ("403 Forbidden", "generator_refused"),
        ("404 Not Found", "generator_refused"),
        ("501 Not Implemented", "generator_failed"),
    ],
)
def test_what_will_not_pass_is_not(status: str, code: str) -> None:
    with serving(failing(status)) as server:
        assert failed(server.url, f"HTTP {status[:3]}", max_retries=3) == (code, "")
    assert len(server.requests) == 1


def test_nothing_is_tried_again_after_the_first_text() -> None:
    with serving(streaming("茶", finish=None, done=False), streaming("树")) as server:
        assert failed(server.url, "答完之前", max_retries=3)[0] == "generator_incomplete"
    assert len(server.requests) == 1


def test_nobody_there() -> None:
    naps = Naps()
    with refusing() as url:
        ours = client(url, naps, max_retries=2)
        with pytest.raises(GeneratorError, match="ConnectError") as caught:
            list(ours.stream(MESSAGES, cancelled=never))
    assert caught.value.code == "generator_unreachable"
    assert naps.total == pytest.approx(0.5 + 1.0)


def test_connecting_has_a_limit_of_its_own_tls_included() -> None:
    with serving(hanging()) as server:
        url = server.url.replace("http:", "https:")
        failed(server.url, "没有开始", first_token_timeout_seconds=0.05)  # what is imported late is imported
        began = monotonic()
        assert failed(url, "0.3 秒内没有连上", connect_timeout_seconds=0.3) == ("generator_unreachable", "")
        # Loading the authorities' certificates, once for each client, is in it.
        assert monotonic() - began < 0.3 + 2 * SLACK_SECONDS
        assert server.left.wait(2)


def test_a_server_without_tls() -> None:
    with serving(streaming("茶")) as server:
        url = server.url.replace("http:", "https:")
        assert failed(url, "ConnectError", connect_timeout_seconds=3.0)[0] == "generator_unreachable"


# Ways there.


def test_the_environments_proxies_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with refusing() as nowhere, serving(streaming("茶")) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, nowhere)
        assert answer(server.url) == "茶"


def test_the_proxy_of_the_settings_is() -> None:
    with refusing() as nowhere, serving(streaming("茶")) as proxy:
        assert answer(nowhere, proxy=f"http://u:secret@127.0.0.1:{proxy.port}") == "茶"
    (request,) = proxy.requests
    assert request.target == f"{nowhere}/chat/completions"
    assert request.headers["proxy-authorization"].startswith("Basic ")


def test_a_proxy_that_refuses_a_tunnel() -> None:
    with serving(replying("", status="407 Proxy Authentication Required")) as proxy:
        code, _ = failed("https://127.0.0.1:9/v1", "ProxyError", proxy=f"http://127.0.0.1:{proxy.port}")
    assert code == "generator_unreachable"
    assert proxy.requests[0].method == "CONNECT"


@pytest.mark.parametrize(
    "changes", [{"url": "http://[::1"}, {"url": "http://x:y"}, {"proxy": "socks4://127.0.0.1:1"}]
)
def test_an_address_that_httpx_cannot_use(changes: dict[str, str]) -> None:
    with pytest.raises(GeneratorError, match="地址无法使用") as caught:
        ChatClient(ChatOptions(**{"url": "http://127.0.0.1", "model": "m", **changes}))  # type: ignore[arg-type]
    assert caught.value.code == "generator_refused"


def test_lone_surrogates_are_replaced_in_a_request() -> None:
    with serving(streaming("茶")) as server:
        list(client(server.url).stream([{"role": "user", "content": "a\ud800b"}], cancelled=never))
    assert server.requests[0].json()["messages"][0]["content"] == "a?b"


def test_importing_it_imports_no_http_library() -> None:
    modules = "rag.llm.openai, rag.llm.rewriting, rag.settings"
    wanted = "{'httpx', 'httpcore', 'anyio', 'rjieba', 'opencc'} & set(sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", f"import sys, {modules}; print(sorted({wanted}))"],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "[]"
