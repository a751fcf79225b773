"""What users see of the client library: its names, what importing it costs, and that it is self-contained."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel, ValidationError

import api.wire.calibration_schemas as calibrations
import api.wire.document_schemas as kept
import api.wire.schemas as published
import cewen
from api.feedback.schemas import FeedbackReply
from api.wire.filter_schemas import FiltersIn
from cewen import envelopes
from tests.client_driver import KEY

PACKAGE = Path(cewen.__file__).parent
PROJECT = PACKAGE.parent
OF_SCHEMAS: dict[type[BaseModel], type[BaseModel]] = {
    cewen.Answer: published.AskReply,
    cewen.AnswerSentence: published.AnswerSentenceOut,
    cewen.Citation: published.CitationOut,
    cewen.Degradation: published.DegradationOut,
    cewen.Calibrated: calibrations.CalibratedOut,
    cewen.Calibration: calibrations.CalibrationOut,
    cewen.CalibrationScores: calibrations.CalibrationScoresOut,
    cewen.Collection: kept.CollectionOut,
    cewen.Document: kept.EntryOut,
    cewen.Described: kept.DescribedReply,
    cewen.DocumentDetail: kept.EntryDetailOut,
    cewen.Filters: FiltersIn,
    cewen.Job: kept.JobOut,
    cewen.Metadata: kept.MetadataIn,
    cewen.Feedback: FeedbackReply,
    cewen.Paragraph: published.ParagraphOut,
    cewen.Passage: published.HitOut,
    cewen.Removed: kept.RemovedReply,
    cewen.Resolution: kept.ResolutionOut,
    cewen.SearchResult: published.SearchReply,
    cewen.Turn: published.TurnIn,
    envelopes.CalibrationForgotten: calibrations.CalibrationForgottenReply,
    envelopes.CalibrationFound: calibrations.CalibrationReply,
    envelopes.CollectionList: kept.CollectionListReply,
    envelopes.DocumentList: kept.EntryListReply,
    envelopes.JobBegun: kept.JobReply,
    envelopes.JobList: kept.JobListReply,
    envelopes.ErrorDetail: published.ErrorDetail,
    envelopes.ErrorReply: published.ErrorReply,
}


def test_public_names_are_listed_sorted_and_there() -> None:
    assert cewen.__all__ == sorted(cewen.__all__)
    assert all(hasattr(cewen, name) for name in cewen.__all__)
    imported = {name for name, value in vars(cewen).items() if inspect.isclass(value)}
    assert imported <= set(cewen.__all__)


def test_the_package_says_that_it_is_typed() -> None:
    assert (PACKAGE / "py.typed").read_bytes() == b""


@pytest.mark.parametrize(("model", "schema"), OF_SCHEMAS.items(), ids=lambda model: model.__name__)
def test_fields_are_those_of_the_published_json(model: type[BaseModel], schema: type[BaseModel]) -> None:
    assert set(model.model_fields) == set(schema.model_fields)


def test_models_are_frozen_and_ignore_what_they_do_not_know() -> None:
    turn = cewen.Turn.model_validate({"role": "user", "content": "问", "added_later": 1})
    assert turn == cewen.Turn(role="user", content="问")
    with pytest.raises(ValidationError):
        turn.content = "改"


def test_an_error_in_a_model_does_not_repeat_the_value() -> None:
    with pytest.raises(ValidationError) as caught:
        cewen.Turn.model_validate({"role": "机密", "content": "问"})
    assert "机密" not in str(caught.value)


def test_importing_is_cheap() -> None:
    heavy = {"torch", "fastapi", "starlette", "numpy", "langchain_core", "llama_index", "rag", "api", "index"}
    script = f"import sys, cewen; print(*sorted({heavy} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


def test_nothing_of_ours_is_imported() -> None:
    for path in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"api", "evals", "index", "rag"}, path.name


def test_the_two_clients_have_the_same_methods() -> None:
    def parameters(owner: type, name: str) -> list[tuple[str, object, object]]:
        signature = inspect.signature(getattr(owner, name))
        return [(one.name, one.kind, one.default) for one in signature.parameters.values()]

    names = {name for name in dir(cewen.Client) if not name.startswith("_")} - {"close"}
    assert names == {name for name in dir(cewen.AsyncClient) if not name.startswith("_")} - {"aclose"}
    assert {"base_url", "absolute_url"} < names
    names -= {"base_url"}
    for name in names:
        assert parameters(cewen.Client, name) == parameters(cewen.AsyncClient, name), name
        both = (getattr(cewen.Client, name), getattr(cewen.AsyncClient, name))
        assert all(method.__doc__ for method in both)


@pytest.mark.parametrize("address", ["http://h:1", "https://h/prefix/", "http://[::1]:8000//", "HTTP://h"])
def test_a_usable_address_is_taken_without_its_last_slash(address: str) -> None:
    with cewen.Client(address) as client:
        assert client.base_url == address.rstrip("/")
        assert repr(client) == f"Client({client.base_url!r})"


@pytest.mark.parametrize(
    "address",
    [
        *("", "h:8000", "127.0.0.1:8000", "ftp://h", "http://", "http://h/?a=1", "http://h#a", "http://h:0"),
        *("http://h:port", "http://h:70000", "http://[::1", "http://h/a b", "http://h\n", "http://user:pw@h"),
    ],
)
def test_an_unusable_address_is_refused_with_what_is_allowed(address: str) -> None:
    with pytest.raises(cewen.ConfigError, match="base_url") as caught:
        cewen.Client(address)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("key", ["", "a b", "钥匙", "a\r\nX-Other: 1"])
def test_an_unusable_key_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(cewen.ConfigError, match="api_key") as caught:
        cewen.Client(api_key=key)
    assert not key or key not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        *({"timeout": seconds} for seconds in (0.0, -1.0, float("inf"), float("nan"))),
        *({"max_retries": retries} for retries in (-1, 11)),
    ],
)
def test_unusable_limits_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(cewen.ConfigError, match=next(iter(options))):
        cewen.AsyncClient(**options)  # type: ignore[arg-type]


def test_the_key_is_shown_nowhere() -> None:
    with cewen.Client(api_key=KEY) as client:
        assert KEY not in repr(client) + repr(vars(client)) + repr(vars(client._http))


@pytest.mark.parametrize(
    ("address", "proxied"),
    [
        ("http://127.0.0.1:1", False),
        ("http://localhost:1", False),
        ("http://[::1]:1", False),
        ("http://cewen.example", True),
    ],
)
def test_a_proxy_of_the_environment_is_for_other_machines(
    monkeypatch: pytest.MonkeyPatch, address: str, proxied: bool
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with cewen.Client(address) as client:
        assert bool(client._http._mounts) is proxied


def test_an_unusable_proxy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "gopher://user:pw@127.0.0.1:9")
    with pytest.raises(cewen.ConfigError, match="ALL_PROXY") as caught:
        cewen.Client("http://cewen.example")
    assert "pw" not in str(caught.value)
    with cewen.Client():
        pass


def test_links_become_absolute() -> None:
    with cewen.Client("https://h/prefix/") as client:
        assert (
            client.absolute_url("/documents/a?chars=1-2#L1-L1")
            == "https://h/prefix/documents/a?chars=1-2#L1-L1"
        )
        assert client.absolute_url("https://other/documents/a") == "https://other/documents/a"
