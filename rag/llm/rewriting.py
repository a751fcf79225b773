"""Let a language model make a follow-up ("那它呢？") a question of its own.

Optional; the rules of `rag.dialogue` stand behind it. A rewriting is only searched with, never shown as an
answer, and still it is not trusted: it must be one short line that shares words with the conversation.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Literal

from rag.answering.generator import never
from rag.errors import GeneratorError
from rag.llm.chat_client import ChatClient, ChatStream, TextStream
from rag.llm.openai import new_nonce
from rag.llm.options import chat_options
from rag.llm.prompting import MAX_REWRITE_CHARS, REWRITE_PROMPT, rewrite_messages
from rag.records import Turn
from rag.settings import Settings
from rag.text.terms import content_words

_MAX_TOKENS = 512
_QUOTES = "“”\"'「」『』"

Refused = Literal["empty", "not_one_line", "too_long", "not_text", "unrelated"]


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What became of a follow-up.

    Attributes:
        question: The question of its own, or None: use the rules.
        problem: Why there is none, for `explain`: the code of the error, or what was wrong with the model's
            text; None if there was nothing to rewrite or it went well.
    """

    question: str | None
    problem: str | None = None


class FollowupRewriter:
    """Rewrites follow-ups.

    Args:
        client: What streams the model's text.
        nonce: Makes the secret part of a request's delimiters.
    """

    def __init__(self, client: ChatStream, *, nonce: Callable[[], str] = new_nonce) -> None:
        self._client = client
        self._nonce = nonce

    @property
    def prompt_version(self) -> str:
        """Name and version of the prompt, e.g. "rewrite.v1"."""
        return REWRITE_PROMPT

    def rewrite(
        self, question: str, history: Sequence[Turn], *, cancelled: Callable[[], bool] = never
    ) -> Rewriting:
        """The follow-up as a question of its own. Without a question in the history the model is not asked.

        Args:
            question: What was asked now.
            history: What was said before, in order.
            cancelled: Whether nobody waits any more.
        """
        if not any(turn.role == "user" and turn.content.strip() for turn in history):
            return Rewriting(None)
        messages = rewrite_messages(question, history, nonce=self._nonce())
        try:
            text = _read(self._client.stream(messages, cancelled=cancelled))
        except GeneratorError as error:
            return Rewriting(None, error.code)
        problem = _problem(text, (question, *(turn.content for turn in history)))
        return Rewriting(None, problem) if problem else Rewriting(text)


def _read(pieces: TextStream) -> str:
    """The model's text, stripped; no more of it than shows that it is too long."""
    text = ""
    with closing(pieces):
        for piece in pieces:
            text += piece
            if len(text.strip()) > 2 * MAX_REWRITE_CHARS:
                break
    text = text.strip()
    if len(text) >= 2 and text[0] in _QUOTES and text[-1] in _QUOTES:
        text = text[1:-1].strip()
    return text


def _problem(text: str, said: Sequence[str]) -> Refused | None:
    """What is wrong with a rewriting, or None."""
    if not text:
        return "empty"
    if len(text.splitlines()) > 1:
        return "not_one_line"
    if len(text) > MAX_REWRITE_CHARS:
        return "too_long"
    if any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") for char in text):
        return "not_text"
    known = {word for words in said for word in content_words(words)}
    return None if known & set(content_words(text)) else "unrelated"


def open_followup_rewriter(settings: Settings) -> FollowupRewriter | None:
    """The rewriter that the settings ask for, or None where it is off. Connects to nothing.

    Raises:
        ConfigError: If there is an address but no model.
        GeneratorError: With code `generator_refused` if the address cannot be used.
    """
    options = chat_options(settings) if settings.llm_rewrite_followups else None
    if options is None:
        return None
    return FollowupRewriter(ChatClient(replace(options, max_tokens=min(options.max_tokens, _MAX_TOKENS))))
