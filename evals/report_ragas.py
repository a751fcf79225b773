"""An export for RAGAS: one `SingleTurnSample` a line, in its field names.

Only answerable questions that were answered: RAGAS's measures are undefined for the others. The contexts
retrieved are the quotations that the answer cites.
"""

from __future__ import annotations

import json

from evals.report import Report


def ragas_jsonl(report: Report) -> str:
    """The export as JSONL."""
    return "".join(
        json.dumps(
            {
                "user_input": row.resolved_question,
                "response": row.answer,
                "retrieved_contexts": [citation.quote for citation in row.citations],
                "reference": row.reference,
                "reference_contexts": [piece.spans[0] for piece in row.expected],
            },
            ensure_ascii=False,
        )
        + "\n"
        for row in report.results
        if row.answerable and row.status == "answered"
    )
