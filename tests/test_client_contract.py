"""Both clients against the real app behind a real socket: every method, and what it must give."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.settings import ApiSettings
from cewen import (
    Answer,
    BadRequestError,
    CitationsKnown,
    Client,
    NotFoundError,
    OverloadedError,
    TextAdded,
    Turn,
)
from rag import records
from tests.api_fakes import EXAMPLES, FINGERPRINT, LIGHTHOUSE, PAGE, SHA256, TEA, FakeEngine
from tests.client_driver import ABSTAINED, ANSWERED, KINDS, Kind, Opener, opener, serving_engine
from tests.evals_server import serving_app

LIMIT_SECONDS = 10.0


@pytest.fixture(params=KINDS, scope="module")
def open_client(request: pytest.FixtureRequest) -> Iterator[Opener]:
    kind: Kind = request.param
    with opener(kind) as opened:
        yield opened


@pytest.fixture(scope="module")
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(scope="module")
def url(engine: FakeEngine) -> Iterator[str]:
    with serving_engine(engine) as address:
        yield address


@pytest.fixture(scope="module")
def client(open_client: Opener, url: str) -> Client:
    return open_client(url)


@pytest.fixture
def body_of(url: str) -> Callable[..., str]:
    """Bodies of the service, got without the client."""

    def post(path: str, **fields: Any) -> str:
        with httpx.Client(trust_env=False) as plain:
            return plain.post(url + path, json=fields).text

    return post


def test_an_answer_with_citations_that_hold(client: Client) -> None:
    answer = client.ask(ANSWERED)
    assert (answer.status, answer.reason, answer.fingerprint) == ("answered", None, FINGERPRINT)
    assert answer.answer == "守塔人每天傍晚点灯，清晨熄灯。[1]"
    (citation,) = answer.citations
    assert citation.source_sha256 == SHA256
    assert citation.verify(client.source(citation.document_id))
    assert client.absolute_url(citation.url).startswith(f"{client.base_url}/documents/{LIGHTHOUSE}?chars=")
    assert answer.explain is None


def test_an_abstention_is_an_answer(client: Client) -> None:
    answer = client.ask(ABSTAINED)
    assert (answer.status, answer.reason, answer.citations) == ("abstained", "not_stated", ())
    assert answer.related
    assert all(passage.verify(PAGE) for passage in answer.related)


def test_options_arrive(client: Client, engine: FakeEngine) -> None:
    history = [Turn(role="user", content="灯塔？"), Turn(role="assistant", content="有。")]
    answer = client.ask(ANSWERED, history=history, top_k=3, generator="fake", explain=True)
    asked = engine.asked[-1]
    assert asked["top_k"] == 3
    assert asked["generator"] == "fake"
    assert [(turn.role, turn.content) for turn in asked["history"]] == [  # type: ignore[attr-defined]
        ("user", "灯塔？"),
        ("assistant", "有。"),
    ]
    assert answer.explain == {"words": ANSWERED}
    client.ask(ANSWERED)
    assert engine.asked[-1]["top_k"] == 8


def test_bodies_are_given_unchanged(client: Client, body_of: Callable[..., str]) -> None:
    text = client.ask_json(ANSWERED, explain=True)
    assert text == body_of("/v1/ask", question=ANSWERED, explain=True)
    assert "\n" not in text
    assert client.search_json("灯塔", top_k=1) == body_of("/v1/search", query="灯塔", top_k=1)
    documents = json.loads(client.documents_json())["documents"]
    assert [document["id"] for document in documents] == [LIGHTHOUSE, TEA]


def test_a_stream_gives_the_same_answer_part_by_part(client: Client) -> None:
    for question in (ANSWERED, ABSTAINED):
        *parts, last = client.stream(question)
        whole = client.ask(question)
        assert last == whole
        assert isinstance(parts[0], CitationsKnown)
        assert parts[0].citations == whole.citations
        assert all(isinstance(part, TextAdded) for part in parts[1:])
        assert "".join(part.text for part in parts if isinstance(part, TextAdded)) == whole.answer


def test_a_stream_sends_nothing_before_it_is_read(client: Client, engine: FakeEngine) -> None:
    before = len(engine.asked)
    events = client.stream(ANSWERED, top_k=2, history=[Turn(role="user", content="问")], explain=True)
    assert len(engine.asked) == before
    assert isinstance(list(events)[-1], Answer)
    assert engine.asked[-1]["top_k"] == 2


def test_a_search(client: Client) -> None:
    result = client.search("灯塔", top_k=2)
    assert result.fingerprint == FINGERPRINT
    assert [hit.rank for hit in result.hits] == [1, 2]
    assert all(hit.verify(PAGE) for hit in result.hits)
    best = result.hits[0]
    assert (best.document_id, best.authors, best.score) == (LIGHTHOUSE, ("周望潮", "林听雨"), 1.0)
    assert client.search("灯塔建", score_threshold=0.9).hits[0].score == 1.0
    assert len(client.search("灯塔建", score_threshold=0.9).hits) == 1
    assert client.search("彗", score_threshold=0.9).hits == ()


def test_documents(client: Client) -> None:
    lighthouse, tea = client.documents()
    assert (lighthouse.id, lighthouse.title, lighthouse.affiliation) == (
        LIGHTHOUSE,
        None,
        "作者单位：望海角航标处",
    )
    assert (tea.id, tea.title, tea.authors) == (TEA, "茶山笔记<初稿>", ("何采薇",))
    detail = client.document(TEA)
    assert detail.model_dump(exclude={"paragraphs"}) == tea.model_dump()
    assert [paragraph.number for paragraph in detail.paragraphs] == [1]
    assert all(paragraph.verify(PAGE) for paragraph in detail.paragraphs)
    assert client.source(TEA) == PAGE


def test_examples(client: Client) -> None:
    assert client.examples() == EXAMPLES


def test_ready(client: Client) -> None:
    assert client.ready() is True


def test_the_service_refuses_in_its_own_words(client: Client, open_client: Opener) -> None:
    for question, code in (
        ("", "empty_question"),
        ("问" * 2001, "question_too_long"),
        ("灯\ud83d", "invalid_text"),
    ):
        with pytest.raises(BadRequestError) as caught:
            client.ask(question)
        assert (caught.value.code, caught.value.status) == (code, 422)
        assert caught.value.request_id
    with pytest.raises(BadRequestError, match="top_k"):
        client.search("灯塔", top_k=99)
    with pytest.raises(NotFoundError) as missing:
        client.ask(ANSWERED, generator="nobody")
    assert missing.value.code == "generator_not_found"
    assert open_client.waits == []


def test_a_stream_refuses_before_its_first_event(client: Client) -> None:
    with pytest.raises(BadRequestError) as caught:
        next(client.stream(" "))
    assert (caught.value.code, caught.value.status) == ("empty_question", 422)


@pytest.mark.parametrize(
    "document_id", ["0-0", "", "..", "../../healthz", f"{TEA}/source", "a b?c#d", "茶", "\ud800"]
)
def test_no_such_document(client: Client, document_id: str) -> None:
    for call in (client.document, client.source):
        with pytest.raises(NotFoundError):
            call(document_id)


def test_a_service_under_a_path(open_client: Opener) -> None:
    from starlette.applications import Starlette
    from starlette.routing import Mount

    inner = create_app(FakeEngine)
    inner.state.engine_slot.open()
    with serving_app(Starlette(routes=[Mount("/prefix", inner)])) as url:
        client = open_client(f"{url}/prefix/")
        assert client.ask(ANSWERED).status == "answered"
        assert isinstance(list(client.stream(ANSWERED))[-1], Answer)
        assert client.source(TEA) == PAGE
        assert client.absolute_url("/documents/x") == f"{url}/prefix/documents/x"


def test_not_ready_yet(open_client: Opener) -> None:
    opening = threading.Event()

    def slow() -> FakeEngine:
        opening.wait(LIMIT_SECONDS)
        return FakeEngine()

    app = create_app(slow, ApiSettings())
    try:
        with serving_app(app) as url:
            client = open_client(url, max_retries=1)
            open_client.waits.clear()
            assert client.ready() is False
            assert open_client.waits == []
            with pytest.raises(OverloadedError) as caught:
                client.ask(ANSWERED)
            assert (caught.value.code, caught.value.status, caught.value.retry_after) == (
                "not_ready",
                503,
                2.0,
            )
            (waited,) = open_client.waits
            assert 2.0 <= waited < 2.5
            opening.set()
            assert app.state.engine_slot.wait(LIMIT_SECONDS)
            assert client.ready() is True
    finally:
        opening.set()
        open_client.waits.clear()


def test_leaving_a_stream_ends_the_work_on_the_server(open_client: Opener) -> None:
    ended, never = threading.Event(), threading.Event()

    class Endless(FakeEngine):
        def stream(self, *_: Any, cancelled: Callable[[], bool] = lambda: False, **__: Any) -> Iterator[Any]:
            yield records.TextAdded("灯")
            while not cancelled():
                never.wait(0.01)
            ended.set()

    with serving_engine(Endless()) as url:
        events = open_client(url).stream(ANSWERED)
        assert next(events) == TextAdded(text="灯")
        assert not ended.is_set()
        events.close()
        assert ended.wait(LIMIT_SECONDS)
