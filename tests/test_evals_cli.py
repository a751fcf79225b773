"""The command line against a live server that can be computed: exit codes, files, messages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from evals.baseline import read_baseline
from evals.cli import app
from evals.evaluation import prepare
from evals.gate_config import read_gate_config
from evals.paths import QUESTIONS, question_set, settings_for
from evals.report import read_report, report_json
from evals.schema import load_questions
from evals.service import Hit
from evals.sources import read_untouched
from evals.template import FILES, write_template
from rag.errors import ConfigError
from rag.settings import Settings
from tests.evals_fakes import FILE, FakeService, subject, written
from tests.evals_server import serving

GATES = """version = 1
baseline = "baseline.json"
[[floor]]
name = "refusals"
measure = "false_refusal"
on = "point"
at_most = 0.5
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(FakeService()) as address:
        yield address


@pytest.fixture(scope="module")
def silent_url() -> Iterator[str]:
    """A server that never answers."""
    with serving(FakeService(threshold=2.0)) as address:
        yield address


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A question file with a gate beside it."""
    written(tmp_path, GATES, "gates.toml")
    return written(tmp_path, FILE)


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr."""
    done = CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout, done.stderr


def asked(place: Path, url: str, *more: object) -> tuple[int, str, str]:
    return run("--url", url, "--questions", place, "--out", place.parent / "out", *more)


def test_a_run_writes_its_files_and_passes_without_a_gate(place: Path, silent_url: str) -> None:
    code, said, _ = asked(place, silent_url)
    assert code == 0
    assert "overall" in said
    report = read_report(place.parent / "out" / "report.json")
    assert [row.question_id for row in report.results] == ["q-1", "q-4"]
    names = {path.name for path in (place.parent / "out").iterdir()}
    assert names == {"report.json", "timings.json", "summary.md", "junit.xml", "report.html"}


def test_accepting_a_baseline_and_passing_the_gate(place: Path, url: str) -> None:
    assert asked(place, url, "--gate")[0] == 1  # a baseline is named and is not there
    assert asked(place, url, "--write-baseline")[0] == 0
    assert read_baseline(place.parent / "baseline.json").scores.keys() == {"q-1", "q-4"}
    code, said, _ = asked(place, url, "--gate")
    assert (code, "道门全部通过" in said) == (0, True)


def test_another_corpus_passes_once_it_is_accepted(place: Path, url: str) -> None:
    asked(place, url, "--write-baseline")
    path = place.parent / "baseline.json"
    path.write_text(re.sub(r'"corpus_sha256": "\w+"', '"corpus_sha256": "other"', path.read_text()))
    code, said, _ = asked(place, url, "--gate")
    assert (code, "✗ baseline:corpus" in said) == (1, True)
    assert asked(place, url, "--gate", "--write-baseline")[0] == 0
    assert asked(place, url, "--gate")[0] == 0


def test_a_red_gate_exits_with_1_and_names_itself(place: Path, silent_url: str) -> None:
    code, said, _ = asked(place, silent_url, "--gate")
    assert code == 1
    assert "✗ floor:refusals" in said


def test_what_is_written_in_two_runs_is_the_same(place: Path, url: str) -> None:
    path = place.parent / "out" / "report.json"
    asked(place, url, "--gate")
    first = path.read_bytes()
    asked(place, url, "--gate")
    assert path.read_bytes() == first
    assert report_json(read_report(path)).encode() == first


def test_exports(place: Path, url: str) -> None:
    assert asked(place, url, "--export", "trec", "--export", "beir", "--export", "ragas")[0] == 0
    assert (place.parent / "out" / "beir" / "qrels" / "dev.tsv").is_file()
    code, _, said = asked(place, url, "--export", "csv")
    assert (code, "可用的有：beir、ragas、trec" in said) == (2, True)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("dev.jsonl", "{}", "第 1 行"),
        ("dev.jsonl", FILE.replace("守塔人每天傍晚点灯", "守塔人每天早晨点灯"), "找不到证据"),
        ("gates.toml", "version = 3", "gates.toml"),
    ],
)
def test_what_cannot_run_exits_with_2(place: Path, url: str, name: str, content: str, said: str) -> None:
    written(place.parent, content, name)
    code, _, error = asked(place, url, "--gate")
    assert (code, said in error) == (2, True)


def test_a_server_that_is_not_there_exits_with_2(place: Path) -> None:
    code, _, error = asked(place, "http://127.0.0.1:9")
    assert (code, "连不上" in error) == (2, True)


def test_an_unknown_split_exits_with_2(place: Path, url: str) -> None:
    code, _, error = asked(place, url, "--split", "train")
    assert (code, "dev、all" in error) == (2, True)


def test_compare_prints_what_got_worse_first(place: Path, url: str, silent_url: str) -> None:
    asked(place, url)
    good = place.parent / "good.json"
    (place.parent / "out" / "report.json").rename(good)
    asked(place, silent_url)
    code, said, _ = run("compare", good, place.parent / "out" / "report.json")
    assert code == 0
    rows = [line for line in said.splitlines() if line.startswith("| ⬇")]
    assert any("| overall | false_refusal | 0.000 | 1.000 | +1.000 |" in line for line in rows)
    code, _, error = run("compare", good, place)
    assert (code, "读不出来" in error) == (2, True)


def test_a_baseline_may_be_named_without_a_gate(place: Path, url: str, silent_url: str) -> None:
    asked(place, url)
    other = (place.parent / "out" / "report.json").rename(place.parent / "before.json")
    _, said, _ = asked(place, silent_url, "--baseline", other)
    assert "变差 false_refusal：0.000 → 1.000" in said


def test_the_template_is_a_sound_evaluation(tmp_path: Path) -> None:
    code, said, _ = run("init", tmp_path / "own")
    assert (code, "cewen eval --gate --seeds" in said) == (0, True)
    chosen = question_set(tmp_path / "own" / "questions.jsonl", None)
    own = subject()
    own = type(own)(own.service, read_untouched(tmp_path / "own" / "documents"), (), {})
    assert len(prepare(chosen.files, "questions", own).questions) == 3
    assert read_gate_config(chosen.gates).pinned == ["own-1"]
    assert sorted(path.relative_to(tmp_path / "own").as_posix() for path in _files(tmp_path)) == sorted(FILES)
    code, _, error = run("init", tmp_path / "own")
    assert (code, "不覆盖" in error) == (2, True)


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_the_template_does_not_overwrite(tmp_path: Path) -> None:
    (tmp_path / "gates.toml").write_text("mine")
    with pytest.raises(ConfigError, match=r"gates\.toml"):
        write_template(tmp_path)
    assert _files(tmp_path) == [tmp_path / "gates.toml"]


def test_question_sets(tmp_path: Path) -> None:
    assert [path.name for path in question_set(None, None).files] == ["dev.jsonl", "test.jsonl"]
    assert question_set(None, None).files[0].parent == QUESTIONS
    written(tmp_path, FILE, "b.jsonl")
    written(tmp_path, FILE, "a.jsonl")
    found = question_set(tmp_path, None)
    assert ([path.name for path in found.files], found.gates) == (
        ["a.jsonl", "b.jsonl"],
        tmp_path / "gates.toml",
    )
    assert question_set(tmp_path / "a.jsonl", tmp_path / "g.toml").gates == tmp_path / "g.toml"
    (tmp_path / "empty").mkdir()
    for wrong in (tmp_path / "empty", tmp_path / "none.jsonl"):
        with pytest.raises(ConfigError, match=r"没有.*题目"):
            question_set(wrong, None)


def test_what_is_judged_gets_a_store_and_an_index_of_its_own(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, cache_dir=tmp_path / "cache", data_dir=tmp_path / "data")  # type: ignore[call-arg]
    usual = settings_for(settings, None)
    assert usual.seeds_dir == settings.seeds_dir
    assert usual.index_dir == settings.index_dir / "eval"
    other = settings_for(settings, tmp_path)
    assert other.seeds_dir == tmp_path
    assert other.index_dir.parent == tmp_path / "cache" / "eval-index"
    for chosen in (usual, other):
        assert chosen.store_dir == chosen.index_dir / "store"  # nothing that was uploaded is judged
    with pytest.raises(ConfigError, match="没有语料文件夹"):
        settings_for(settings, tmp_path / "none")


def test_help_answers_without_heavy_libraries() -> None:
    program = (
        "import sys\n"
        "from evals.cli import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as done:\n    assert not done.code\n"
        "heavy = {'torch', 'faiss', 'sentence_transformers', 'numpy', 'httpx'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    for option in ("--gate", "--split", "--url", "--seeds", "--export", "compare", "init", "selftest"):
        assert option in done.stdout


def test_questions_on_which_the_server_fails_are_a_verdict(place: Path) -> None:
    class Crashing(FakeService):
        def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
            raise RuntimeError(f"{query!r} {top_k}")

    written(place.parent, "version = 1", "gates.toml")
    with serving(Crashing()) as address:
        code, said, _ = asked(place, address, "--gate")
    assert (code, "✗ invariant:no_errors" in said) == (1, True)


def test_a_reply_that_cannot_be_read_is_not_a_verdict(place: Path) -> None:
    class Garbled(FakeService):
        def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
            return tuple(replace(hit, text=None) for hit in super().search(query, top_k))  # type: ignore[arg-type]

    with serving(Garbled()) as address:
        code, _, error = asked(place, address, "--gate")
    assert (code, "Traceback" in error, "没能运行完" in error) == (2, True, True)


def test_the_json_is_utf8_and_the_questions_own(place: Path, url: str) -> None:
    asked(place, url)
    data = json.loads((place.parent / "out" / "report.json").read_text(encoding="utf-8"))
    (file,) = load_questions([place])
    assert data["questions"] == {"dev": file.sha256}
    assert data["results"][0]["question"] == "守塔人傍晚"
