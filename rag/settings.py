"""Every setting of Cewen: one frozen object, read once at an entry point from `CEWEN_*` and `.env`.

Documented in `docs/settings.md`, which a test compares with this list. Nothing here reads a file or
touches the network.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_serializer, field_validator
from pydantic_core import ErrorDetails, PydanticCustomError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import ConfigError

_PROJECT = Path(__file__).resolve().parent.parent


def usable_cores() -> int:
    """Processor cores this process may run on (a container's share, where the system tells), from 1 to 64."""
    if hasattr(os, "sched_getaffinity"):
        return min(64, max(1, len(os.sched_getaffinity(0))))
    return min(64, os.cpu_count() or 1)


WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # noqa: S104 -- recognised, not bound


def local_address(host: str, port: int) -> str:
    """Where this machine reaches a service that listens on `host` and `port`."""
    name = "127.0.0.1" if host in WILDCARDS else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"


class Settings(BaseSettings):
    """Settings of one process. Paths may start with `~`."""

    model_config = SettingsConfigDict(
        env_prefix="CEWEN_",
        env_file=".env",
        env_file_encoding="utf-8",
        frozen=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    seeds_dir: Path = Field(
        _PROJECT / "seeds", description="放语料文件（.txt、.md、.html、.docx、.pdf）的文件夹"
    )
    index_dir: Path = Field(_PROJECT / "index" / "built", description="建好的索引放在哪里")
    cache_dir: Path = Field(Path("~/.cache/cewen"), validate_default=True, description="离线模型解包到哪里")
    data_dir: Path = Field(
        Path("~/.local/share/cewen"),
        validate_default=True,
        description="要长久保存的东西（如访问密钥）放在哪里",
    )
    store_dir: Path | None = Field(
        None, description="文档和向量（唯一的正本）放在哪里；空为 CEWEN_DATA_DIR 下的 library"
    )
    encoder: str = Field(
        "bundled:multilingual-e5-small", description="编码模型：离线自带的，或本地文件夹，或模型名"
    )
    threads: int = Field(
        min(usable_cores(), 4), ge=1, le=64, description="建索引时编码用的线程数（不影响结果）"
    )
    chunk_max_chars: int = Field(200, ge=60, le=1000, description="一个段块最多多少字")
    candidates_per_arm: int = Field(50, ge=10, le=500, description="每一路检索取多少候选")
    generator: str = Field("extractive", description="默认的回答生成器")
    reader: Literal["bundled", "off"] = Field(
        "bundled", description="判断能否作答时，是否让自带的阅读模型比对问题和段落"
    )
    false_answer_rate: float = Field(
        0.5, ge=0.0, le=1.0, description="文库没有答案的问题，最多让多大比例被作答；0 从不作答，1 总是作答"
    )
    answer_max_chars: int = Field(320, ge=60, le=2000, description="一个回答最多多少字（完整列表可以超过）")
    public_url: str = Field("", description="引用链接的前缀，如 https://qa.example.org；空为相对路径")
    host: str = Field("127.0.0.1", description="服务监听的地址")
    port: int = Field(8000, ge=0, le=65535, description="服务监听的端口")
    api_key: SecretStr = Field(
        "", validate_default=True, description="一把固定的访问密钥；更多的用 cewen keys 建"
    )
    open_to_all: bool = Field(False, description="没有任何密钥时，是否也对别的机器开放")
    requests_per_minute: int = Field(
        600, ge=0, le=100_000, description="一把密钥（没有密钥时一个地址）每分钟最多多少个请求；0 不限"
    )
    cors_origins: str = Field(
        "", description="哪些别处的网页可以调用，如 https://app.example.org，逗号分隔；空为都不可以"
    )
    max_body_bytes: int = Field(65_536, ge=1024, description="请求正文最多多少字节")
    max_concurrent: int = Field(usable_cores(), ge=1, le=64, description="同时计算的请求数")
    request_timeout_seconds: float = Field(120.0, ge=1, le=3600, description="作答最多用多少秒")
    drain_seconds: float = Field(
        0.0, ge=0, le=300, description="收到停止信号后，先答“未就绪”多少秒再关闭监听；给负载均衡留的时间"
    )
    store_questions: bool = Field(False, description="是否保存问过的问题，供 cewen review 整理；默认不存")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="日志级别")
    log_format: Literal["text", "json"] = Field("text", description="日志写成给人看的行，还是每行一个 JSON")
    otlp_url: str = Field("", description="接收追踪数据的 OTLP/HTTP 地址；空为不追踪")
    llm_url: str = Field("", description="兼容 OpenAI 的聊天接口的地址，通常以 /v1 结尾；空为不用语言模型")
    llm_model: str = Field("", description="语言模型的名称")
    llm_api_key: SecretStr = Field("", validate_default=True, description="语言模型服务的密钥；空为不用密钥")
    llm_proxy: SecretStr = Field(
        "", validate_default=True, description="访问语言模型服务的 HTTP 代理；空为直连（不看系统代理）"
    )
    llm_connect_timeout_seconds: float = Field(5.0, ge=0.1, le=60, description="连上语言模型服务最多等多少秒")
    llm_first_token_timeout_seconds: float = Field(
        30.0, ge=0.1, le=600, description="等语言模型开始作答最多多少秒"
    )
    llm_idle_timeout_seconds: float = Field(15.0, ge=0.1, le=600, description="作答中途停顿最多多少秒")
    llm_total_timeout_seconds: float = Field(
        90.0, ge=0.1, le=1800, description="一次提问总共最多等语言模型多少秒（含重试）"
    )
    llm_max_retries: int = Field(2, ge=0, le=10, description="连不上或对方忙时最多再试几次")
    llm_max_tokens: int = Field(1024, ge=16, le=32_768, description="语言模型一次最多写多少个 token")
    llm_temperature: float = Field(0.0, ge=0.0, le=2.0, description="语言模型的随机程度；0 最稳定")
    llm_rewrite_followups: bool = Field(False, description="追问是否先由语言模型改写成独立的问题")

    @field_validator("seeds_dir", "index_dir", "cache_dir", "data_dir", "store_dir")
    @classmethod
    def _full_folder(cls, folder: Path | None) -> Path | None:
        return folder and folder.expanduser()

    @field_validator("store_dir", mode="before")
    @classmethod
    def _given_folder(cls, folder: object) -> object:
        return None if folder == "" else folder

    @field_validator("llm_url")
    @classmethod
    def _usable_address(cls, url: str) -> str:
        return _checked_address(url.strip(), credentials=False)

    @field_validator("otlp_url")
    @classmethod
    def _usable_collector(cls, url: str) -> str:
        url = _checked_address(url.strip(), credentials=True)
        if "@" in url or "?" in url:
            raise PydanticCustomError("address", "地址里不能有用户名、口令和 ?；收集器请放在可信的网络里")
        return url

    @field_validator("llm_proxy")
    @classmethod
    def _usable_proxy(cls, proxy: SecretStr) -> SecretStr:
        return SecretStr(_checked_address(proxy.get_secret_value().strip(), credentials=True))

    @field_validator("llm_api_key", "api_key")
    @classmethod
    def _usable_key(cls, key: SecretStr) -> SecretStr:
        bare = key.get_secret_value().strip()
        if not bare.isascii() or not bare.isprintable() or " " in bare:
            raise PydanticCustomError("key", "只能是可见的 ASCII 字符，中间没有空格；请检查是否粘贴有误")
        return SecretStr(bare)

    @field_validator("cors_origins")
    @classmethod
    def _usable_origins(cls, listed: str) -> str:
        return ",".join(_checked_origin(origin.strip()) for origin in listed.split(",") if origin.strip())

    @field_validator("llm_model")
    @classmethod
    def _bare_model(cls, model: str) -> str:
        return model.strip()

    @field_serializer("api_key", "llm_api_key", "llm_proxy", when_used="json")
    def _hidden(self, secret: SecretStr) -> str:
        return hide(secret)


def read_settings(**overrides: object) -> Settings:
    """Settings from the environment, `.env` and then `overrides` (None means "not given").

    Raises:
        ConfigError: If a value is not allowed, naming the variable, the value and what is allowed.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "；".join(_in_words(fault) for fault in error.errors(include_url=False))
        raise ConfigError(f"设置有误：{faults}。见 docs/settings.md。") from error
    return settings


def hide(secret: SecretStr) -> str:
    """What is shown of a secret: whether there is one."""
    return "****" if secret.get_secret_value() else ""


def _in_words(fault: ErrorDetails) -> str:
    name = "_".join(map(str, fault["loc"]))
    # An address that is refused for the password in it must not be printed for that.
    secret = name in _SECRETS or (name in _MAY_HOLD_SECRETS and "@" in str(fault["input"]))
    return f"CEWEN_{name.upper()}={'****' if secret else repr(fault['input'])}：{fault['msg']}"


def _checked_address(url: str, *, credentials: bool) -> str:
    """Give `url` back unchanged if it is "" or a usable http(s) address.

    Raises:
        PydanticCustomError: If it is not, saying what is allowed.
    """
    if not url:
        return url
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that never closes
        usable = False
    if not usable or not url.isprintable() or " " in url:
        raise PydanticCustomError("address", "要写成 http:// 或 https:// 开头、带主机名的地址")
    if "@" in parts.netloc and not credentials:
        raise PydanticCustomError("address", "地址里不能有用户名和口令；密钥请写在 CEWEN_LLM_API_KEY 里")
    if "#" in url:
        raise PydanticCustomError("address", "地址里不能有 # 和它后面的部分")
    return url


def _checked_origin(origin: str) -> str:
    """Give `origin` back as browsers send it: in small letters, without the port that goes without saying.

    Raises:
        PydanticCustomError: If it is none, saying what is allowed.
    """
    _checked_address(origin, credentials=True)
    parts = urlsplit(origin)
    if parts.path not in ("", "/") or parts.query or "@" in origin or "*" in origin:
        raise PydanticCustomError(
            "origin", "每一项只写协议、主机名和端口，如 https://app.example.org，没有路径，也没有 *"
        )
    usual = ":80" if parts.scheme == "http" else ":443"
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(usual)}"


_SECRETS = frozenset({"api_key", "llm_api_key", "llm_proxy"})
_MAY_HOLD_SECRETS = frozenset({"llm_url", "cors_origins", "otlp_url"})
