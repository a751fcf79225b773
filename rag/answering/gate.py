"""The one gate for every generator: sentences with marks go in, sentences with checked citations come out.

`rag.answering.proving` says what a sentence stands on. Here that becomes citations, each a verbatim stretch
of the source that `rag.answering.citations` has checked, and a verdict. Sentences come one by one, so what
passes can be streamed; nothing that was admitted is taken back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from rag.answering.citations import SourceLinks, cite_block, cite_sentence
from rag.answering.marks import MarkedSentence
from rag.answering.proving import Proof, Prover
from rag.answering.support import Unsupported
from rag.corpus import Corpus
from rag.errors import CitationError
from rag.records import AnswerSentence, Citation, Match, Passage, SourceSpan
from rag.text.folding import fold, squeeze

_DROPPED = ("rejected", "repeated")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one sentence of a generator.

    Attributes:
        text: The sentence as it was written.
        verdict: The test it passed; "rejected", or "repeated" if it was admitted before.
        marks: The passage numbers it named, those out of bounds among them.
        repaired: Whether another passage than those it named proves it.
        why: For a rejected one what is missing; for an admitted one what was ignored; may be empty.
    """

    text: str
    verdict: Literal["exact", "normalised", "supported", "rejected", "repeated"]
    marks: tuple[int, ...] = ()
    repaired: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Admitted:
    """A sentence that passed.

    Attributes:
        sentence: The sentence with the numbers of its citations.
        citations: Those of them that are new with it.
        starts_line: Whether it began a line.
    """

    sentence: AnswerSentence
    citations: tuple[Citation, ...]
    starts_line: bool


@dataclass(frozen=True)
class Checked:
    """What passed the gate.

    Attributes:
        sentences: Sentences with the numbers of their citations.
        citations: Numbered from 1 in order of use.
        verdicts: One for each sentence that came, in order.
        layout: For each of `sentences` whether it began a line.
    """

    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    verdicts: tuple[Verdict, ...] = ()
    layout: tuple[bool, ...] = ()

    @property
    def dropped(self) -> dict[str, int]:
        """How many sentences did not pass, by verdict."""
        return dict(Counter(each.verdict for each in self.verdicts if each.verdict in _DROPPED))


class Gate:
    """Checks the sentences of one answer one by one, as they come.

    Args:
        passages: The passages that the generator was given, by number from 1.
        corpus: The rows that they belong to.
        links: Lead to their documents.
    """

    def __init__(self, passages: Sequence[Passage], corpus: Corpus, *, links: SourceLinks) -> None:
        self._passages = passages
        self._corpus = corpus
        self._links = links
        self._prover = Prover(passages, corpus)
        self._said: set[str] = set()
        self._stood: set[tuple[tuple[str, int, int], ...]] = set()
        self._numbers: dict[tuple[str, int, int], int] = {}
        self._layout: list[bool] = []
        self.sentences: list[AnswerSentence] = []
        self.citations: list[Citation] = []
        self.verdicts: list[Verdict] = []

    def check(self, sentence: MarkedSentence) -> Admitted | None:
        """Check the next sentence and keep it if it passes; its verdict is kept in any case."""
        cited = [number for number in sentence.numbers if 1 <= number <= len(self._passages)]
        outside = [number for number in sentence.numbers if number not in cited]
        note = f"编号 {'、'.join(map(str, outside[:3]))} 不存在，已忽略" if outside else ""
        key = squeeze(fold(sentence.text)).rstrip("。.!?;,")
        if key in self._said:
            self._refuse(sentence, "repeated", "与前面的句子重复")
            return None
        found, repaired = self._prover.prove(sentence.text, cited), False
        if isinstance(found, Unsupported):
            other = found if found.contradicted else self._prover.repair(sentence.text, cited)
            repaired = isinstance(other, Proof)
            if isinstance(other, Proof) or not cited or other.why.startswith("有"):
                found = other
        if isinstance(found, Unsupported):
            self._refuse(sentence, "rejected", found.why)
            return None
        if found.match != "supported" and found.places in self._stood:
            self._refuse(sentence, "repeated", "与前面的句子重复")
            return None
        try:
            admitted = self._admit(sentence, found)
        except CitationError as error:
            self._refuse(sentence, "rejected", error.message)
            return None
        self._said.add(key)
        self._stood.add(found.places)
        self.verdicts.append(Verdict(sentence.text, found.match, sentence.numbers, repaired, note))
        return admitted

    def checked(self) -> Checked:
        """All that passed so far, and every verdict."""
        return Checked(
            tuple(self.sentences), tuple(self.citations), tuple(self.verdicts), tuple(self._layout)
        )

    def _refuse(self, sentence: MarkedSentence, verdict: Literal["rejected", "repeated"], why: str) -> None:
        self.verdicts.append(Verdict(sentence.text, verdict, sentence.numbers, False, why))

    def _admit(self, sentence: MarkedSentence, proof: Proof) -> Admitted:
        """Cite a proof and keep the sentence.

        Raises:
            CitationError: If the source does not hold what is to be cited; nothing is kept then.
        """
        fresh: list[Citation] = []
        numbers: list[int] = []
        for made in self._citations(proof, len(self.citations) + 1):
            place = (made.document_id, made.start_char, made.end_char)
            number = self._numbers.get(place, len(self.citations) + len(fresh) + 1)
            numbers.append(number)
            if place not in self._numbers:
                fresh.append(replace(made, number=number))
        for citation in fresh:
            self._numbers[(citation.document_id, citation.start_char, citation.end_char)] = citation.number
        text = proof.stretches[0].text if proof.match == "exact" else sentence.text
        answer = AnswerSentence(text, tuple(dict.fromkeys(numbers)), proof.match)
        self.citations.extend(fresh)
        self.sentences.append(answer)
        self._layout.append(sentence.starts_line)
        return Admitted(answer, tuple(fresh), sentence.starts_line)

    def _citations(self, proof: Proof, number: int) -> Iterable[Citation]:
        """Checked citations of a proof; their numbers are provisional.

        Raises:
            CitationError: If the source does not hold it.
        """
        match: Match = "normalised" if proof.match == "normalised" else "exact"
        for stretch in proof.stretches:
            document = self._corpus.document_by_id[stretch.document_id]
            score = self._score(stretch.document_id, stretch.span)
            yield cite_sentence(number, stretch, document, score=score, links=self._links, match=match)
        for document, block in proof.blocks:
            score = self._score(document.document_id, block.span)
            yield cite_block(number, block, document, score=score, links=self._links)

    def _score(self, document_id: str, span: SourceSpan) -> float:
        """Relevance of the passage that holds the first character, else of the document's best passage."""
        of_document = [p for p in self._passages if p.document.document_id == document_id]
        for passage in of_document:
            held = passage.chunk.span
            if held.start_char <= span.start_char < held.end_char:
                return passage.score
        return max((passage.score for passage in of_document), default=0.0)
