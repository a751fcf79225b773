"""A tiny invented corpus, five questions about it, and a service that a person can compute.

The service knows the corpus as six sentences. A sentence's score is the share of the question's different
characters that stand in it. Searching ranks all sentences so; asking answers with the best one if its
score is at least the threshold. White space in the corpus falls inside words, as in a printed column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.schema import Question
from evals.service import Cited, DocumentView, Hit, PassageView, Reply, Said, Service, Subject
from evals.sources import SourceText, squeeze
from rag.records import Turn

TEXT = """灯塔小报

望海角灯塔建于一九零七年，塔高三
十二米。守塔人每天傍晚点灯，清晨熄灯。

清明前三天采的茶叫明前茶。一斤鲜叶
只能制二两干茶。
渡口的船每天开 31 班，票价 2.5 元。雾大就停航。
"""
SOURCE = SourceText.of("page.txt", TEXT)
DOCUMENT = f"{SOURCE.sha256[:12]}-1"
THRESHOLD = 0.5


@dataclass(frozen=True)
class Row:
    """A sentence: its offsets and its text without white space."""

    start: int
    end: int
    text: str


def _rows() -> tuple[Row, ...]:
    rows: list[Row] = []
    start = TEXT.index("望")
    while "。" in TEXT[start:]:
        end = TEXT.index("。", start) + 1
        rows.append(Row(start, end, squeeze(TEXT[start:end])))
        start = next((at for at in range(end, len(TEXT)) if not TEXT[at].isspace()), len(TEXT))
    return tuple(rows)


ROWS = _rows()


class FakeService:
    """See the module. `asked` keeps the questions in the order they came."""

    def __init__(self, threshold: float = THRESHOLD, rows: Sequence[Row] = ROWS) -> None:
        self._threshold = threshold
        self._rows = rows
        self.asked: list[str] = []

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        self.asked.append(question)
        resolved = "".join([*(turn.content for turn in history if turn.role == "user"), question])
        hits = self.search(resolved, 3)
        best = hits[0]
        answered = best.score >= self._threshold
        citation = Cited(
            1,
            best.document_id,
            1,
            best.start_char,
            best.end_char,
            best.start_line,
            best.end_line,
            best.text,
            SOURCE.sha256,
            "exact",
            f"/documents/{best.document_id}#L{best.start_line}-L{best.end_line}",
            best.score,
        )
        return Reply(
            status="answered" if answered else "abstained",
            answer=f"{best.text}[1]" if answered else "没有说。",
            reason=None if answered else "not_stated",
            confidence=best.score,
            sentences=(Said(best.text, (1,), "exact"),) if answered else (),
            citations=(citation,) if answered else (),
            related=() if answered else hits,
            resolved_question=resolved,
            fingerprint="fake-1",
            raw={"shared": best.score},
            timings_ms={"total": 1.0},
        )

    def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
        wanted = set(query)
        scored = [(len(wanted & set(row.text)) / len(wanted), row) for row in self._rows]
        ordered = sorted(scored, key=lambda pair: (-pair[0], pair[1].start))[:top_k]
        return tuple(_hit(rank, score, row) for rank, (score, row) in enumerate(ordered, 1))


def _hit(rank: int, score: float, row: Row) -> Hit:
    lines = SOURCE.line_of(row.start), SOURCE.line_of(row.end - 1)
    return Hit(
        rank, score, DOCUMENT, f"{DOCUMENT}:{row.start}-{row.end}", row.text, row.start, row.end, *lines
    )


def subject(service: Service | None = None) -> Subject:
    paragraph = PassageView(1, ROWS[0].start, ROWS[-1].end, squeeze(TEXT[ROWS[0].start : ROWS[-1].end]))
    documents = (DocumentView(DOCUMENT, "灯塔小报", SOURCE.sha256, (paragraph,)),)
    return Subject(service or FakeService(), (SOURCE,), documents, {"fingerprint": "fake-1"})


def question(
    name: str = "q-1",
    text: str = "守塔人傍晚",
    kind: str = "name",
    evidence: Sequence[Sequence[str]] = (("守塔人每天傍晚点灯",),),
    facts: Sequence[Sequence[str]] = (("点灯",),),
    slices: Sequence[str] = (),
    history: Sequence[Turn] = (),
    split: str = "dev",
    line: int = 1,
) -> Question:
    gold = kind != "unanswerable"
    return Question(
        name,
        text,
        kind,  # type: ignore[arg-type]
        tuple(slices),
        tuple(history),
        tuple(tuple(spans) for spans in evidence) if gold else (),
        tuple(tuple(fact) for fact in facts) if gold else (),
        "参考",
        split,
        line,
    )


QUESTIONS = (
    question("q-1", "守塔人傍晚", slices=["short"]),
    question(
        "q-2",
        "灯塔高多少米",
        "number",
        [["塔高三十二米"]],
        [["三十二米", "32米"]],
        ["number"],
    ),
    question("q-3", "雾大停航", "why", [["雾大就停航"]], [["停航"]], ["short"]),
    question("q-4", "火车几点发车到站", "unanswerable", slices=["off-topic"]),
    question("q-5", "鲜叶只能制", "number", [["只能制二两干茶"]], [["三两"]], ["number"]),
)

FILE = """{"id": "q-1", "question": "守塔人傍晚", "type": "name", "slices": ["short"], "history": [], "evidence": [["守塔人每天傍晚点灯"]], "key_facts": [["点灯"]], "reference": "点灯。"}
// a remark

{"id": "q-4", "question": "火车几点发车", "type": "unanswerable", "evidence": [], "key_facts": []}
"""  # noqa: E501


def written(folder: Path, text: str = FILE, name: str = "dev.jsonl") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path
