"""Index terms: segmented words plus character pairs of folded text.

Words (rjieba) carry meaning, pairs find what the segmenter cut differently. The two live in separate
name spaces (a pair is written "·xy"), so that a two-character word is not counted twice under one name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rag.text.folding import fold

TERMS_VERSION = 1
"""Raised whenever the same text gives other terms, so that built indexes are refused."""

_HAN_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_WORD = re.compile(r"[\w%]")
_PAIR_MARK = "·"

# Words that ask or hold a sentence together and say nothing about its subject.
_FUNCTION_WORDS = frozenset(
    [
        "的",
        "了",
        "着",
        "过",
        "地",
        "得",
        "是",
        "在",
        "有",
        "和",
        "与",
        "及",
        "或",
        "而",
        "但",
        "就",
        "都",
        "也",
        "还",
        "又",
        "把",
        "被",
        "给",
        "对",
        "于",
        "以",
        "为",
        "从",
        "向",
        "到",
        "由",
        "其",
        "之",
        "这",
        "那",
        "它",
        "他",
        "她",
        "我",
        "你",
        "们",
        "我们",
        "你们",
        "他们",
        "它们",
        "这个",
        "那个",
        "这些",
        "那些",
        "这种",
        "那种",
        "一个",
        "一种",
        "吗",
        "呢",
        "吧",
        "啊",
        "呀",
        "嘛",
        "哪",
        "哪个",
        "哪些",
        "哪儿",
        "哪里",
        "什么",
        "怎么",
        "怎样",
        "怎么样",
        "如何",
        "为什么",
        "为何",
        "多少",
        "几",
        "几个",
        "谁",
        "何",
        "何时",
        "何地",
        "是否",
        "能否",
        "能不能",
        "是不是",
        "有没有",
        "请问",
        "请",
        "问",
        "问一下",
        "想",
        "想知道",
        "知道",
        "告诉",
        "一下",
        "说",
        "说说",
        "讲讲",
        "介绍",
        "谈谈",
        "提到",
        "中",
        "里",
        "上",
        "下",
        "个",
        "些",
        "种",
        "吗",
        "么",
        "咋",
        "啥",
        "到底",
        "究竟",
        "具体",
        "分别",
        "各自",
        "主要",
        "应该",
        "应当",
        "应",
        "要",
        "可以",
        "需要",
        "会",
        "能",
        "能够",
        "让",
        "使",
        "并",
        "则",
        "且",
        "如",
        "等",
        "等等",
        "所",
        "该",
        "此",
        "文中",
        "文章",
        "作者",
        "本文",
        "the",
        "a",
        "an",
        "of",
        "in",
        "on",
        "to",
        "is",
        "are",
        "was",
        "were",
        "do",
        "does",
        "did",
        "what",
        "which",
        "who",
        "how",
        "why",
        "when",
        "where",
        "many",
        "much",
        "and",
        "or",
        "for",
        "with",
        "by",
        "from",
        "that",
        "this",
        "it",
        "its",
        "be",
        "as",
        "at",
        "about",
    ]
)


@lru_cache(maxsize=4096)
def _segment(folded: str) -> tuple[str, ...]:
    import rjieba

    return tuple(rjieba.cut_for_search(folded))


def words(text: str) -> list[str]:
    """Segmented words of the folded text, in order, without punctuation."""
    return [word for word in _segment(fold(text)) if _WORD.search(word)]


def content_words(text: str) -> list[str]:
    """`words` that carry meaning: no function words, in order, each once."""
    return list(dict.fromkeys(word for word in words(text) if word not in _FUNCTION_WORDS))


def pairs(text: str) -> list[str]:
    """Overlapping character pairs of every run of Chinese characters in the folded text."""
    return [_PAIR_MARK + run[i : i + 2] for run in _HAN_RUN.findall(fold(text)) for i in range(len(run) - 1)]


def index_terms(text: str) -> list[str]:
    """Terms of a text to be indexed."""
    return [*words(text), *pairs(text)]


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
    for word in rjieba.cut(fold(text)):
        if word in _FUNCTION_WORDS or not _WORD.search(word):
            if piece:
                yield piece
            piece = ""
        else:
            piece += word
    if piece:
        yield piece
