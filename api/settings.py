"""What the HTTP layer can be told. It reads neither the environment nor files: the assembly point does."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import ConfigError
from rag.settings import usable_cores

MAX_CHAT_BODY_BYTES = 1_048_576
MAX_UPLOAD_BODY_BYTES = 22_020_096
"""A file of 20 MiB, and a MiB for what a form or JSON puts around it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """Limits and switches of the service.

    Attributes:
        public_url: Address under which others reach the service, e.g. "https://cewen.example";
            named in the OpenAPI document. Empty: not named.
        docs: Whether `/docs` and `/openapi.json` are served.
        api_key: What callers must bring where no `KeyRing` is given; "" lets everyone in.
        requests_per_minute: Of one key, or of one address where no key is needed; 0 for no limit.
        local_only: Whether it listens to this machine alone: then other names than its own are refused.
        cors_origins: Pages of which other origins may call, each as browsers send it.
        max_header_bytes: Names and values of all request headers together.
        max_body_bytes: One request body.
        max_chat_body_bytes: One request body of the formats that repeat the conversation.
        max_upload_bytes: One request body that brings a document.
        min_upload_rate: Bytes a second at which such a body must come, once its time is over.
        upload_places: Uploads that may hold a body in memory; one of them is converted at a time.
        body_timeout_seconds: From the first byte asked for to the last one received.
        max_concurrent: Requests that compute at the same time.
        max_waiting: Requests that may wait for a place; None means one for two that compute.
            So few, because whoever waits is answered later by as much: at four times the load that can be
            borne, answers that are given stay within three times the time of an idle service.
        wait_seconds: How long one waits before it is refused.
        request_timeout_seconds: How long one answer may take.
        drain_seconds: From the signal to stop to the closing of the listener.
        otlp_url: Where traces go; "" for nowhere.
        data_dir: Where feedback is kept; None: nowhere, and feedback is refused.
        store_questions: Whether questions are kept there too.

    Raises:
        ConfigError: If a limit is not positive (waiting may be 0).
    """

    public_url: str = ""
    docs: bool = True
    api_key: str = field(default="", repr=False)
    requests_per_minute: int = 0
    cors_origins: tuple[str, ...] = ()
    local_only: bool = False
    max_header_bytes: int = 16_384
    max_body_bytes: int = 65_536
    max_chat_body_bytes: int = MAX_CHAT_BODY_BYTES
    max_upload_bytes: int = MAX_UPLOAD_BODY_BYTES
    min_upload_rate: float = 65_536.0
    upload_places: int = 4
    body_timeout_seconds: float = 10.0
    max_concurrent: int = field(default_factory=usable_cores)
    max_waiting: int | None = None
    wait_seconds: float = 2.0
    request_timeout_seconds: float = 120.0
    drain_seconds: float = 0.0
    otlp_url: str = ""
    data_dir: Path | None = None
    store_questions: bool = False

    def __post_init__(self) -> None:
        for name in (
            "max_header_bytes",
            "max_body_bytes",
            "max_chat_body_bytes",
            "max_upload_bytes",
            "min_upload_rate",
            "upload_places",
            "body_timeout_seconds",
            "max_concurrent",
            "request_timeout_seconds",
        ):
            value = getattr(self, name)
            if value <= 0:
                raise ConfigError(f"设置 {name} 是 {value!r}，必须大于 0。请改正后重新启动。")
        if self.requests_per_minute < 0:
            raise ConfigError(
                f"设置 requests_per_minute 是 {self.requests_per_minute!r}，不能小于 0（0 为不限）。"
                "请改正后重新启动。"
            )
        if self.waiting_places < 0 or self.wait_seconds < 0:
            raise ConfigError(
                f"设置 max_waiting 是 {self.max_waiting!r}、wait_seconds 是 {self.wait_seconds!r}，"
                "都不能小于 0。请改正后重新启动。"
            )

    @property
    def waiting_places(self) -> int:
        """How many requests may wait."""
        return max(1, self.max_concurrent // 2) if self.max_waiting is None else self.max_waiting
