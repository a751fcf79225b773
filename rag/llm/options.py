"""What a chat client has to know: address, model, limits. One frozen object, made from the settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

from rag.errors import ConfigError
from rag.settings import Settings

_PATH = "/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatOptions:
    """Options of a chat client. Its `repr` shows neither the key nor the proxy, which may hold a password.

    Attributes:
        url: Base address ("http://127.0.0.1:11434/v1") or the full one, ending in "/chat/completions".
        model: The model's name as the server knows it.
        api_key: Sent as a bearer token; "" sends none.
        proxy: Address of an HTTP proxy; "" goes direct. The environment's proxies are never used.
        connect_timeout_seconds: Until the connection stands, TLS included.
        first_token_timeout_seconds: From then to the first piece of text; of a server that does not stream,
            to the whole answer.
        idle_timeout_seconds: Between two pieces of text.
        total_timeout_seconds: All of it, retries and waiting included.
        max_retries: Further attempts after the first; only before the first piece of text.
        max_tokens: Most tokens that the model may write.
        temperature: 0-2; 0 is the most repeatable.
        max_bytes: Most bytes of one reply.
        max_line_bytes: Most bytes of one line of an event stream.
    """

    url: str
    model: str
    api_key: str = field(default="", repr=False)
    proxy: str = field(default="", repr=False)
    connect_timeout_seconds: float = 5.0
    first_token_timeout_seconds: float = 30.0
    idle_timeout_seconds: float = 15.0
    total_timeout_seconds: float = 90.0
    max_retries: int = 2
    max_tokens: int = 1024
    temperature: float = 0.0
    max_bytes: int = 4_000_000
    max_line_bytes: int = 1_000_000

    @property
    def endpoint(self) -> str:
        """The address that requests go to; a query string is kept."""
        parts = urlsplit(self.url)
        path = parts.path.rstrip("/")
        return urlunsplit(parts._replace(path=path if path.endswith(_PATH) else path + _PATH))


def chat_options(settings: Settings) -> ChatOptions | None:
    """The options that the settings ask for, or None where no address is set.

    Raises:
        ConfigError: If there is an address but no model.
    """
    if not settings.llm_url:
        return None
    if not settings.llm_model:
        raise ConfigError(
            "设了 CEWEN_LLM_URL，却没有设 CEWEN_LLM_MODEL。请写上模型名（服务的 /v1/models 列出了可用的），"
            "或清空 CEWEN_LLM_URL 以停用语言模型。"
        )
    return ChatOptions(
        url=settings.llm_url,
        model=settings.llm_model,
        api_key=settings.llm_api_key.get_secret_value(),
        proxy=settings.llm_proxy.get_secret_value(),
        connect_timeout_seconds=settings.llm_connect_timeout_seconds,
        first_token_timeout_seconds=settings.llm_first_token_timeout_seconds,
        idle_timeout_seconds=settings.llm_idle_timeout_seconds,
        total_timeout_seconds=settings.llm_total_timeout_seconds,
        max_retries=settings.llm_max_retries,
        max_tokens=settings.llm_max_tokens,
        temperature=settings.llm_temperature,
    )
