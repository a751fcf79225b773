"""One POST to a chat endpoint over httpx, with nothing taken from the environment.

Only this module and `faults` know httpx. It waits as long as it takes: limits are the business of whoever
turns its event loop.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rag.llm.faults import fault, vendor_errors
from rag.llm.options import ChatOptions


@dataclass(frozen=True, slots=True)
class Head:
    """The head of a reply.

    Attributes:
        status: HTTP status.
        headers: Values by lower-case name.
    """

    status: int
    headers: Mapping[str, str]


Received = Head | bytes


class Endpoint:
    """Where to post, and how to get there.

    Args:
        options: Address, key and proxy are used.

    Raises:
        GeneratorError: With code `generator_refused` if the address of the endpoint or proxy is unusable.
    """

    def __init__(self, options: ChatOptions) -> None:
        import httpx

        self._key = options.api_key
        unusable: tuple[type[Exception], ...] = (ValueError, *vendor_errors())
        try:
            self._url = httpx.URL(options.endpoint)
            to_proxy = httpx.URL(options.proxy).scheme == "https"
            self._tls = _tls_context(to_proxy or self._url.scheme == "https")
            self._proxy = (
                httpx.Proxy(options.proxy, ssl_context=self._tls if to_proxy else None)
                if options.proxy
                else None
            )
        except unusable as error:
            raise fault("generator_refused", "地址无法使用") from error

    async def post(self, body: bytes, put: Callable[[Received], None], connected: Callable[[], None]) -> None:
        """Send a request; hand over the head of the reply and then its bytes as they come, never unpacked.

        Args:
            body: JSON.
            put: Takes the head, then the bytes.
            connected: Called when the connection stands.
        """
        import httpx

        connections: list[Any] = []

        async def trace(name: str, info: Mapping[str, Any]) -> None:
            if name == "connection.connect_tcp.complete":
                connections.append(info["return_value"])
            if name == "http11.send_request_headers.started":
                connected()

        client = httpx.AsyncClient(
            verify=self._tls,
            proxy=self._proxy,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None),
        )
        extensions = {"trace": trace}
        headers = self._headers()
        try:
            async with (
                client,
                client.stream(
                    "POST", self._url, content=body, headers=headers, extensions=extensions
                ) as response,
            ):
                put(Head(response.status_code, {n.lower(): value for n, value in response.headers.items()}))
                async for chunk in response.aiter_raw():
                    put(chunk)
        finally:
            # httpcore forgets a connection whose TLS greeting is cancelled. Closing twice does no harm.
            for connection in connections:
                await connection.aclose()

    def _headers(self) -> dict[str, str]:
        headers = {
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "User-Agent": "cewen",
        }
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        return headers


def _tls_context(needed: bool) -> ssl.SSLContext:
    """Certificates of the usual authorities; where no TLS is spoken, a context that trusts nobody.

    Made once: loading the authorities takes longer than a question should wait.
    """
    if not needed:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    import httpx

    return httpx.create_ssl_context(trust_env=False)
