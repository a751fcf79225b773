"""The planted texts that other tests use, and the model that obeys them, against our prompt."""

from __future__ import annotations

import pytest

from rag.llm.prompting import answer_messages, as_data, no_answer_code
from tests.injections import INJECTIONS, Injection, obeyed, scripted_obeying_model
from tests.test_llm_prompting import NONCE, request_of

TEA = "茶树有1200株。采茶工人有36名。"


def test_they_are_many_and_different() -> None:
    assert len(INJECTIONS) >= 36
    for field in ("name", "text", "payload"):
        assert len({getattr(each, field) for each in INJECTIONS}) == len(INJECTIONS)
    assert sum(not each.quotable for each in INJECTIONS) >= 30


def test_without_one_the_model_is_good() -> None:
    messages = answer_messages(request_of(TEA, "制茶要经过三道工序。"), nonce=NONCE)
    assert obeyed(messages) == ()
    assert scripted_obeying_model(messages) == "茶树有1200株。[1]"


@pytest.mark.parametrize("planted", INJECTIONS, ids=lambda planted: planted.name)
def test_each_is_found_and_obeyed_alone(planted: Injection) -> None:
    messages = answer_messages(request_of(TEA, planted.text), nonce=NONCE)
    assert obeyed(messages) == (planted,)
    said = scripted_obeying_model(messages)
    assert said == planted.payload.replace("{code}", no_answer_code(NONCE))


@pytest.mark.parametrize("planted", INJECTIONS, ids=lambda planted: planted.name)
def test_none_gets_out_of_its_wrapper(planted: Injection) -> None:
    _, user = answer_messages(request_of(planted.text, TEA), nonce=NONCE)
    shown = as_data(planted.text, NONCE)
    assert f"正文：{shown}\n<<段落 1 完 {NONCE}>>\n\n<<段落 2 {NONCE}>>" in user["content"]
    assert "<<" not in shown
    assert "NO_ANSWER" not in shown


def test_several_are_obeyed_in_turn() -> None:
    first, second = INJECTIONS[0], INJECTIONS[5]
    messages = answer_messages(request_of(second.text, first.text), nonce=NONCE)
    assert scripted_obeying_model(messages) == f"{first.payload}\n{second.payload}"
