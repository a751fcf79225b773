"""The settings of the language model: what is allowed, what is shown, what comes of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from api.cli.show import show_settings
from rag.errors import ConfigError
from rag.llm.openai import OpenAIGenerator, open_openai_generator
from rag.llm.options import ChatOptions, chat_options
from rag.llm.rewriting import FollowupRewriter, open_followup_rewriter
from rag.settings import Settings, read_settings

URL = "http://127.0.0.1:11434/v1"


def settings(**changes: Any) -> Settings:
    return Settings(_env_file=None, **changes)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/chat/completions"),
        ("http://127.0.0.1:11434/v1/", "http://127.0.0.1:11434/v1/chat/completions"),
        ("https://host", "https://host/chat/completions"),
        ("http://host/v1/chat/completions", "http://host/v1/chat/completions"),
        ("http://host/x/chat/completions/?version=2", "http://host/x/chat/completions?version=2"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1/chat/completions"),
    ],
)
def test_the_endpoint(url: str, endpoint: str) -> None:
    assert ChatOptions(url=url, model="m").endpoint == endpoint


def test_without_an_address_there_is_no_language_model() -> None:
    assert chat_options(settings()) is None
    assert open_openai_generator(settings(llm_model="m")) is None
    assert open_followup_rewriter(settings(llm_rewrite_followups=True)) is None


def test_an_address_needs_a_model() -> None:
    for missing in (settings(llm_url=URL), settings(llm_url=URL, llm_model="  ")):
        with pytest.raises(ConfigError, match="CEWEN_LLM_MODEL"):
            open_openai_generator(missing)


def test_every_setting_arrives() -> None:
    given = settings(
        llm_url=f" {URL} ",
        llm_model=" m ",
        llm_api_key=" k-1 ",
        llm_proxy="http://u:p@127.0.0.1:7890",
        llm_connect_timeout_seconds=1,
        llm_first_token_timeout_seconds=2,
        llm_idle_timeout_seconds=3,
        llm_total_timeout_seconds=4,
        llm_max_retries=5,
        llm_max_tokens=600,
        llm_temperature=0.7,
    )
    assert chat_options(given) == ChatOptions(
        url=URL,
        model="m",
        api_key="k-1",
        proxy="http://u:p@127.0.0.1:7890",
        connect_timeout_seconds=1.0,
        first_token_timeout_seconds=2.0,
        idle_timeout_seconds=3.0,
        total_timeout_seconds=4.0,
        max_retries=5,
        max_tokens=600,
        temperature=0.7,
    )


def test_what_is_opened() -> None:
    given = settings(llm_url=URL, llm_model="m")
    assert isinstance(open_openai_generator(given), OpenAIGenerator)
    assert open_followup_rewriter(given) is None
    rewriting = given.model_copy(update={"llm_rewrite_followups": True})
    assert isinstance(open_followup_rewriter(rewriting), FollowupRewriter)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://host/v1", "http://"),
        ("127.0.0.1:11434", "http://"),
        ("http://", "主机名"),
        ("http:///v1", "主机名"),
        ("http://host:port/v1", "主机名"),
        ("http://host:99999/v1", "主机名"),
        ("http://[::1/v1", "主机名"),
        ("http://ho st/v1", "主机名"),
        ("http://host/v1\n/x", "主机名"),
        ("http://host/v1#x", "#"),
        ("http://user:secret@host/v1", "用户名和口令"),
        ("http://secret@host/v1", "用户名和口令"),
    ],
)
def test_an_address_that_is_none(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        read_settings(llm_url=url)
    assert "CEWEN_LLM_URL=" in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("llm_api_key", "secret 1"),
        ("llm_api_key", "secret钥"),
        ("llm_api_key", "secret\n1"),
        ("llm_proxy", "secret:1"),
        ("llm_proxy", "socks5://secret@127.0.0.1:1"),
    ],
)
def test_a_bad_secret_is_not_repeated(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"CEWEN_{name.upper()}=[*]{{4}}：") as caught:
        read_settings(**{name: value})
    assert "secret" not in caught.value.message
    assert "secret" not in str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("name", "value"),
    [("llm_temperature", "nan"), ("llm_total_timeout_seconds", "inf"), ("llm_max_retries", "11")],
)
def test_numbers_have_ranges(name: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"CEWEN_{name.upper()}='{value}'"):
        read_settings(**{name: value})


def test_secrets_are_shown_nowhere(tmp_path: Path) -> None:
    given = settings(
        llm_url=URL, llm_model="m", llm_api_key="sk-secret", llm_proxy="http://u:secret@127.0.0.1:1"
    )
    page = tmp_path / "page.txt"
    with page.open("w", encoding="utf-8") as file:
        show_settings(Console(file=file, width=200), given)
    options = chat_options(given)
    texts = [page.read_text("utf-8"), given.model_dump_json(), repr(given), str(given), repr(options)]
    assert [text for text in texts if "secret" in text] == []
    rows = {row.split()[0]: row.split()[1:3] for row in texts[0].split("\n") if row.startswith("CEWEN_LLM")}
    assert rows["CEWEN_LLM_API_KEY"] == rows["CEWEN_LLM_PROXY"] == ["****", "已改"]
    assert json.loads(texts[1])["llm_api_key"] == "****"


def test_no_secret_is_shown_as_none(tmp_path: Path) -> None:
    page = tmp_path / "page.txt"
    with page.open("w", encoding="utf-8") as file:
        show_settings(Console(file=file, width=200), settings())
    assert "****" not in page.read_text("utf-8")
    assert json.loads(settings().model_dump_json())["llm_api_key"] == ""
