"""A BEIR-style export: `corpus.jsonl`, `queries.jsonl` and `qrels/{split}.tsv`.

The corpus is the sources cut at paragraph borders, with what stands between paragraphs (titles, bylines,
notes) as passages of their own, so that every gold span lies in some passage. An id is
`{first 12 of the source's SHA-256}:{start}-{end}`. A passage is relevant if it holds one of a question's
spans (`evals.measures.spans`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evals.locate import Evidence
from evals.measures.spans import holds
from evals.schema import Question
from evals.service import Subject


@dataclass(frozen=True, slots=True)
class BeirPassage:
    """A stretch of a source."""

    source_sha256: str
    start_char: int
    end_char: int
    title: str
    text: str

    @property
    def passage_id(self) -> str:
        """Its name in the export."""
        return f"{self.source_sha256[:12]}:{self.start_char}-{self.end_char}"


def beir_files(questions: Sequence[Question], evidence: Evidence, subject: Subject) -> dict[str, str]:
    """The files of the export, by path."""
    passages = beir_passages(subject)
    files = {
        "corpus.jsonl": _jsonl(
            {"_id": passage.passage_id, "title": passage.title, "text": passage.text} for passage in passages
        ),
        "queries.jsonl": _jsonl({"_id": row.question_id, "text": row.question} for row in questions),
    }
    for split in dict.fromkeys(row.split for row in questions):
        lines = ["query-id\tcorpus-id\tscore"]
        for row in questions:
            if row.split == split:
                places = [place for piece in evidence[row.question_id] for place in piece.places]
                lines += [
                    f"{row.question_id}\t{passage.passage_id}\t1"
                    for passage in passages
                    if any(
                        place.source_sha256 == passage.source_sha256
                        and holds(place.offsets, passage.start_char, passage.end_char)
                        for place in places
                    )
                ]
        files[f"qrels/{split}.tsv"] = "\n".join(lines) + "\n"
    return files


def beir_passages(subject: Subject) -> list[BeirPassage]:
    """Paragraphs and the stretches between them, in source order; together all that is not white space."""
    made: list[BeirPassage] = []
    for source in subject.sources:
        paragraphs = sorted(
            (paragraph.start_char, paragraph.end_char, document.label, paragraph.text)
            for document in subject.documents
            if document.source_sha256 == source.sha256
            for paragraph in document.paragraphs
        )
        at = 0
        for start, end, label, text in [*paragraphs, (len(source.text), len(source.text), "", "")]:
            between = source.text[at:start]
            if between.strip():
                first = at + len(between) - len(between.lstrip())
                last = at + len(between.rstrip())
                made.append(BeirPassage(source.sha256, first, last, "", " ".join(between.split())))
            if text:
                made.append(BeirPassage(source.sha256, start, end, label, text))
            at = max(at, end)
    return made


def _jsonl(rows: Iterable[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
