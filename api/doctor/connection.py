"""The way to the deployment: requests as a client sends them, with limits, and what came back when.

The key goes to the deployment's own address only, and only where the client played would send it. Redirects
are followed where a browser is played, never where a key or a body is sent.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any, Literal
from urllib.parse import urlsplit

import httpx

from api.doctor.model import LostError, shortened
from rag.errors import ConfigError, InputError

Key = Literal["own", "none", "wrong"]
"""Which key a request carries."""

WRONG_KEY = "cewen-doctor-wrong-key"
ANY_KEY = "cewen-doctor-no-key-needed"
"""For clients that cannot do without a key, where the deployment asks for none."""

MAX_REPLY_BYTES = 32 * 1024 * 1024
_CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply as it came.

    Attributes:
        path: What was asked for, to name it.
        status: HTTP status.
        headers: Names in any case.
        pieces: The body, each piece with the seconds from the request to its arrival.
        url: The address that answered in the end, after redirects.
    """

    path: str
    status: int
    headers: httpx.Headers
    pieces: tuple[tuple[float, bytes], ...]
    url: str = ""

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(piece for _, piece in self.pieces)

    @property
    def text(self) -> str:
        """The body as UTF-8, what is not replaced."""
        return self.body.decode("utf-8", "replace")

    @property
    def media_type(self) -> str:
        """The content type without its parameters."""
        declared: str = self.headers.get("content-type", "")
        return declared.partition(";")[0].strip().lower()

    def expect(self, check: str, what: str, *, status: int = 200) -> Reply:
        """This reply, if it has that status.

        Raises:
            LostError: If it has another.
        """
        if self.status != status:
            raise LostError(check, what, f"{self.path} 答 {self.status}：{excerpt(self)}", _advice(self))
        return self

    def json(self, check: str, what: str) -> Any:
        """The body as JSON.

        Raises:
            LostError: If it is none.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            kind = "网页" if self.text.lstrip()[:1] == "<" else "不是 JSON 的内容"
            seen = f"{self.path} 答的是{kind}（{self.media_type or '没有 Content-Type'}）：{excerpt(self)}"
            advice = "多半是代理、登录页或缓存换掉了答复；请让它把这个地址原样转给服务。"
            raise LostError(check, what, seen, advice) from error


class Connection:
    """Requests to one deployment.

    Args:
        base_url: As given by the user.
        api_key: "" for none.
        timeout: Seconds for one request, from its first byte to the last of its reply.
        transport: For tests; None for the network.

    Raises:
        InputError: If the address or the time cannot be used.
    """

    def __init__(
        self, base_url: str, api_key: str, timeout: float, *, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.base_url = checked_url(base_url)
        self.api_key = api_key
        if not 0 < timeout <= 3600:
            raise InputError(f"--timeout 是 {timeout!r}，要在 0 到 3600 秒之间。")
        self.timeout = timeout
        try:
            self._http = httpx.Client(
                transport=transport,
                verify=tls_context(),
                timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
                headers={"User-Agent": "cewen-doctor"},
                # A proxy of the environment is for other machines; it could not reach this one.
                trust_env=not is_loopback(urlsplit(self.base_url).hostname or ""),
            )
        except (ValueError, ImportError, httpx.InvalidURL) as error:
            variables = "HTTP_PROXY、HTTPS_PROXY、ALL_PROXY"
            raise ConfigError(f"环境变量里的代理无法使用。请检查 {variables}。") from error

    def close(self) -> None:
        """Close it."""
        self._http.close()

    def get(self, path: str, *, key: Key = "own") -> Reply:
        """GET a path of the deployment."""
        _check_own(path)
        return self._send("GET", path, None, self.bearer(key), follow=False)

    def post(
        self,
        path: str,
        body: Mapping[str, Any] | None,
        *,
        key: Key = "own",
        extra: Mapping[str, str] | None = None,
    ) -> Reply:
        """POST JSON, or nothing at all, to a path of the deployment; `extra` are more headers."""
        _check_own(path)
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8")
        return self._send("POST", path, content, {**self.bearer(key), **(extra or {})}, follow=False)

    def open(self, url: str) -> Reply:
        """GET any address as a browser does: without a key, redirects followed."""
        return self._send("GET", url, None, {"Accept": "text/html"}, follow=True)

    def bearer(self, key: Key) -> dict[str, str]:
        """The header with that key; none if there is none."""
        value = {"own": self.api_key, "none": "", "wrong": WRONG_KEY}[key]
        return {"Authorization": f"Bearer {value}"} if value else {}

    def _send(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str], *, follow: bool
    ) -> Reply:
        url = f"{self.base_url}{path}" if path.startswith("/") else path
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        what = f"{method} {path} 有答复"
        begun = monotonic()
        pieces: list[tuple[float, bytes]] = []
        size = 0
        try:
            with self._http.stream(
                method, url, content=content, headers=headers, follow_redirects=follow
            ) as response:
                for piece in response.iter_bytes():
                    passed = monotonic() - begun
                    pieces.append((passed, piece))
                    size += len(piece)
                    if passed > self.timeout:
                        raise httpx.ReadTimeout("too slow")
                    if size > MAX_REPLY_BYTES:
                        seen = f"答复超过 {MAX_REPLY_BYTES} 字节"
                        raise LostError("reach", what, seen, "请检查地址和代理。")
                return Reply(path, response.status_code, response.headers, tuple(pieces), str(response.url))
        except httpx.TimeoutException as error:
            advice = "服务太慢、停住，或代理攒着不放；可用 --timeout 多等些时候。"
            raise LostError("reach", what, f"{self.timeout:g} 秒没有等到答复", advice) from error
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            advice = "请确认服务已启动，地址、端口、证书和代理没有问题。"
            raise LostError("reach", what, f"{type(error).__name__} {error}", advice) from error


def is_own_path(path: str) -> bool:
    """Whether this is a path that stays with the deployment when put behind its address."""
    return path.startswith("/") and not path.startswith("//")


def _check_own(path: str) -> None:
    """Anything else would take the key and the question to another machine."""
    if not is_own_path(path):
        seen = f"{shortened(path, 80)} 不是这个部署的路径，没有发出"
        raise LostError("reach", "请求只发给这个部署", seen, "请看是谁给出了这个地址。")


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """The usual authorities, or those of SSL_CERT_FILE. Loaded once: that takes its time."""
    return httpx.create_ssl_context()


def excerpt(reply: Reply) -> str:
    """The beginning of a reply's text, for messages."""
    return shortened(reply.text, 120) or "（没有内容）"


def checked_url(url: str) -> str:
    """The address without slashes at its end.

    Raises:
        InputError: If it is none. A password in it is not repeated.
    """
    allowed = "要写成 http:// 或 https:// 开头、带主机名的地址，可以带路径，如 http://127.0.0.1:8000"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that never closes
        usable = False
    if "@" in url:
        raise InputError("--url 里不能有用户名和口令；密钥请设 CEWEN_API_KEY。")
    if not usable or not url.isprintable() or any(sign in url for sign in " ?#"):
        raise InputError(f"--url 是 {shortened(url)!r}，{allowed}。")
    return url.rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine's own, or no machine's."""
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


_ADVICE = {
    401: "密钥没有送到：代理可能去掉了 Authorization 请求头，或自己要登录。",
    404: "这个部署没有这个接口（版本旧），或代理没有转发这个路径。",
    405: "代理或网关不放行这个方法。",
    413: "代理的大小限制比服务的小（nginx：client_max_body_size）。",
    502: "代理连不上服务，或没有等到它答完（nginx：proxy_read_timeout）。",
}
_ADVICE |= {403: _ADVICE[401], 504: _ADVICE[502]}


def _advice(reply: Reply) -> str:
    if location := reply.headers.get("location", ""):
        return f"它转到 {shortened(location)}；请让 --url 就是那个地址。"
    return _ADVICE.get(reply.status, "请看服务和代理的日志。")
