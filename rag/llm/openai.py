"""The generator "openai": a language model writes the answer from the passages, with marks.

It adds nothing to what the model says and removes two things: the code by which the model says that the
passages do not answer, and thinking that was not meant to be read (in the chat client). Whether a sentence is
true to its passages is for the gate to say.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import closing

from rag.answering.generator import GenerationRequest
from rag.llm.chat_client import ChatClient, ChatStream
from rag.llm.faults import fault
from rag.llm.options import chat_options
from rag.llm.prompting import ANSWER_PROMPT, answer_messages, no_answer_code
from rag.settings import Settings

OPENAI = "openai"

# What models put round a code that they were told to write alone.
_WRAPPING = " \t\r\n`*_\"'“‘「『【[（("


def new_nonce() -> str:
    """16 hexadecimal digits that nobody can guess."""
    return secrets.token_hex(8)


class OpenAIGenerator:
    """Answers by a language model behind an OpenAI-compatible endpoint; an `AnswerGenerator`.

    Args:
        client: What streams the model's text.
        nonce: Makes the secret part of a request's delimiters.
    """

    def __init__(self, client: ChatStream, *, nonce: Callable[[], str] = new_nonce) -> None:
        self._client = client
        self._nonce = nonce

    @property
    def name(self) -> str:
        """The name by which it is chosen."""
        return OPENAI

    @property
    def prompt_version(self) -> str:
        """Name and version of the prompt, e.g. "answer.v1"."""
        return ANSWER_PROMPT

    def generate(self, request: GenerationRequest) -> Iterator[str]:
        """Give the model's text as it comes; none without passages, or if it says that they do not answer.

        Raises:
            GeneratorError: With a code of `rag.llm.faults`. A model that says nothing at all has failed
                (`generator_invalid_reply`): that the passages do not answer, it has to say.
        """
        if not request.passages:
            return
        nonce = self._nonce()
        messages = answer_messages(request, nonce=nonce)
        # Closed early too: nothing more is read after the code.
        with closing(self._client.stream(messages, cancelled=request.cancelled)) as pieces:
            yield from without_code(pieces, no_answer_code(nonce))


def without_code(pieces: Iterator[str], code: str) -> Iterator[str]:
    """The text, or nothing of it if it begins with the code.

    No more is held back than could still become the code.

    Raises:
        GeneratorError: With code `generator_invalid_reply` if there is no text.
    """
    held = ""
    for piece in pieces:
        held += piece
        bare = held.lstrip(_WRAPPING)
        if bare.startswith(code):
            return
        if not code.startswith(bare):
            yield held
            yield from pieces
            return
    if not held.strip():
        raise fault("generator_invalid_reply", "回答是空的")
    yield held


def open_openai_generator(settings: Settings) -> OpenAIGenerator | None:
    """The generator that the settings ask for, or None where no address is set. Connects to nothing.

    Raises:
        ConfigError: If there is an address but no model.
        GeneratorError: With code `generator_refused` if the address cannot be used.
    """
    options = chat_options(settings)
    return None if options is None else OpenAIGenerator(ChatClient(options))
