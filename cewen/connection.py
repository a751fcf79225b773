"""What both clients share: the checked address, what httpx is told, and httpx's errors in our words.

The only module that knows httpx's exceptions. The key lives in httpx's headers alone, which do not show it.
"""

from __future__ import annotations

import ipaddress
import math
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import httpx

from cewen.errors import ConfigError, ConnectionFailedError, InvalidReplyError
from cewen.retrying import Attempts

DEFAULT_BASE_URL = "http://127.0.0.1:8000"
DEFAULT_TIMEOUT_SECONDS = 120.0
"""Longer than a service with a language model takes (90 by default), so that it gets to say so itself."""

CONNECT_SECONDS = 10.0
MOST_RETRIES = 10


class BaseClient:
    """Address and limits of a client; `Client` and `AsyncClient` add the connection.

    Args:
        base_url: As given.
        timeout: As given.
        max_retries: As given.

    Raises:
        ConfigError: If one of them cannot be used.
    """

    def __init__(self, base_url: str, timeout: float, max_retries: int) -> None:
        self._base_url = checked_base_url(base_url)
        if not (timeout > 0 and math.isfinite(timeout)):
            raise ConfigError(f"timeout 是 {timeout!r}，要是大于 0 的秒数。")
        if not 0 <= max_retries <= MOST_RETRIES:
            raise ConfigError(f"max_retries 是 {max_retries!r}，要在 0 到 {MOST_RETRIES} 之间。")
        self._timeout = timeout
        self._max_retries = max_retries

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._base_url!r})"

    @property
    def base_url(self) -> str:
        """The service's address, without a slash at its end."""
        return self._base_url

    def absolute_url(self, url: str) -> str:
        """A link of a reply, such as `Citation.url`, made absolute if it is relative to the service."""
        return f"{self._base_url}{url}" if url.startswith("/") else url

    def _attempts(self, *, repeatable: bool = True) -> Attempts:
        return Attempts(self._max_retries, repeatable=repeatable)

    def _http_options(self, api_key: str | None) -> dict[str, Any]:
        """What `httpx.Client` and `httpx.AsyncClient` are made with.

        Raises:
            ConfigError: If the key cannot be sent.
        """
        headers = {"User-Agent": "cewen-python"}
        if api_key is not None:
            headers["Authorization"] = f"Bearer {checked_key(api_key)}"
        return {
            "headers": headers,
            "timeout": httpx.Timeout(self._timeout, connect=min(self._timeout, CONNECT_SECONDS)),
            "verify": _tls_context(),
            "follow_redirects": False,
            # A proxy of the environment is for other machines; it could not reach this one.
            "trust_env": not _is_loopback(httpx.URL(self._base_url).host),
        }

    @contextmanager
    def _translating(self) -> Iterator[None]:
        """Turn what httpx raises into what `cewen.errors` has."""
        try:
            yield
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as error:
            raise ConnectionFailedError(
                f"连不上 {self._base_url}（{type(error).__name__}）。请确认服务已启动、地址和网络没有问题。"
            ) from error
        except httpx.TimeoutException as error:
            raise ConnectionFailedError(
                f"{self._timeout:g} 秒没有等到 {self._base_url} 的答复（{type(error).__name__}）。"
                "请稍后再试，或调大 timeout。",
                code="timeout",
            ) from error
        except httpx.DecodingError as error:
            raise InvalidReplyError("收到的答复解不开压缩。请检查服务和中间的代理。") from error
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError) as error:
            raise ConfigError(f"地址 {self._base_url} 无法使用（{type(error).__name__}）。") from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise ConnectionFailedError(
                f"与 {self._base_url} 的连接在答复完之前断开（{type(error).__name__}）。请稍后再试。",
                code="incomplete_reply",
            ) from error


@contextmanager
def explaining_proxies() -> Iterator[None]:
    """Say which environment variables are meant when httpx cannot use a proxy they name.

    Raises:
        ConfigError: Then.
    """
    try:
        yield
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise ConfigError(
            "环境变量里的代理无法使用。请检查 HTTP_PROXY、HTTPS_PROXY、ALL_PROXY；"
            "用 SOCKS 代理要先 pip install 'httpx[socks]'；不需要代理就设 NO_PROXY。"
        ) from error


def checked_base_url(base_url: str) -> str:
    """The address without slashes at its end.

    Raises:
        ConfigError: If it is none, saying what is allowed. A user name or password in it is not repeated.
    """
    allowed = "base_url 要写成 http:// 或 https:// 开头、带主机名的地址，可以带路径，如 http://127.0.0.1:8000"
    if "@" in base_url:
        raise ConfigError("base_url 里不能有用户名和口令；密钥请用 api_key 给。")
    if "?" in base_url or "#" in base_url:
        raise ConfigError(f"base_url 是 {base_url!r}，里面不能有 ? 和 #。{allowed}。")
    try:
        parts = httpx.URL(base_url)
        usable = parts.scheme in ("http", "https") and bool(parts.host)
        usable = usable and (parts.port is None or 0 < parts.port < 65_536)
    except httpx.InvalidURL:
        usable = False
    if not usable or not base_url.isprintable() or " " in base_url:
        raise ConfigError(f"base_url 是 {base_url!r}。{allowed}。")
    return base_url.rstrip("/")


def checked_key(api_key: str) -> str:
    """The key.

    Raises:
        ConfigError: If it cannot be sent; it is not repeated.
    """
    if not api_key or not api_key.isascii() or not api_key.isprintable() or " " in api_key:
        raise ConfigError(
            "api_key 只能是可见的 ASCII 字符，不能为空，中间没有空格；请检查是否粘贴有误。不用密钥就不要给。"
        )
    return api_key


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@lru_cache(maxsize=1)
def _tls_context() -> ssl.SSLContext:
    """The usual authorities, or those of SSL_CERT_FILE. Loaded once: that takes its time."""
    return httpx.create_ssl_context()
