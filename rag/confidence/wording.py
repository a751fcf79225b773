"""The words of a question held against a corpus and against the best passages: what is there, what is not.

A question near the subject often gives itself away by a word that the corpus never writes: a town, an
institution, the thing that is counted. Paraphrases do so too, so none of this is a verdict; it is evidence
for a fitted model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.question import Question
from rag.ranking.arms import LexicalArm
from rag.ranking.features import KIND_TESTS, without_numbers_of
from rag.text.enumeration import inline_counts
from rag.text.family_names import FAMILY_NAMES
from rag.text.folding import fold, has_han
from rag.text.function_words import FUNCTION_WORDS
from rag.text.terms import pairs, to_segment

_NAME_TAGS = ("nr", "ns", "nt", "nz", "nrt")
_NOUN_TAGS = ("n", "vn", "l", "i", "j")
_VERB_TAGS = ("v", "a", "ad", "d")
_ASKING = "什哪谁几何啥咋"
_NOWHERE = "\0"
"""A term that no text has: its idf is the largest there is."""
_LOOKED_AT = 3
_NAME_CHARS = 3


@dataclass(frozen=True, slots=True)
class Wording:
    """What a corpus lacks of a question's words (all of them folded, of two characters or more).

    Attributes:
        words: Content words.
        unknown: Those that no chunk has.
        names, nouns, verbs: Unknown ones by what they are.
    """

    words: tuple[str, ...]
    unknown: tuple[str, ...]
    names: tuple[str, ...]
    nouns: tuple[str, ...]
    verbs: tuple[str, ...]


def read_wording(question: Question, arm: LexicalArm) -> Wording:
    """Hold a question's words against all rows of a lexical arm; nothing is said without Chinese."""
    if question.is_foreign:
        return Wording((), (), (), (), ())
    import rjieba

    words = tuple(
        word
        for word in question.words
        if len(word) >= 2 and has_han(word) and not any(char in _ASKING for char in word)
    )
    tagged = [
        (word, tag)
        for word, tag in rjieba.tag(to_segment(question.folded))
        if len(word) >= 2
        and has_han(word)
        and word not in FUNCTION_WORDS
        and not any(char in _ASKING for char in word)
        and not knows(arm, word)
    ]

    def of(tags: Sequence[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(word for word, tag in tagged if tag in tags))

    unknown = tuple(word for word in words if not knows(arm, word))
    return Wording(words, unknown, of(_NAME_TAGS), of(_NOUN_TAGS), of(_VERB_TAGS))


def knows(arm: LexicalArm, term: str) -> bool:
    """Whether any row has the term: as a word, or as every character pair of one."""
    nowhere = arm.idf(_NOWHERE)
    found = pairs(term)
    return arm.idf(term) < nowhere or (bool(found) and all(arm.idf(pair) < nowhere for pair in found))


def is_word(word: str) -> bool:
    """Whether it is a word of the dictionary or looks like a person's name, no scrap of the segmenter's."""
    import rjieba

    return rjieba.cut(word, hmm=False) == [word] or (word[0] in FAMILY_NAMES and len(word) <= _NAME_CHARS)


def held_share(words: Sequence[str], text: str) -> float:
    """Share, 0-1, of words that stand in a folded text; 1 for no words."""
    return sum(word in text for word in words) / len(words) if words else 1.0


def lacks_kind(question: Question, sentences: Sequence[str]) -> bool:
    """Whether a number or date is asked for and none of the first three sentences states one.

    A number that the question itself names is no answer.
    """
    test = KIND_TESTS.get(question.kind)
    if test is None or question.is_foreign:
        return False
    return not any(test(without_numbers_of(fold(text), question)) for text in sentences[:_LOOKED_AT])


def list_agrees(question: Question, sentences: Sequence[str]) -> float:
    """1 if a sentence lists as many things as are asked for, -1 if none does, 0 if no count is asked for."""
    if question.count is None:
        return 0.0
    return 1.0 if any(question.count in inline_counts(text) for text in sentences) else -1.0
