"""Index terms: segmented words plus character pairs of folded text.

Words (rjieba) carry meaning, pairs find what the segmenter cut differently. The two live in separate
name spaces (a pair is written "·xy"), so that a two-character word is not counted twice under one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rag.text.characters import HAN
from rag.text.digits import in_digits, without_separators
from rag.text.folding import fold
from rag.text.function_words import FUNCTION_WORDS

TERMS_VERSION = 4
"""Raised whenever the same text gives other terms, so that built indexes are refused."""

_HAN_RUN = re.compile(f"[{HAN}]+")
_WORD = re.compile(r"[\w%]")
_PAIR_MARK = "·"
# The segmenter joins what follows a year in digits to it ("1938年桥": "年桥").
_YEAR_END = re.compile(r"(?<=\d)年(?=[\u4e00-\u9fff])(?![代度级底初末间前后龄薪份])")


@lru_cache(maxsize=4096)
def _segment(folded: str) -> tuple[str, ...]:
    import rjieba

    return tuple(rjieba.cut_for_search(folded))


def words(text: str) -> list[str]:
    """Segmented words of the text as `to_segment` has it, in order, without punctuation.

    Numbers are in digits: "3,000" and "三千" are the word "3000".
    """
    return _words(to_segment(text))


def _words(prepared: str) -> list[str]:
    return [word for word in _segment(prepared) if _WORD.search(word)]


def to_segment(text: str) -> str:
    """The form that is cut into words: folded, numbers in digits, a year apart from what follows it."""
    return _prepared(fold(without_separators(text)))


def _prepared(folded: str) -> str:
    return _YEAR_END.sub("年 ", in_digits(folded))


def content_words(text: str) -> list[str]:
    """`words` that carry meaning: no function words, in order, each once."""
    return list(dict.fromkeys(word for word in words(text) if word not in FUNCTION_WORDS))


def pairs(text: str) -> list[str]:
    """Overlapping character pairs of every run of Chinese characters in the folded text."""
    return _pairs(fold(text))


def _pairs(folded: str) -> list[str]:
    return [_PAIR_MARK + run[i : i + 2] for run in _HAN_RUN.findall(folded) for i in range(len(run) - 1)]


def index_terms(text: str) -> list[str]:
    """Terms of a text to be indexed: `words` and `pairs`, folded once where both fold to the same."""
    bare = without_separators(text)
    folded = fold(bare)
    return [*_words(_prepared(folded)), *_pairs(folded if bare == text else fold(text))]


def query_terms(text: str) -> list[str]:
    """Terms of a question, each once: content words and the pairs inside and across them.

    Pairs are taken after the function words are cut out of the question, so that "有哪些" or "多少个"
    match nothing. A question of nothing but function words keeps all its terms.
    """
    kept = _without_function_words(text)
    terms = [*content_words(text), *(pair for piece in kept for pair in pairs(piece))]
    return list(dict.fromkeys(terms or index_terms(text)))


def _without_function_words(text: str) -> Iterable[str]:
    import rjieba

    piece = ""
    for word in rjieba.cut(to_segment(text)):
        if word in FUNCTION_WORDS or not _WORD.search(word):
            if piece:
                yield piece
            piece = ""
        else:
            piece += word
    if piece:
        yield piece
