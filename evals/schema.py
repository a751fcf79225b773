"""The question file: one JSON object a line, read, checked and turned into records.

`questions.schema.json` is this model, written out for other tools; a test keeps the two equal. Gold
evidence is text of the source with all white space removed, never a chunk id, so re-chunking cannot
invalidate it. Finding the spans in the sources is `evals.locate`'s business.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator
from pydantic.config import JsonDict, JsonValue

from rag.errors import ConfigError
from rag.records import Turn

QuestionType = Literal[
    "number",
    "name",
    "list",
    "definition",
    "how",
    "why",
    "comparison",
    "authorship",
    "followup",
    "unanswerable",
]
TYPES: tuple[QuestionType, ...] = get_args(QuestionType)

_Word = Annotated[str, StringConstraints(pattern=r"^[^\s,:/]+$", max_length=64)]
_Solid = Annotated[str, StringConstraints(pattern=r"^\S+$")]
_Filled = Annotated[str, StringConstraints(min_length=1)]
_MOST_FAULTS = 20


def _rule(kind: str, then: JsonDict, otherwise: JsonDict | None = None) -> JsonDict:
    rule: JsonDict = {"if": {"properties": {"type": {"const": kind}}}, "then": then}
    return rule if otherwise is None else {**rule, "else": otherwise}


def _items(names: Sequence[str], limit: str, count: int) -> JsonDict:
    return {"properties": {name: {limit: count} for name in names}}


# What `QuestionLine._consistent` checks, for tools that read the JSON schema instead.
_JUDGED = ("evidence", "key_facts")
_RULES: list[JsonValue] = [
    _rule("unanswerable", _items(_JUDGED, "maxItems", 0), _items(_JUDGED, "minItems", 1)),
    _rule("followup", {**_items(["history"], "minItems", 1), "required": ["history"]}),
]


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


class HistoryTurn(BaseModel):
    """One message of the conversation before the question."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["user", "assistant"]
    content: _Filled


class QuestionLine(BaseModel):
    """One line of a question file."""

    model_config = ConfigDict(
        extra="forbid", strict=True, title="Cewen evaluation question", json_schema_extra={"allOf": _RULES}
    )

    id: _Word = Field(description="Unique name without spaces, commas, colons or slashes")
    question: _Filled = Field(description="What is asked, as a person would type it", max_length=2000)
    type: QuestionType = Field(description="What is asked for; `unanswerable` if the corpus does not say")
    slices: list[_Word] = Field(
        default=[],
        description="Tags, each once; results are also reported for each",
        json_schema_extra={"uniqueItems": True},
    )
    history: list[HistoryTurn] = Field(default=[], max_length=20, description="The conversation before it")
    evidence: list[Annotated[list[_Solid], Field(min_length=1)]] = Field(
        description="Needed spans, each a list of alternatives: source text with all white space removed"
    )
    key_facts: list[Annotated[list[_Filled], Field(min_length=1)]] = Field(
        description="Facts the answer must name, each a list of accepted spellings"
    )
    reference: str = Field(default="", description="An answer a person would accept")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.type == "unanswerable" and (self.evidence or self.key_facts):
            raise ValueError("unanswerable 的题不能有 evidence 或 key_facts")
        if self.type != "unanswerable" and not (self.evidence and self.key_facts):
            raise ValueError("可回答的题要有 evidence 和 key_facts，各至少一项")
        if self.type == "followup" and not self.history:
            raise ValueError("followup 的题要有 history")
        if len(set(self.slices)) != len(self.slices):
            raise ValueError("slices 里有重复")
        return self


def schema_json() -> str:
    """The JSON schema of a line: the content of `questions.schema.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **QuestionLine.model_json_schema()}
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


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
    )
