"""Questions that a person has labelled as answered by a collection or not, from a file or a request.

The format is that of the evaluation (`evals/question_line.py`): one JSON object a question; in a file one a
line, blank lines and lines that start with "//" skipped. Only what calibrating needs is read, so that files
with more in them will do. What is wrong has the code `invalid_questions`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rag.confidence.calibrating import LEAST_EACH
from rag.errors import CewenError, InputError
from rag.inputs import MAX_TURN_CHARS, check_question, excerpt
from rag.records import Source, Turn

MOST_QUESTIONS = 2_000
_MOST_BYTES = 32 * 1024 * 1024
_MOST_TURNS = 20
_MOST_SPANS = 100
"""Of the evidence of a question: each is looked for in every text."""
_MOST_FAULTS = 20
_CODE = "invalid_questions"
_UNANSWERABLE = "unanswerable"
_ROLES = ("user", "assistant")


@dataclass(frozen=True, slots=True)
class Where:
    """Where questions stand, as people are told.

    Attributes:
        name: Of the file, or "questions".
        unit: What their numbers count.
    """

    name: str = "questions"
    unit: str = "题"

    def place(self, number: int) -> str:
        """A place, as people are told."""
        return f"第 {number} {self.unit}"


IN_LIST = Where()
"""Questions of a request."""


@dataclass(frozen=True, slots=True)
class LabelledQuestion:
    """One question.

    Attributes:
        number: Its line in the file, or its place in the list, from 1.
        question: As typed.
        history: The conversation before it.
        answerable: Whether the collection answers it.
        evidence: Each entry is needed, and lists spans of which any one will do, white space left out.
    """

    number: int
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
    rows = ((number, partial(_row, line)) for number, line in enumerate(_lines(path), 1) if _counts(line))
    return _gathered(where_in(path), rows)


def labelled_of(rows: Sequence[Any]) -> tuple[LabelledQuestion, ...]:
    """The same of a list of parsed lines.

    Raises:
        InputError: As for `read_labelled`.
    """
    if len(rows) > MOST_QUESTIONS:
        raise _too_many(IN_LIST, len(rows))
    return _gathered(IN_LIST, ((number, partial(_given, row)) for number, row in enumerate(rows, 1)))


def lines_of(questions: Iterable[LabelledQuestion]) -> list[dict[str, Any]]:
    """Questions as a service takes them, with no more than it reads."""
    return [
        {
            "question": one.question,
            "type": "answerable" if one.answerable else _UNANSWERABLE,
            "evidence": [list(spans) for spans in one.evidence],
            "history": [{"role": turn.role, "content": turn.content} for turn in one.history],
        }
        for one in questions
    ]


def where_in(path: Path) -> Where:
    """Where the questions of a file stand."""
    return Where(path.name, "行")


def check_counts(questions: Sequence[LabelledQuestion], where: Where = IN_LIST, left_out: int = 0) -> None:
    """See whether there are enough of either kind.

    Raises:
        InputError: If not.
    """
    answerable = sum(one.answerable for one in questions)
    counts = {"文库有答案的": answerable, "文库没有答案的": len(questions) - answerable}
    missing = [f"{kind}还差 {LEAST_EACH - n} 题" for kind, n in counts.items() if n < LEAST_EACH]
    if missing:
        why = f"（另有 {left_out} 题由版面信息或规则判定，不能用来标定）" if left_out else ""
        told = "，".join(f"{kind} {n} 题" for kind, n in counts.items())
        raise InputError(
            f"{where.name} 里{told}{why}；两种各要至少 {LEAST_EACH} 题。请补充：{'，'.join(missing)}。",
            code=_CODE,
        )


def check_evidence(
    questions: Iterable[LabelledQuestion], sources: Iterable[Source], where: Where = IN_LIST
) -> None:
    """See whether what answerable questions stand on is in these texts.

    Raises:
        InputError: With code `evidence_not_found` if not; it is then the wrong collection, or a label that
            does not hold for this one.
    """
    texts = ["".join(source.text.split()) for source in sources]
    faults = [
        f"{where.place(one.number)}：这个文库里找不到依据{excerpt(spans[0])}"
        for one in questions
        for spans in one.evidence
        if not any(span in text for span in spans for text in texts)
    ]
    _refuse(where, faults, "evidence_not_found")


def _gathered(where: Where, rows: Iterable[tuple[int, Callable[[], Any]]]) -> tuple[LabelledQuestion, ...]:
    faults: list[str] = []
    found: dict[tuple[str, tuple[Turn, ...]], LabelledQuestion] = {}
    for number, row in rows:
        try:
            read = _labelled(number, row())
        except CewenError as error:
            faults.append(f"{where.place(number)}：{error.message}")
            continue
        first = found.setdefault((read.question, read.history), read)
        if first.answerable != read.answerable:
            faults.append(f"{where.place(number)}：与{where.place(first.number)}同一个问题，答案有无却不同")
    _refuse(where, faults, _CODE)
    if len(found) > MOST_QUESTIONS:
        raise _too_many(where, len(found))
    return tuple(found.values())


def _too_many(where: Where, count: int) -> InputError:
    return InputError(f"{where.name} 里有 {count} 题，最多 {MOST_QUESTIONS} 题。请减少一些再试。", code=_CODE)


def _lines(path: Path) -> list[str]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InputError(f"{path.name} 超过 {_MOST_BYTES // 1024**2} MB。题目文件请拆小一些。")
        return path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise InputError(f"题目文件 {path.name} 读不出来：{error.strerror}。请检查路径和权限。") from error
    except UnicodeDecodeError as error:
        raise InputError(f"题目文件 {path.name} 不是 UTF-8。请转成 UTF-8 再试。") from error


def _counts(line: str) -> bool:
    return bool(line.strip()) and not line.startswith("//")


def _given(row: Any) -> Any:
    return row


def _row(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("不是 JSON") from error


def _labelled(number: int, row: Any) -> LabelledQuestion:
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
    if sum(map(len, evidence)) > _MOST_SPANS:
        raise InputError(f"evidence 里的原文超过 {_MOST_SPANS} 段")
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
    if len(content) > MAX_TURN_CHARS:
        raise InputError(f"history 里有一条超过 {MAX_TURN_CHARS} 个字符")
    return Turn(role, content)


def _refuse(where: Where, faults: Sequence[str], code: str) -> None:
    if faults:
        more = f"（另有 {len(faults) - _MOST_FAULTS} 处）" if len(faults) > _MOST_FAULTS else ""
        shown = "\n  ".join(faults[:_MOST_FAULTS])
        raise InputError(f"{where.name} 有误，请改正后再试：\n  {shown}{more}", code=code)
