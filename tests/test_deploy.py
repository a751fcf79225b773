"""The files to run the service from: what a linter says of them, and whether they fit the settings."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.settings import Settings

PROJECT = Path(__file__).parent.parent
DOCKERFILE = PROJECT / "Dockerfile"
UNIT = PROJECT / "docs" / "deploy" / "cewen.service"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def settings_named(path: Path) -> set[str]:
    return {name.lower() for name in re.findall(r"CEWEN_([A-Z_]*[A-Z])=", path.read_text("utf-8"))}


def test_the_linter_finds_nothing_in_the_dockerfile() -> None:
    linted = run(str(Path(sys.executable).parent / "hadolint"), str(DOCKERFILE))
    assert (linted.returncode, linted.stdout) == (0, "")


def test_the_container_runs_as_nobody_in_particular() -> None:
    text = DOCKERFILE.read_text("utf-8")
    last_stage = text[text.rindex("FROM ") :]
    assert re.search(r"^USER 10001$", last_stage, re.MULTILINE)
    assert "root" not in last_stage
    copied = set(re.findall(r"^COPY (\w+) \1$", text, re.MULTILINE))
    assert copied == {"cewen", "rag", "index", "api", "evals"}


@pytest.mark.parametrize("path", [DOCKERFILE, UNIT], ids=lambda path: path.name)
def test_what_is_set_are_settings(path: Path) -> None:
    named = settings_named(path)
    assert named <= set(Settings.model_fields)
    assert {"seeds_dir", "index_dir", "cache_dir", "data_dir"} <= named


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd here to ask")
    unit = tmp_path / UNIT.name
    # The program is not installed there on the machine that tests run on.
    unit.write_text(UNIT.read_text("utf-8").replace("/opt/cewen/bin/cewen", "/bin/true"), "utf-8")
    said = run(analyze, "verify", "--man=no", str(unit))
    ours = [line for line in (said.stdout + said.stderr).splitlines() if UNIT.name in line]
    assert (said.returncode, ours) == (0, [])


def test_the_unit_shuts_what_the_service_does_not_need() -> None:
    set_to = dict(re.findall(r"^(\w+)=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE))
    assert set_to["ExecStart"].endswith("cewen serve")
    assert set_to["CapabilityBoundingSet"] == ""
    for name in ("NoNewPrivileges", "ProtectHome", "PrivateTmp", "DynamicUser", "RestrictNamespaces"):
        assert set_to[name] == "yes", name
