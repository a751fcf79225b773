"""Places and years that a question names and a corpus never does.

What a corpus says of another place or another year does not answer it, however alike the rest of the question
is, so these are verdicts, not evidence for the fitted model. All that may stand for the year counts as naming
it (`rag.text.years`): a missed one costs little, a false one a right answer.
"""

from __future__ import annotations

from collections.abc import Mapping

from rag.confidence.wording import knows
from rag.names import DocumentNames
from rag.question import Question
from rag.ranking.arms import LexicalArm
from rag.retrieval import Retrieved
from rag.text.folding import fold
from rag.text.places import places_in
from rag.text.years import prints_year, speaks_of_year, years_asked

_NEAR = 4
"""How many of the best passages may say it by "since" or "until", which reach over very many years."""


def foreign_places(
    question: Question, arm: LexicalArm, names: Mapping[str, DocumentNames]
) -> tuple[str, ...]:
    """The well-known places that a question names and neither terms nor labels have, longest first."""
    return tuple(
        place for place in places_in(question.text) if not knows(arm, place) and not is_label(place, names)
    )


def foreign_years(
    question: Question, found: Retrieved, arm: LexicalArm, names: Mapping[str, DocumentNames]
) -> tuple[str, ...]:
    """The years that a question names and neither terms, labels nor what was found have, as "2021年".

    Args:
        question: As asked.
        found: What was found for it. Spans and decades count where they stand in its passages, and so does
            what is printed beside the documents on the same page, which is not searched: the page's date.
        arm: The corpus's terms.
        names: What each document is called, and its date.
    """
    return tuple(
        f"{year}年"
        for year in years_asked(question.folded)
        if not knows(arm, year)
        and not any(_is_called(known, year) for known in names.values())
        and not _is_found(found, year)
    )


def _is_called(known: DocumentNames, year: str) -> bool:
    return known.date.startswith(year) or speaks_of_year(known.labels, year, open_too=False)


def _is_found(found: Retrieved, year: str) -> bool:
    sources = {passage.document.source.source_id: passage.document.source for passage in found.passages}
    return any(prints_year(source.text, year) for source in sources.values()) or any(
        speaks_of_year(fold(passage.chunk.text), year, open_too=place < _NEAR)
        for place, passage in enumerate(found.passages)
    )


def is_label(word: str, names: Mapping[str, DocumentNames]) -> bool:
    """Whether a folded word stands in what some document is called."""
    return any(word in known.labels for known in names.values())
