"""Questions that a person has labelled as answered by a collection or not, read from a file.

The format is that of the evaluation (`evals/question_line.py`): one JSON object a line, blank lines and lines
that start with "//" skipped. Only what calibrating needs is read, so that files with more in them will do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import CewenError, InputError
from rag.inputs import check_question, excerpt
from rag.records import Source, Turn

MOST_QUESTIONS = 2_000
_MOST_BYTES = 32 * 1024 * 1024
_MOST_TURNS = 20
_MOST_FAULTS = 20
_UNANSWERABLE = "unanswerable"
_ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """One line.

    Attributes:
        line: Its number in the file, from 1.
        question: As typed.
        history: The conversation before it.
        answerable: Whether the collection answers it.
        evidence: Each entry is needed, and lists spans of which any one will do, white space left out.
    """

    line: int
    question: str
    history: tuple[Turn, ...]
    answerable: bool
    evidence: tuple[tuple[str, ...], ...]


def read_labelled(path: Path) -> tuple[LabelledQuestion, ...]:
    """The questions of a file; of those that stand there twice with the same label the first.

    Raises:
        InputError: If the file cannot be read, holds more than `MOST_QUESTIONS`, or lines are wrong or
            contradict each other; the message names them (the first 20).
    """
    faults: list[str] = []
    found: dict[tuple[str, tuple[Turn, ...]], LabelledQuestion] = {}
    for number, line in enumerate(_lines(path), 1):
        if not line.strip() or line.startswith("//"):
            continue
        try:
            read = _labelled(number, line)
        except CewenError as error:
            faults.append(f"第 {number} 行：{error.message}")
            continue
        first = found.setdefault((read.question, read.history), read)
        if first.answerable != read.answerable:
            faults.append(f"第 {number} 行：与第 {first.line} 行同一个问题，答案有无却不同")
    _refuse(path, faults)
    if len(found) > MOST_QUESTIONS:
        raise InputError(f"{path.name} 里有 {len(found)} 题，最多 {MOST_QUESTIONS} 题。请减少一些再试。")
    return tuple(found.values())


def check_evidence(path: Path, questions: Iterable[LabelledQuestion], sources: Iterable[Source]) -> None:
    """See whether what answerable questions stand on is in these texts.

    Raises:
        InputError: If not; it is then the wrong collection, or a label that does not hold for this one.
    """
    texts = ["".join(source.text.split()) for source in sources]
    faults = [
        f"第 {one.line} 行：这个文库里找不到依据{excerpt(spans[0])}"
        for one in questions
        for spans in one.evidence
        if not any(span in text for span in spans for text in texts)
    ]
    _refuse(path, faults)


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path.name} 超过 {_MOST_BYTES // 1024**2} MB。题目文件请拆小一些。")
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(f"题目文件 {path.name} 读不出来：{error.strerror}。请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise InputError(f"题目文件 {path.name} 不是 UTF-8。请转成 UTF-8 再试。") from error


def _labelled(number: int, line: str) -> LabelledQuestion:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("不是 JSON") from error
    if not isinstance(row, dict):
        raise InputError("应是一个 JSON 对象")
    kind, question = row.get("type"), row.get("question")
    if not isinstance(kind, str) or not kind:
        raise InputError('缺少 type：文库没有答案的写 "unanswerable"，有答案的写题型')
    if not isinstance(question, str):
        raise InputError("缺少 question")
    evidence = tuple(map(_spans, _listed(row, "evidence")))
    if (kind == _UNANSWERABLE) == bool(evidence):
        raise InputError("unanswerable 的题不能有 evidence，其他题要有 evidence（原文里的依据，去掉空白）")
    history = tuple(map(_turn, _listed(row, "history")))[-_MOST_TURNS:]
    return LabelledQuestion(number, check_question(question), history, kind != _UNANSWERABLE, evidence)


def _listed(row: dict[str, Any], name: str) -> Sequence[Any]:
    value = row.get(name, [])
    if not isinstance(value, list):
        raise InputError(f"{name} 应是列表")
    return value


def _spans(value: Any) -> tuple[str, ...]:
    spans = value if isinstance(value, list) else []
    if not spans or not all(isinstance(span, str) and span.strip() for span in spans):
        raise InputError("evidence 的每一项应是列表，列出可以互换的原文")
    return tuple("".join(span.split()) for span in spans)


def _turn(value: Any) -> Turn:
    role, content = (value.get("role"), value.get("content")) if isinstance(value, dict) else (None, None)
    if role not in _ROLES or not isinstance(content, str):
        raise InputError('history 的每一项应是 {"role": "user" 或 "assistant", "content": 文字}')
    return Turn(role, content)


def _refuse(path: Path, faults: Sequence[str]) -> None:
    if faults:
        more = f"（另有 {len(faults) - _MOST_FAULTS} 处）" if len(faults) > _MOST_FAULTS else ""
        shown = "\n  ".join(faults[:_MOST_FAULTS])
        raise InputError(f"{path.name} 有误，请改正后再试：\n  {shown}{more}")
