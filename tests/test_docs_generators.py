"""The example of a generator in the documentation works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from rag.answering.citations import SourceLinks
from rag.answering.gate import Gate
from rag.answering.generator import GenerationRequest, RankedSentence
from rag.answering.writing import AnswerWriting
from rag.corpus import build_corpus
from rag.question import read_question
from rag.records import Passage
from tests.tea_corpus import tea_sources

PAGE = Path(__file__).parent.parent / "docs" / "generators.md"


@pytest.fixture
def example() -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 -- our own documentation
    return names["FirstSentence"]()


def test_the_example_answers_with_a_checked_citation(example: Any) -> None:
    corpus = build_corpus(tea_sources(), chunk_max_chars=200)
    passages = [
        Passage(rank, 0.5, chunk, corpus.document_by_id[chunk.document_id], "/")
        for rank, chunk in enumerate(corpus.chunks, 1)
    ]
    best = next(s for s in corpus.sentences if s.text.startswith("守灯人"))
    ranked = [RankedSentence(best, 0.9)]
    request = GenerationRequest(read_question("守灯人点灯几次？"), passages, ranked, (), 320)
    writing = AnswerWriting(request, example, None, Gate(passages, corpus, links=SourceLinks()))
    (checked,) = writing.steps()
    assert [sentence.text for sentence in checked.sentences] == [best.text]
    assert checked.citations[0].quote == best.text


def test_the_entry_point_group_is_the_one_that_is_read() -> None:
    from rag.answering.plugins import GROUP

    assert f'[project.entry-points."{GROUP}"]' in PAGE.read_text("utf-8")
