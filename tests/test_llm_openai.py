from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.generator import AnswerGenerator
from rag.errors import GeneratorError
from rag.llm.chat_client import ChatClient, Message, TextStream
from rag.llm.faults import fault
from rag.llm.openai import OpenAIGenerator, new_nonce, without_code
from rag.llm.options import ChatOptions
from rag.llm.prompting import no_answer_code
from tests.llm_server import STREAM_HEAD, event, hanging, serving, streaming
from tests.test_llm_prompting import NONCE, request_of

CODE = no_answer_code(NONCE)


class FakeClient:
    """Says its pieces, then raises its error if it has one."""

    def __init__(self, *pieces: str, error: GeneratorError | None = None) -> None:
        self._pieces = pieces
        self._error = error
        self.said: list[str] = []
        self.closed = False
        self.messages: Sequence[Message] = ()
        self.cancelled: Callable[[], bool] | None = None

    def stream(self, messages: Sequence[Message], *, cancelled: Callable[[], bool]) -> TextStream:
        self.messages, self.cancelled = messages, cancelled
        try:
            for piece in self._pieces:
                self.said.append(piece)
                yield piece
            if self._error:
                raise self._error
        finally:
            self.closed = True


def generator(client: FakeClient) -> OpenAIGenerator:
    return OpenAIGenerator(client, nonce=lambda: NONCE)


def written(*pieces: str) -> str:
    return "".join(generator(FakeClient(*pieces)).generate(request_of("茶树有1200株。")))


def test_it_is_an_answer_generator() -> None:
    ours: AnswerGenerator = generator(FakeClient())
    assert ours.name == "openai"
    assert generator(FakeClient()).prompt_version == "answer.v1"


def test_the_models_text_comes_as_it_comes() -> None:
    client = FakeClient("茶树", "有1200株。", "[1]")
    asked = request_of("茶树有1200株。", cancelled=lambda: False)
    assert list(generator(client).generate(asked)) == ["茶树", "有1200株。", "[1]"]
    assert client.closed
    assert client.cancelled is asked.cancelled
    assert CODE in client.messages[0]["content"]


@pytest.mark.parametrize(
    "text", [CODE, f"\n  {CODE}\n", f"`{CODE}`", f"“{CODE}”", f"**{CODE}**", f"{CODE}。抱歉"]
)
def test_the_code_says_that_the_passages_do_not_answer(text: str) -> None:
    assert written(text) == ""
    assert written(*text) == ""


def test_after_the_code_nothing_is_read() -> None:
    client = FakeClient(CODE, "还有", "很多")
    assert list(generator(client).generate(request_of("茶。"))) == []
    assert (client.said, client.closed) == ([CODE], True)


@pytest.mark.parametrize(
    "text", ["NO_ANSWER_0000000000000000", CODE[:-1], f"答。{CODE}", CODE.lower(), "**答**"]
)
def test_anything_else_is_text(text: str) -> None:
    assert written(*text) == text


def test_no_more_is_held_back_than_could_become_the_code() -> None:
    assert list(without_code(iter(["茶", "N", "O_"]), CODE)) == ["茶", "N", "O_"]
    assert list(without_code(iter(["N", "O_", "茶", "树"]), CODE)) == ["NO_茶", "树"]
    assert list(without_code(iter(["“", "茶"]), CODE)) == ["“茶"]


@given(
    st.sampled_from([CODE, CODE[:12], f"“{CODE}", f"{CODE[:5]}茶", "茶树有36株。[1]", " 茶"]),
    st.lists(st.integers(1, 30), max_size=6),
)
def test_the_cutting_changes_nothing(text: str, places: list[int]) -> None:
    borders = [0, *sorted(min(place, len(text)) for place in places), len(text)]
    pieces = [text[start:end] for start, end in pairwise(borders)]
    assert "".join(without_code(iter(pieces), CODE)) == ("" if CODE in text else text)


@pytest.mark.parametrize("pieces", [(), ("",), (" ", "\n")])
def test_a_model_that_says_nothing_has_failed(pieces: tuple[str, ...]) -> None:
    with pytest.raises(GeneratorError, match="回答是空的") as caught:
        written(*pieces)
    assert caught.value.code == "generator_invalid_reply"


def test_what_came_before_an_error_counts() -> None:
    pieces = generator(FakeClient("茶", error=fault("generator_timeout"))).generate(request_of("茶。"))
    assert next(pieces) == "茶"
    with pytest.raises(GeneratorError, match="限定时间") as caught:
        next(pieces)
    assert caught.value.code == "generator_timeout"


def test_without_passages_the_model_is_not_asked() -> None:
    client = FakeClient("茶")
    assert list(generator(client).generate(request_of())) == []
    assert client.messages == ()


def test_each_request_has_its_own_nonce() -> None:
    nonces = {new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(len(nonce) == 16 and nonce.isalnum() for nonce in nonces)
    with serving(streaming("茶。[1]")) as server:
        ours = OpenAIGenerator(ChatClient(ChatOptions(url=server.url, model="m")))
        for _ in range(2):
            assert "".join(ours.generate(request_of("茶。"))) == "茶。[1]"
    first, second = (request.json()["messages"] for request in server.requests)
    assert first != second


def test_leaving_it_closes_the_connection() -> None:
    with serving(hanging(STREAM_HEAD, event("茶"))) as server:
        pieces = OpenAIGenerator(ChatClient(ChatOptions(url=server.url, model="m"))).generate(
            request_of("茶。")
        )
        assert next(pieces) == "茶"
        del pieces
        assert server.left.wait(2)
