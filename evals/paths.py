"""Where things lie: the project's own question set, the gate beside it, and what a caller names instead."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ConfigError
from rag.settings import Settings

_HERE = Path(__file__).resolve().parent
QUESTIONS = _HERE / "questions"
GATES = _HERE / "gates.toml"


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """Question files and the gate that belongs to them.

    Attributes:
        files: In the order to ask.
        gates: The gate's configuration; may be missing where no gate is asked for.
    """

    files: tuple[Path, ...]
    gates: Path


def question_set(questions: Path | None, gates: Path | None) -> QuestionSet:
    """The project's own set, or a caller's file or folder with the `gates.toml` beside it.

    Raises:
        ConfigError: If there is no such file, or no question file in the folder.
    """
    if questions is None:
        return QuestionSet(tuple(sorted(QUESTIONS.glob("*.jsonl"))), gates or GATES)
    if questions.is_dir():
        found = tuple(sorted(questions.glob("*.jsonl")))
        if not found:
            raise ConfigError(f"文件夹 {str(questions)!r} 里没有 .jsonl 题目文件。")
        return QuestionSet(found, gates or questions / "gates.toml")
    if not questions.is_file():
        raise ConfigError(f"没有题目文件 {str(questions)!r}。用 cewen eval init 目录 可以写一份样板。")
    return QuestionSet((questions,), gates or questions.parent / "gates.toml")


def settings_for(settings: Settings, seeds: Path | None) -> Settings:
    """The settings for judging a folder of texts and nothing else: what has been uploaded is not part of it.

    Store and index lie apart, those of another folder than the settings' in the cache.

    Raises:
        ConfigError: If the folder does not exist.
    """
    if seeds is None:
        apart = {"index_dir": settings.index_dir / "eval", "store_dir": settings.index_dir / "eval" / "store"}
        return settings.model_copy(update=apart)
    if not seeds.is_dir():
        raise ConfigError(f"没有语料文件夹 {str(seeds)!r}。请检查 --seeds。")
    name = hashlib.sha256(str(seeds.resolve()).encode()).hexdigest()[:12]
    folder = settings.cache_dir / "eval-index" / name
    apart = {"seeds_dir": seeds, "index_dir": folder, "store_dir": folder / "store"}
    return settings.model_copy(update=apart)
