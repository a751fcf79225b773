"""The judge: does the corpus answer this question? One probability, and whether it is enough.

The threshold is not a number of its own but follows from one setting, a rate: of the questions that the
corpus does not answer, what share may be answered all the same. What is set is what was measured on other
corpora; on a corpus whose encoder was never measured the dense evidence is left out, `calibration` says
"none", and half the rate is used. Where a collection was calibrated with questions of its own
(`rag.confidence.correction`), they correct the probability and set the threshold, and it says "collection".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from rag.confidence.correction import Basis, Correction
from rag.confidence.elsewhere import foreign_places, foreign_years, is_label
from rag.confidence.features import (
    READ_PASSAGES,
    dense_features,
    reader_features,
    topic_features,
    word_features,
)
from rag.confidence.model import GROUPS, ConfidenceModels, logistic
from rag.confidence.reader import Reader
from rag.confidence.wording import Wording, is_word, read_wording
from rag.names import DocumentNames
from rag.question import Question
from rag.question_patterns import FRAME_WORDS
from rag.ranking.arms import LexicalArm
from rag.records import Calibration
from rag.retrieval import Retrieved
from rag.text.definitions import asked_term, defines
from rag.text.folding import fold

_CAUTION = 0.5
"""Share of the set rate that is used where nothing was measured for the encoder."""
_ELSEWHERE_CONFIDENCE = 0.05
"""Highest confidence for a question about a place or year that the corpus never names. 0 of 2,036 answerable
questions of the corpora to fit on and of dev name such a place, 9 of 1,728 others; such a year 0 and 4."""

_DEFINED_CONFIDENCE, _DEFINED_RELEVANCE = 0.5, 0.5
"""Lowest confidence where all that is asked for is what a word means and the best sentence, if it is this
relevant, says so by its form. Of the questions of the corpora to fit on, of dev and of test that ask so,
28 of 48 have such a sentence somewhere in their corpus; all 48 are answerable."""

_NO_NAMES: Mapping[str, DocumentNames] = MappingProxyType({})


@dataclass(frozen=True)
class Judgement:
    """What the judge says of one question.

    Attributes:
        confidence: Estimated probability, 0-1, that the corpus answers it.
        answerable: Whether that is enough at the set rate of false answers.
        on_topic: Whether it is about the corpus's subject at all; what names a document is.
        calibration: What the probability was fitted on.
        wording: What the corpus lacks of its words.
        elsewhere: Well-known places, and years, that it names and the corpus never does.
        logits: What the reader said of the first passages, best passage first; empty without a reader.
        absent: Words of the question that neither the text nor any title, byline or heading has, the telling
            ones first; not the words of its frame ("看法", "建议"), which tell nothing.
        logit: What the fitted model says, before any correction and rule; 0 where nothing was searched.
        is_named: Whether it names a document, by author or title.
        features: All features by name, for `explain`.
    """

    confidence: float
    answerable: bool
    on_topic: bool
    calibration: Calibration
    wording: Wording
    features: Mapping[str, float]
    elsewhere: tuple[str, ...] = ()
    logits: tuple[float, ...] = ()
    logit: float = 0.0
    absent: tuple[str, ...] = ()
    is_named: bool = False


class Judge:
    """Judges questions put to one corpus.

    Args:
        arm: The corpus's terms, by chunk.
        models: Fitted models.
        reader: Compares question and passages; None to do without.
        knows_encoder: Whether the background of the encoder in use was measured.
        false_answer_rate: Share, 0-1, of unanswerable questions that may be answered.
        names: What each document is called: titles, bylines and notes are not among the terms.
        correction: What calibrating the collection found; left aside if it was made for another model or
            reader.

    Attributes:
        calibration: What its probabilities were fitted on.
        basis: The fitted model and its threshold at the set rate, before any correction.
    """

    def __init__(
        self,
        arm: LexicalArm,
        models: ConfidenceModels,
        reader: Reader | None,
        *,
        knows_encoder: bool,
        false_answer_rate: float,
        names: Mapping[str, DocumentNames] = _NO_NAMES,
        correction: Correction | None = None,
    ) -> None:
        self._arm = arm
        self._models = models
        self._reader = reader
        self._names = names
        self._knows_encoder = knows_encoder
        revision = reader.revision if reader else None
        self.basis = basis_of(
            models, revision, knows_encoder=knows_encoder, false_answer_rate=false_answer_rate
        )
        self._model = self.basis.model
        self._correction = correction if correction and correction.fits(self.basis) else None
        self.calibration = calibration_of(self.basis, correction, knows_encoder=knows_encoder)
        self._threshold = self.basis.threshold
        if self._correction is not None:
            self._threshold = self._correction.threshold(self.basis)
        self.ever_answers = false_answer_rate > 0
        self.described: dict[str, Any] = {
            "model": self._model.name,
            "reader": revision,
            "false_answer_rate": false_answer_rate,
            "provenance": dict(models.provenance),
        }
        if self._correction is not None:
            self.described["correction"] = self._correction.described

    def judge(self, question: Question, found: Retrieved) -> Judgement:
        """Judge one question by what was found for it; where nothing was, there was nothing to search."""
        if not found.passages:
            return Judgement(0.0, False, False, self.calibration, Wording((), (), (), (), ()), {})
        wording = read_wording(found.question, self._arm)
        parts = [word_features(question, found, wording, self._arm)]
        if self._knows_encoder:
            parts.insert(0, dense_features(found))
        logits = np.zeros(0)
        if self._reader is not None:
            logits = self._reader.read(question.text, found.passages[:READ_PASSAGES])
            parts.append(reader_features(logits))
        features = np.concatenate(parts)
        logit = self._model.logit(features)
        decisive = confidence = logistic(logit)
        if self._correction is not None:
            confidence = self._correction.confidence(logit)
        if _is_defined(found):
            decisive, confidence = (max(each, _DEFINED_CONFIDENCE) for each in (decisive, confidence))
        elsewhere = (
            *foreign_places(question, self._arm, self._names),
            *foreign_years(question, found, self._arm, self._names),
        )
        if elsewhere:
            decisive, confidence = (min(each, _ELSEWHERE_CONFIDENCE) for each in (decisive, confidence))
        named = zip(GROUPS[self._model.name], features.tolist(), strict=True)
        return Judgement(
            confidence,
            decisive >= self._threshold,
            self._on_topic(found, wording),
            self.calibration,
            wording,
            {name: round(value, 4) for name, value in named},
            elsewhere,
            tuple(logits.tolist()),
            logit,
            tuple(dict.fromkeys((*elsewhere, *self._absent(wording)))),
            found.is_named,
        )

    def _absent(self, wording: Wording) -> Iterator[str]:
        for word in (*wording.names, *wording.verbs, *wording.nouns):
            if is_word(word) and word not in FRAME_WORDS and not is_label(word, self._names):
                yield word

    def on_topic(self, found: Retrieved) -> bool:
        """Whether a question is about the corpus's subject, without asking the reader."""
        if not found.passages:
            return False
        return self._on_topic(found, read_wording(found.question, self._arm))

    def _on_topic(self, found: Retrieved, wording: Wording) -> bool:
        return found.is_named or self._models.on_topic(topic_features(found.evidence, wording))


def _is_defined(found: Retrieved) -> bool:
    """Whether the best sentence says what the word means whose meaning is asked for."""
    term, best = asked_term(found.question.folded), found.ranked[0]
    return (
        term is not None and best.relevance >= _DEFINED_RELEVANCE and defines(fold(best.sentence.text), term)
    )


def basis_of(
    models: ConfidenceModels, reader: str | None, *, knows_encoder: bool, false_answer_rate: float
) -> Basis:
    """The fitted model for what there is to judge by, and its threshold at a rate.

    Args:
        models: Fitted models.
        reader: Revision of the reader; None without one.
        knows_encoder: As for `Judge`.
        false_answer_rate: As for `Judge`.
    """
    groups = [*(("dense",) if knows_encoder else ()), "words", *(("reader",) if reader else ())]
    model = models.by_name["+".join(groups)]
    cautious = false_answer_rate if knows_encoder or false_answer_rate >= 1 else _CAUTION * false_answer_rate
    return Basis(model, reader, model.threshold(cautious), false_answer_rate)


def calibration_of(basis: Basis, correction: Correction | None, *, knows_encoder: bool) -> Calibration:
    """What probabilities are fitted on that stand on this basis, with this correction if it fits."""
    if correction is not None and correction.fits(basis):
        return "collection"
    return "general" if knows_encoder else "none"
