"""TREC run and qrels: `qid Q0 docid rank score tag` and `qid 0 docid rel`.

The unit judged is the needed piece of evidence, named `{qid}/e{number from 1}`, so the qrels do not change
when the corpus is chunked anew. In the run a hit stands for the pieces that no hit before it held, or for
its chunk id where it holds none (`evals.measures.retrieval.items_of`); trec_eval's `recip_rank` and
`ndcg_cut_10` on these files are our RR@10 and nDCG@10. Scores fall by rank, because trec_eval sorts by
score and breaks ties by name.
"""

from __future__ import annotations

from evals.measures.retrieval import items_of
from evals.report import Report
from evals.result import Result

_TAG = "cewen"


def trec_qrels(report: Report) -> str:
    """One line for each needed piece of each answerable question."""
    return "".join(
        f"{row.question_id} 0 {_piece(row, number)} 1\n"
        for row in report.results
        for number in range(len(row.expected))
    )


def trec_run(report: Report) -> str:
    """The first ten hits of each answerable question, in rank order."""
    lines: list[str] = []
    for row in report.results:
        names = _items(row) if row.answerable else []
        lines += [
            f"{row.question_id} Q0 {name} {rank} {1 / rank:.6f} {_TAG}\n"
            for rank, name in enumerate(names, 1)
        ]
    return "".join(lines)


def _items(row: Result) -> list[str]:
    """The ranking with pieces by name; a hit that holds none is its chunk."""
    empty = iter(_chunk_names(row))
    items = items_of([frozenset(hit.holds) for hit in row.hits])
    return [next(empty) if item is None else _piece(row, item) for item in items]


def _chunk_names(row: Result) -> list[str]:
    """Chunk ids of the hits that `items_of` makes an item without a piece of."""
    seen: set[int] = set()
    names: list[str] = []
    for hit in row.hits:
        if not set(hit.holds) - seen:
            names.append(hit.chunk_id)
        seen.update(hit.holds)
    return names


def _piece(row: Result, number: int) -> str:
    return f"{row.question_id}/e{number + 1}"
