"""Every setting of Cewen: one frozen object, read once at an entry point from `CEWEN_*` and `.env`.

Documented in `docs/settings.md`, which a test compares with this list. Nothing here reads a file or
touches the network.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from rag.errors import ConfigError

_PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Settings of one process. Paths may start with `~`."""

    model_config = SettingsConfigDict(
        env_prefix="CEWEN_", env_file=".env", env_file_encoding="utf-8", frozen=True, extra="ignore"
    )

    seeds_dir: Path = Field(_PROJECT / "seeds", description="放语料文件（.txt、.md）的文件夹")
    index_dir: Path = Field(_PROJECT / "index" / "built", description="建好的索引放在哪里")
    cache_dir: Path = Field(Path("~/.cache/cewen"), description="离线模型解包到哪里")
    encoder: str = Field(
        "bundled:multilingual-e5-small", description="编码模型：离线自带的，或本地文件夹，或模型名"
    )
    threads: int = Field(
        min(os.cpu_count() or 1, 4), ge=1, le=64, description="建索引时编码用的线程数（不影响结果）"
    )
    chunk_max_chars: int = Field(200, ge=60, le=1000, description="一个段块最多多少字")
    candidates_per_arm: int = Field(50, ge=10, le=500, description="每一路检索取多少候选")
    generator: str = Field("extractive", description="默认的回答生成器")
    answer_threshold: float = Field(
        0.1, ge=0.0, le=1.0, description="confidence 低于它就不作答；0 总是作答，1 总是不作答"
    )
    answer_max_chars: int = Field(320, ge=60, le=2000, description="一个回答最多多少字（完整列表可以超过）")
    public_url: str = Field("", description="引用链接的前缀，如 https://qa.example.org；空为相对路径")
    host: str = Field("127.0.0.1", description="服务监听的地址")
    port: int = Field(8000, ge=0, le=65535, description="服务监听的端口")
    max_body_bytes: int = Field(65_536, ge=1024, description="请求正文最多多少字节")
    max_concurrent: int = Field(os.cpu_count() or 1, ge=1, le=64, description="同时计算的请求数")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="日志级别")


def read_settings(**overrides: object) -> Settings:
    """Settings from the environment, `.env` and then `overrides` (None means "not given").

    Raises:
        ConfigError: If a value is not allowed, naming the variable, the value and what is allowed.
    """
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        settings = Settings(**given)  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "；".join(
            f"CEWEN_{'_'.join(map(str, fault['loc'])).upper()}={fault['input']!r}：{fault['msg']}"
            for fault in error.errors(include_url=False)
        )
        raise ConfigError(f"设置有误：{faults}。见 docs/settings.md。") from error
    return settings.model_copy(update={name: getattr(settings, name).expanduser() for name in _PATHS})


_PATHS = ("seeds_dir", "index_dir", "cache_dir")
