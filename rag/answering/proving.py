"""What a generator's sentence stands on.

The tests, in this order; the first that holds decides:

1. the sentence stands word for word in a passage it cites: "exact";
2. it does so but for width, script, case and punctuation: "normalised";
3. the passages it cites support it as a paraphrase: "supported", on one to three verbatim sentences;
4. it cites the wrong passage or none, and exactly one place among all passages holds it in the best of these
   ways: it is repaired. Where two places would do nobody can say which was meant, and where a cited
   passage says the opposite no other one is asked.

No threshold is ever lowered to find a proof.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from rag.answering.locating import Located, Territory
from rag.answering.support import Unsupported, support
from rag.corpus import Corpus
from rag.records import Block, Document, Match, Passage, Sentence


@dataclass(frozen=True, slots=True)
class Proof:
    """What a sentence stands on: verbatim stretches, or typed blocks."""

    match: Match
    stretches: tuple[Sentence, ...] = ()
    blocks: tuple[tuple[Document, Block], ...] = ()

    @property
    def places(self) -> tuple[tuple[str, int, int], ...]:
        """Where it stands, to tell two proofs apart."""
        spans = [(stretch.document_id, stretch.span) for stretch in self.stretches]
        spans += [(document.document_id, block.span) for document, block in self.blocks]
        return tuple((name, span.start_char, span.end_char) for name, span in spans)


class Prover:
    """Finds proofs among the passages of one answer.

    Args:
        passages: The passages that the generator was given, by number from 1.
        corpus: The rows that they belong to.
    """

    def __init__(self, passages: Sequence[Passage], corpus: Corpus) -> None:
        self._passages = passages
        self._corpus = corpus
        self._territories: dict[int, Territory] = {}

    def _territory(self, number: int) -> Territory:
        if number not in self._territories:
            self._territories[number] = Territory(self._passages[number - 1], self._corpus)
        return self._territories[number]

    def prove(self, text: str, numbers: Sequence[int]) -> Proof | Unsupported:
        """The best proof that these passages give together."""
        if not numbers:
            return Unsupported("没有注明段落编号")
        for located in (*self._located(text, numbers, "exact"), *self._located(text, numbers, "normalised")):
            return Proof(located.match, (located.sentence,))
        rows: dict[int, Sentence] = {}
        for number in numbers:
            rows.update((row.ordinal, row) for row in self._territory(number).sentences)
        documents = {
            self._passages[n - 1].document.document_id: self._passages[n - 1].document for n in numbers
        }
        found = support(text, list(rows.values()), list(documents.values()))
        return found if isinstance(found, Unsupported) else Proof("supported", found.sentences, found.blocks)

    def _located(
        self, text: str, numbers: Iterable[int], match: Literal["exact", "normalised"]
    ) -> Iterable[Located]:
        for number in numbers:
            territory = self._territory(number)
            found = territory.locate_exact(text) if match == "exact" else territory.locate_normalised(text)
            if found is not None:
                yield found

    def repair(self, text: str, cited: Sequence[int]) -> Proof | Unsupported:
        """The one place of all passages that proves a sentence which names the wrong ones or none."""
        everyone = range(1, len(self._passages) + 1)
        for match in ("exact", "normalised"):
            proofs = [Proof(f.match, (f.sentence,)) for f in self._located(text, everyone, match)]
            if proofs:
                return _only(proofs)
        tried = [self.prove(text, [number]) for number in everyone if number not in cited]
        # An attribution says whose the next sentence is: with the wrong mark it may well be false.
        proofs = [proof for proof in tried if isinstance(proof, Proof) and not proof.blocks]
        if proofs:
            return _only(proofs)
        refused = [proof for proof in tried if isinstance(proof, Unsupported)]
        best = min(refused, key=lambda r: r.why.startswith("“"), default=None)
        return best or Unsupported("没有段落支持这句话")


def _only(proofs: Sequence[Proof]) -> Proof | Unsupported:
    """The proof, if all stand at the same place (territories overlap where a sentence crosses chunks)."""
    if len({proof.places for proof in proofs}) == 1:
        return proofs[0]
    return Unsupported("有不止一处支持这句话，但没有注明是哪一处")
