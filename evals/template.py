"""`cewen eval init`: a small evaluation of one's own that runs as it stands, to be replaced bit by bit."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from evals.outputs import write_text
from rag.errors import ConfigError

FILES = ("documents/library.txt", "questions.jsonl", "gates.toml")


def write_template(folder: Path) -> list[Path]:
    """Write the template.

    Returns:
        The files written.

    Raises:
        ConfigError: If one of them is there already, or cannot be written.
    """
    present = [name for name in FILES if (folder / name).exists()]
    if present:
        raise ConfigError(f"{str(folder)!r} 里已有 {'、'.join(present)}，不覆盖。请换一个文件夹。")
    ours = files("evals") / "starter"
    return [write_text(folder / name, (ours / name).read_text(encoding="utf-8")) for name in FILES]
