"""Well-known places: what they are, and how seldom a question that can be answered names one in vain."""

from __future__ import annotations

import re
from pathlib import Path

import rag.confidence.judge
from evals.schema import load_questions
from rag.corpus import build_corpus, read_folder
from rag.text.folding import fold
from rag.text.places import PLACES, places_in

PROJECT = Path(__file__).parent.parent
CORPORA = PROJECT / "evals" / "fit" / "corpora"
DEV = PROJECT / "evals" / "questions" / "dev.jsonl"


def test_names_are_found_in_any_script() -> None:
    assert places_in("廣州的茶") == ("广州",)
    assert places_in("茶园") == ()
    assert list(PLACES) == sorted(PLACES, key=lambda name: (-len(name), name))
    assert all(fold(name) == name for name in PLACES)


def named_in_vain(documents: Path, questions: Path) -> list[tuple[bool, bool]]:
    """For each question whether it is answerable, and whether it names a place that no document has."""
    corpus = build_corpus(read_folder(documents), chunk_max_chars=200)
    text = fold("\n".join(source.text for source in corpus.sources))
    (file,) = load_questions([questions])
    return [
        (asked.answerable, any(place not in text for place in places_in(asked.question)))
        for asked in file.questions
    ]


def test_the_figures_beside_the_rule_are_what_the_corpora_give() -> None:
    rows = [
        row
        for folder in sorted(path for path in CORPORA.iterdir() if path.is_dir())
        for row in named_in_vain(folder / "documents", folder / "questions.jsonl")
    ] + named_in_vain(PROJECT / "seeds", DEV)
    found = [
        sum(answerable and in_vain for answerable, in_vain in rows),
        sum(answerable for answerable, _ in rows),
        sum(not answerable and in_vain for answerable, in_vain in rows),
        sum(not answerable for answerable, _ in rows),
    ]
    source = Path(rag.confidence.judge.__file__).read_text("utf-8")
    said = re.search(r"names\. (\d+) of ([\d,]+) answerable.*?(\d+) of ([\d,]+) others", source, re.DOTALL)
    assert said is not None
    assert [int(number.replace(",", "")) for number in said.groups()] == found
