"""The documentation against the code: every setting and command, every link, and what the READMEs show."""

from __future__ import annotations

import ast
import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
import uvicorn

from api.app import create_app
from api.cli.commands import app
from api.cli.group import LazyCommand
from rag.settings import Settings
from tests.api_fakes import FakeEngine

PROJECT = Path(__file__).parent.parent
READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for pattern in ("*.md", "docs/*.md", "docs/integrations/*.md", "seeds/*.md")
    for path in PROJECT.glob(pattern)
)
SEED = "seeds/chongqing-theory-page.txt"


def read(name: str) -> str:
    return (PROJECT / name).read_text("utf-8")


# Settings.


def default_in_words(name: str) -> str:
    """A setting's default as the page has it."""
    value = Settings.model_fields[name].default
    if name in {"threads", "max_concurrent"}:
        return "处理器核数，最多 4" if name == "threads" else "处理器核数"
    if isinstance(value, Path):
        value = value.relative_to(PROJECT).as_posix() if value.is_relative_to(PROJECT) else value.as_posix()
    return "空" if value in {"", None} else f"`{value}`"


def range_in_words(name: str) -> str | None:
    """A setting's range as the page has it, or None where it has none."""
    limits = {type(limit).__name__: limit for limit in Settings.model_fields[name].metadata}
    low, high = limits.get("Ge"), limits.get("Le")
    if low is None:
        return None
    return f"{low.ge:g}–{high.le:g}" if high else f"至少 {low.ge}"


def test_every_setting_is_documented() -> None:
    rows = re.findall(
        r"^\| `CEWEN_(\w+)` \| (.+?) \| (.+?) \| (.+) \|$", read("docs/settings.md"), re.MULTILINE
    )
    assert [name.lower() for name, *_ in rows] == list(Settings.model_fields)
    for name, default, allowed, _ in rows:
        assert default == default_in_words(name.lower()), name
        assert allowed == (range_in_words(name.lower()) or allowed), name


def test_the_sample_env_file_names_every_setting() -> None:
    names = re.findall(r"^#CEWEN_(\w+)=", read(".env.example"), re.MULTILINE)
    assert [name.lower() for name in names] == list(Settings.model_fields)


@pytest.mark.parametrize("page", [*PAGES, ".env.example"])
def test_no_page_names_a_setting_that_does_not_exist(page: str) -> None:
    named = set(re.findall(r"CEWEN_([A-Z_]*[A-Z])", read(page)))
    assert {name.lower() for name in named} <= set(Settings.model_fields)


# Commands.


def commands(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command below `command` with its full name, lazily mounted ones loaded."""
    loaded = command.load() if isinstance(command, LazyCommand) else command
    if path != "cewen":
        yield path, loaded
    for name, below in getattr(loaded, "commands", {}).items():
        yield from commands(below, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app), "cewen"))


def documented() -> dict[str, list[str]]:
    """For each command's section the names in the first column of its table, without their values."""
    parts = re.split(r"^###? `(cewen .+)`$", read("docs/commands.md"), flags=re.MULTILINE)[1:]
    return {
        name: re.findall(r"^\| `([^` ]+).*?` \|", text, re.MULTILINE)
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    }


def test_every_command_is_documented() -> None:
    assert list(documented()) == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name: str) -> None:
    parameters = COMMANDS[name].params
    names = {
        max(parameter.opts, key=len)
        if parameter.param_type_name == "option"
        else parameter.metavar or parameter.name.upper()
        for parameter in parameters
    }
    assert sorted(documented()[name]) == sorted(names)


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_command_that_does_not_exist(page: str) -> None:
    first = {name.split()[1] for name in COMMANDS}
    assert set(re.findall(r"(?:`|bin/|^ +)cewen ([a-z]+)", read(page), re.MULTILINE)) <= first


@pytest.mark.parametrize("page", PAGES)
def test_no_page_names_a_make_target_that_does_not_exist(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^ +)make ([a-z]+)", read(page), re.MULTILINE)) <= targets


# Links and places.


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)[^)]*\)", read(page))
    missing = [link for link in links if not ((PROJECT / page).parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", ["docs/architecture.md", "CONTRIBUTING.md"])
def test_places_named_exist(page: str) -> None:
    named = re.findall(r"`((?:rag|index|api|evals|tests|docs|seeds)/[\w./-]+)`", read(page))
    made_later = {"index/built/", "evals/baseline.json"}
    assert [place for place in named if place not in made_later and not (PROJECT / place).exists()] == []


def test_every_package_is_in_the_architecture() -> None:
    described = set(re.findall(r"^\| `([\w/]+)/` \|", read("docs/architecture.md"), re.MULTILINE))
    packages = {
        path.parent.relative_to(PROJECT).as_posix()
        for top in ("cewen", "rag", "index", "api", "evals", "tests")
        for path in (PROJECT / top).rglob("__init__.py")
    }
    assert packages <= described


# Import levels, as the architecture's table has them.


def imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def level_rows() -> dict[str, tuple[set[str], dict[str, str]]]:
    """For each package what it may import, and what only one of its modules may (package -> module)."""
    row = r"^\| `(cewen|rag|index|api|evals)` \| (.+) \|$"
    rows = re.findall(row, read("docs/architecture.md"), re.MULTILINE)
    found = {}
    for package, allowed in rows:
        alone = dict(re.findall(r"`(\w+)` in `([\w.]+)` alone", allowed))
        anywhere = re.sub(r"`\w+` in `[\w.]+` alone", "", allowed)
        found[package] = (set(re.findall(r"`([\w.]+)`", anywhere)), alone)
    return found


@pytest.mark.parametrize("package", ["cewen", "rag", "index", "api", "evals"])
def test_imports_are_those_of_the_architecture(package: str) -> None:
    anywhere, alone = level_rows()[package]
    others = {"cewen", "rag", "index", "api", "evals"} - {package}
    for path in sorted((PROJECT / package).rglob("*.py")):
        module = ".".join(path.relative_to(PROJECT).with_suffix("").parts)
        for name in imported(path):
            top = name.split(".")[0]
            if top not in others or top in anywhere or name in anywhere:
                continue
            assert top in alone, f"{module} imports {name}"
            assert module.startswith(alone[top]), f"{module} imports {name}"


def test_only_the_command_line_imports_the_command_line() -> None:
    command_line = PROJECT / "api" / "cli"
    for path in (PROJECT / "api").rglob("*.py"):
        if command_line not in path.parents:
            assert not {name for name in imported(path) if name.startswith("api.cli")}, path.name


# What the READMEs show.


def marked(readme: str, mark: str) -> str:
    """The block of a README after `<!-- mark -->`, without its fences."""
    found = re.search(rf"<!-- {mark} -->\n```\n(.*?)\n```", read(readme), re.DOTALL)
    assert found, f"{readme}: {mark}"
    return found[1]


def test_the_two_readmes_show_the_same() -> None:
    english, chinese = map(read, READMES)
    fenced = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
    typed = re.compile(r"^    (?:\.venv|make|curl|CEWEN).*$", re.MULTILINE)
    for shown in (fenced, typed):
        assert shown.findall(english) == shown.findall(chinese)
    for form in (r"^##", r"^- ", r"^\|", r"\]\("):
        counts = [len(re.findall(form, text, re.MULTILINE)) for text in (english, chinese)]
        assert counts[0] == counts[1], form


@pytest.mark.parametrize("readme", READMES)
def test_the_answer_shown_is_in_the_source(readme: str) -> None:
    answer, _, head, place, quote = marked(readme, "answer").split("\n")
    lines = re.search(r"第 (\d+)–(\d+) 行", place)
    assert lines
    printed = "\n".join(read(SEED).split("\n")[int(lines[1]) - 1 : int(lines[2])])
    squeezed = "".join(quote.split())
    assert squeezed in "".join(printed.split())
    assert answer == f"{quote.strip()}[1]"
    assert head.startswith("[1] ")
    assert marked(readme, "printed") in printed
    assert "".join(marked(readme, "printed").split()) == squeezed


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A service over the fake engine."""
    application = create_app(FakeEngine)
    application.state.engine_slot.open()
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.mark.parametrize("readme", READMES)
def test_the_readmes_check_of_a_citation_runs(
    readme: str, address: str, capsys: pytest.CaptureFixture[str]
) -> None:
    script = re.search(r"```python\n(.*?)```", read(readme), re.DOTALL)
    assert script
    ours = script[1].replace("http://127.0.0.1:8000", address)
    ours = re.sub(r'"question": ".+?"', '"question": "清晨熄灯"', ours)
    exec(compile(ours, readme, "exec"), {})  # noqa: S102 -- our own documentation
    assert "".join(capsys.readouterr().out.split()) == "守塔人每天傍晚点灯，清晨熄灯。"


@pytest.mark.parametrize("readme", READMES)
def test_the_readmes_use_of_the_client_runs(readme: str, address: str) -> None:
    _, script = re.findall(r"```python\n(.*?)```", read(readme), re.DOTALL)
    ours = script.replace("http://127.0.0.1:8000", address)
    ours = re.sub(r'ask\(".+?"\)', 'ask("清晨熄灯")', ours)
    names: dict[str, Any] = {}
    exec(compile(ours, readme, "exec"), names)  # noqa: S102 -- our own documentation
    assert [cited.quote for cited in names["answer"].citations] == ["守塔人每天傍晚点灯，清晨熄灯。"]


# Provenance and form.


def test_the_seed_is_the_one_described() -> None:
    data = (PROJECT / SEED).read_bytes()
    described = read("seeds/README.md")
    assert hashlib.sha256(data).hexdigest() in described
    assert f"{len(data):,} bytes" in described


def test_the_changelog_keeps_its_form() -> None:
    headings = re.findall(r"^## (.+)$", read("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:])
    kinds = set(re.findall(r"^### (.+)$", read("CHANGELOG.md"), re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    dates = [heading[-10:] for heading in headings[1:]]
    assert all(newer >= older for newer, older in pairwise(dates))


@pytest.mark.parametrize("page", PAGES)
def test_no_page_holds_an_absolute_path_of_a_machine(page: str) -> None:
    assert re.findall(r"(?:^|[\s`'\"(])/(?:home|root|work|Users|tmp)/", read(page)) == []
