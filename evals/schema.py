"""The question file: one JSON object a line, read, checked and turned into records.

Gold evidence is text of the source with all white space removed, never a chunk id, so re-chunking cannot
invalidate it. Finding the spans in the sources is `evals.locate`'s business, the form of a line is
`evals.question_line`'s.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from evals.question_line import QuestionLine, QuestionType
from rag.errors import ConfigError
from rag.records import Turn

_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Question:
    """One judged question.

    Attributes:
        question_id: Unique over all files read together.
        question: As a person would type it.
        type: What is asked for.
        slices: Tags by which results are also grouped.
        history: The conversation before it, oldest first.
        evidence: Every entry is needed; each lists spans of which any one will do. Empty: unanswerable.
        key_facts: Every entry must be in the answer, in any of its spellings. Empty: unanswerable.
        reference: An answer a person would accept.
        split: Name of the file it came from, without suffix.
        line: Its line there, from 1.
        standalone: A follow-up as one would ask it without the conversation, or "".
    """

    question_id: str
    question: str
    type: QuestionType
    slices: tuple[str, ...]
    history: tuple[Turn, ...]
    evidence: tuple[tuple[str, ...], ...]
    key_facts: tuple[tuple[str, ...], ...]
    reference: str
    split: str
    line: int
    standalone: str = ""

    @property
    def answerable(self) -> bool:
        """Whether the corpus answers it."""
        return self.type != "unanswerable"


@dataclass(frozen=True, slots=True)
class QuestionFile:
    """The questions of one file and the checksum of its bytes."""

    split: str
    sha256: str
    questions: tuple[Question, ...]


def load_questions(paths: Sequence[Path]) -> tuple[QuestionFile, ...]:
    """Read question files.

    Args:
        paths: Files in JSONL; blank lines and lines that start with "//" are skipped.

    Raises:
        ConfigError: If a file cannot be read, holds no question, or lines are wrong; the message names
            each faulty line (the first 20).
    """
    faults: list[str] = []
    seen: dict[str, str] = {}
    files = tuple(_load(path, faults, seen) for path in paths)
    if faults:
        more = f"（另有 {len(faults) - _MOST_FAULTS} 处）" if len(faults) > _MOST_FAULTS else ""
        raise ConfigError("题目文件有误：\n  " + "\n  ".join(faults[:_MOST_FAULTS]) + more)
    return files


def _load(path: Path, faults: list[str], seen: dict[str, str]) -> QuestionFile:
    try:
        data = path.read_bytes()
        lines = data.decode("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"题目文件 {path.name!r} 读不出来：{error}。应为 UTF-8 的 JSONL。") from error
    questions: list[Question] = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("//"):
            continue
        place = f"{path.name} 第 {number} 行"
        try:
            row = QuestionLine.model_validate_json(line)
        except ValidationError as error:
            faults.extend(f"{place}：{_said(fault['loc'], fault['msg'])}" for fault in error.errors())
            continue
        if row.id in seen:
            faults.append(f"{place}：编号 {row.id!r} 已在{seen[row.id]}用过")
        seen[row.id] = place
        questions.append(_question(row, path.stem, number))
    if not questions and not faults:
        raise ConfigError(f"题目文件 {path.name!r} 里没有题目。")
    return QuestionFile(path.stem, hashlib.sha256(data).hexdigest(), tuple(questions))


def _said(location: tuple[int | str, ...], message: str) -> str:
    where = ".".join(str(part) for part in location)
    return f"{where}：{message}" if where else message.removeprefix("Value error, ")


def _question(row: QuestionLine, split: str, line: int) -> Question:
    return Question(
        question_id=row.id,
        question=row.question,
        type=row.type,
        slices=tuple(row.slices),
        history=tuple(Turn(turn.role, turn.content) for turn in row.history),
        evidence=tuple(map(tuple, row.evidence)),
        key_facts=tuple(map(tuple, row.key_facts)),
        reference=row.reference,
        split=split,
        line=line,
        standalone=row.standalone,
    )
