"""The pages of `docs/integrations/`: every example that can run here runs, against a real service."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from api.app import create_app
from api.dify.conditions import ALIASES, OPERATORS
from api.dify.records import NAMES
from api.doctor.examination import SURFACES
from api.mcp_server.tools import TOOLS as MCP_TOOLS
from api.openai_chat.models import MODELS
from api.openapi.tools import TOOLS as OPENAPI_TOOLS
from api.settings import ApiSettings
from tests.api_fakes import FakeEngine
from tests.evals_server import serving_app

PROJECT = Path(__file__).parent.parent
FOLDER = PROJECT / "docs" / "integrations"
INDEX = "README.md"
PAGES = sorted(path.name for path in FOLDER.glob("*.md"))
ADDRESS = "http://127.0.0.1:8000"
KEY = "a-key-for-the-pages"
RUN = ("bash", "python")
CHECKED = ("json", "javascript")
OUTPUT = "text"
MOST_LINES = 130
LIMIT_SECONDS = 60

_FENCE = re.compile(
    r"^(?:<!-- 不在测试中运行：(?P<reason>.+) -->\n)?^```(?P<language>.*)\n(?P<body>(?:.*\n)*?)^```$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: Name of its file.
        line: Of its opening fence, from 1.
        language: Its info string.
        body: What stands between the fences.
        reason: Why it is not run; "" if it is.
        expected: Lines that must occur in its output, in this order.
    """

    page: str
    line: int
    language: str
    body: str
    reason: str
    expected: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks_of(page: str) -> list[Block]:
    """The blocks of a page, each `text` block joined to the one before it."""
    text = (FOLDER / page).read_text("utf-8")
    found: list[Block] = []
    ended = 0
    for match in _FENCE.finditer(text):
        language, body = match["language"], match["body"]
        line = text.count("\n", 0, match.start("language")) + 1
        follows = bool(found) and not text[ended : match.start()].strip()
        ended = match.end()
        if language == OUTPUT and follows and found[-1].language in RUN and not found[-1].reason:
            last = found.pop()
            found.append(Block(page, last.line, last.language, last.body, "", tuple(body.splitlines())))
        else:
            found.append(Block(page, line, language, body, match["reason"] or ""))
    return found


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def to_run(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language and not block.reason]


def environment() -> dict[str, str]:
    """Of a reader who has installed the project and set a key."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return {
        **os.environ,
        "PATH": path,
        "NO_PROXY": "127.0.0.1",
        "CEWEN_API_KEY": KEY,
        "PYTHONPATH": str(PROJECT),
        "PYTHONUTF8": "1",
    }


def output_of(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=LIMIT_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def check_output(block: Block, output: str, url: str) -> None:
    """Every expected line occurs, after the one before it; "…" stands for anything on one line."""
    at = 0
    for line in block.expected:
        parts = map(re.escape, line.replace(ADDRESS, url).split("…"))
        found = re.compile(".*?".join(parts)).search(output, at)
        assert found, f"{block}: {line!r} is not in what follows:\n{output[at:]}"
        at = found.end()


# What the pages are made of.


def test_every_fence_is_read() -> None:
    for page in PAGES:
        fences = re.findall(r"^ *```", (FOLDER / page).read_text("utf-8"), re.MULTILINE)
        expected = sum(1 for block in blocks_of(page) if block.expected)
        assert len(fences) == 2 * (len(blocks_of(page)) + expected), page


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_only_what_says_so_is_left_out(block: Block) -> None:
    assert block.reason or block.language in (*RUN, *CHECKED), block.language
    assert block.reason or block.language not in RUN or block.expected, "an example shows what it prints"


def test_the_reader_may_trust_the_comment() -> None:
    """No comment stands anywhere but right before a block that is left out."""
    for page in PAGES:
        comments = (FOLDER / page).read_text("utf-8").count("<!--")
        assert comments == sum(1 for block in blocks_of(page) if block.reason), page


def test_every_page_is_in_the_index() -> None:
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", (FOLDER / INDEX).read_text("utf-8")))
    assert linked == set(PAGES) - {INDEX}


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_what_to_do_first(page: str) -> None:
    text = (FOLDER / page).read_text("utf-8")
    assert f"cewen doctor --url {ADDRESS}" in text
    assert "CEWEN_PUBLIC_URL" in text
    assert "CEWEN_API_KEY" in text
    assert text.count("\n") <= MOST_LINES


@pytest.mark.parametrize("page", ["coze.md", "dify.md", "fastgpt.md", "mcp.md", "open-webui.md"])
def test_pages_about_what_cannot_run_here_say_so(page: str) -> None:
    assert "未在此实测" in (FOLDER / page).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_parts_of_the_examination_are_called_as_it_calls_them(page: str) -> None:
    lines = [
        line for line in (FOLDER / page).read_text("utf-8").splitlines() if "`cewen doctor --url" in line
    ]
    named = {name for line in lines for name in re.findall(r"“(.+?)”", line)}
    assert named <= {surface.title for surface in SURFACES}


# What the pages name is all there is.


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("openai.md", MODELS),
        ("open-webui.md", MODELS),
        ("dify.md", (*OPERATORS, *ALIASES, *sorted(NAMES))),
        ("mcp.md", tuple(MCP_TOOLS)),
        ("coze.md", OPENAPI_TOOLS),
    ],
)
def test_nothing_is_left_out(page: str, names: tuple[str, ...]) -> None:
    text = (FOLDER / page).read_text("utf-8")
    assert [name for name in names if f"`{name}`" not in text] == []


# The examples.


@pytest.mark.parametrize("expected", [("two", "one"), ("o…wo",), (f"at {ADDRESS}",)])
def test_what_is_not_printed_is_noticed(expected: tuple[str, ...]) -> None:
    block = Block("page.md", 1, "bash", "", "", expected)
    with pytest.raises(AssertionError, match="is not in what follows"):
        check_output(block, f"one\ntwo\nat {ADDRESS}", "http://127.0.0.1:1")


@pytest.fixture(scope="module")
def guarded_url() -> Iterator[str]:
    """A service that asks for the key."""
    app = create_app(FakeEngine, ApiSettings(api_key=KEY))
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(10)
        yield url


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize("block", to_run("bash"), ids=str)
def test_commands_run(block: Block, live_url: str, guarded_url: str, tmp_path: Path) -> None:
    url = guarded_url if "$CEWEN_API_KEY" in block.body else live_url
    assert ADDRESS in block.body
    output = output_of(["bash", "-euo", "pipefail", "-c", block.body.replace(ADDRESS, url)], tmp_path)
    check_output(block, output, url)


@pytest.mark.parametrize("page", sorted({block.page for block in to_run("python")}))
def test_programs_run(page: str, live_url: str, tmp_path: Path) -> None:
    """All examples of a page in one process, one after the other, as a reader types them."""
    blocks = [block for block in to_run("python") if block.page == page]
    mark = "==== {} ===="
    parts = [f"{block.body.replace(ADDRESS, live_url)}\nprint({mark.format(block)!r})\n" for block in blocks]
    script = tmp_path / "example.py"
    script.write_text("\n".join(parts), "utf-8")
    output = output_of([sys.executable, str(script)], tmp_path)
    for block in blocks:
        own, _, output = output.partition(mark.format(block))
        check_output(block, own, live_url)


@pytest.mark.parametrize("block", to_run("json"), ids=str)
def test_json_parses(block: Block) -> None:
    assert isinstance(json.loads(block.body), dict)


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no node")
@pytest.mark.parametrize("block", to_run("javascript"), ids=str)
def test_javascript_parses(block: Block, tmp_path: Path) -> None:
    script = tmp_path / "example.mjs"
    script.write_text(block.body, "utf-8")
    output_of(["node", "--check", str(script)], tmp_path)
