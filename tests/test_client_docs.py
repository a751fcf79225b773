"""The examples of `docs/client.md` run as they stand there, against a real service over the sample corpus."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import cewen
from api.app import create_app
from api.assembly import open_library
from cewen import connection, retrying
from cewen.langchain import CewenRetriever as LangChainRetriever
from rag.encoding.encoder import SentenceTransformerEncoder
from rag.settings import read_settings
from tests.client_retrieving import CITATION_KEYS, PASSAGE_KEYS
from tests.evals_server import serving_app

PAGE = (Path(__file__).parent.parent / "docs" / "client.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def writable_url(tmp_path: Path, bundled_encoder: SentenceTransformerEncoder) -> Iterator[str]:
    """A service whose library is its own: others may be using that of `live_url`."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "tea.txt").write_text("茶山记\n\n　　茶山的春茶在清明前采摘。\n", "utf-8")
    place = tmp_path / "index"
    settings = read_settings(seeds_dir=tmp_path / "seeds", index_dir=place, store_dir=place / "store")
    application = create_app(lambda: open_library(settings, encoder=bundled_encoder))
    with serving_app(application) as url:
        assert application.state.engine_slot.wait(300)
        yield url
    application.state.engine_slot.close()


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_runs(
    number: int,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    changes = "create_collection" in EXAMPLES[number]
    url = request.getfixturevalue("writable_url" if changes else "live_url")
    # The address on the page is also the default one, which some examples leave out.
    default = connection.DEFAULT_BASE_URL
    for client in (cewen.Client, cewen.AsyncClient):
        assert client.__init__.__defaults__ == (default,)
        monkeypatch.setattr(client.__init__, "__defaults__", (url,))
    code = EXAMPLES[number].replace(default, url)
    exec(compile(code, f"docs/client.md, example {number}", "exec"), {"__name__": "__main__"})  # noqa: S102 -- ours
    assert capsys.readouterr().out.strip()


def test_every_passage_found_stands_in_its_source(live_url: str) -> None:
    with cewen.Client(live_url) as client:
        for document in client.documents():
            source = client.source(document.id)
            paragraphs = client.document(document.id).paragraphs
            assert paragraphs
            assert all(paragraph.verify(source) for paragraph in paragraphs)
        for hit in client.search("城市治理", top_k=50).hits:
            assert hit.verify(client.source(hit.document_id))


def test_every_method_and_parameter_is_on_the_page() -> None:
    for name, member in inspect.getmembers(cewen.Client, inspect.isfunction):
        if not name.startswith("_"):
            assert re.search(rf"`(?:\w+`、`)*{name}[(`]", PAGE), name
            shared = {"self", "question", "query", "document_id", "job_id", "identifier"}
            for parameter in inspect.signature(member).parameters.keys() - shared:
                assert parameter in PAGE, parameter
    for parameter in inspect.signature(cewen.Client).parameters:
        assert f"| `{parameter}` |" in PAGE, parameter


def test_every_error_is_on_the_page() -> None:
    for name in cewen.__all__:
        if name.endswith("Error"):
            assert f"`{name}`" in PAGE, name


def test_every_metadata_key_and_retriever_option_is_on_the_page() -> None:
    for key in (PASSAGE_KEYS | CITATION_KEYS) | (
        set(LangChainRetriever.model_fields) - {"name", "tags", "metadata"}
    ):
        assert f"`{key}`" in PAGE, key


def test_the_numbers_on_the_page_are_those_of_the_code() -> None:
    assert f"| `timeout` | {connection.DEFAULT_TIMEOUT_SECONDS:g} |" in PAGE
    assert f"连接最多等 {connection.CONNECT_SECONDS:g} 秒" in PAGE
    assert f"0 到 {connection.MOST_RETRIES} |" in PAGE
    assert f"超过 {retrying.RETRY_AFTER_MOST_SECONDS:g} 秒" in PAGE
    assert all(str(status) in PAGE for status in retrying.RETRIED_STATUSES)
