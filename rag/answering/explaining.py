"""What `explain` says: how an answer came about, in plain JSON values. Nothing here decides anything."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rag.answering.drafting import AnswerDraft
from rag.dialogue.resolving import Resolved


def explanation(resolved: Resolved, draft: AnswerDraft, top_k: int) -> dict[str, Any]:
    """Everything that led to an answer, for people who tune or debug."""
    question, judgement = draft.question, draft.judgement
    return {
        "kind": question.kind,
        "metadata": question.metadata,
        "words": list(question.words),
        "resolved_by": resolved.by,
        "rewrite_problem": resolved.problem,
        "unknown_words": list(judgement.wording.unknown),
        "on_topic": judgement.on_topic,
        "features": dict(judgement.features),
        "passages": [
            {"rank": p.rank, "score": p.score, "chunk_id": p.chunk.chunk_id, "raw": dict(p.raw)}
            for p in draft.found.passages[:top_k]
        ],
        "verdicts": [asdict(verdict) for verdict in draft.checked.verdicts],
    }
