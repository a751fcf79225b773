"""What can be checked about a sentence without understanding it: numbers, names, quotations, words, turns.

Everything is read off the folded surface. A statement is what both sides of a comparison are made into: the
claim of a generator, and the source sentences it should stand on. `rag.answering.support` compares them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.text.digits import without_separators
from rag.text.folding import fold
from rag.text.function_words import FUNCTION_WORDS
from rag.text.numbers import Quantity, quantities
from rag.text.polarity import polarities
from rag.text.terms import content_words, pairs

_CLAUSE = re.compile(r"[^,。;:!?、…()]+")
_QUOTED = re.compile(r'"([^"]{2,200})"|' + r"'([^']{2,200})'(?![a-z])")
_TITLE = re.compile(r"《([^《》]{1,80})》")
_LATIN = re.compile(r"[a-z][a-z0-9]*(?:[.+'_-][a-z0-9]+)*")
_NAME_TAGS = frozenset({"nr", "nrt", "nrfg", "ns", "nt", "nz"})
_SPEAKER = re.compile(
    r"(?:^|[,。;:!?、])([\u3400-\u9fff·]{2,8}?)(?:教授|先生|女士|老师|主任|博士)?"
    "(?:认为|以为|指出|表示|强调|主张|声称|宣称|写道)"
)
_CALENDAR = re.compile(
    "(?:周|星期|礼拜)[一二三四五六日天末]|[今去前明后]年|[今昨明]天|[春夏秋冬](?:季|天|日(?!报))"
    "|[上中下]旬|[初正腊]月|除夕|清明|端午|中秋"
)
_NUMERAL_WORD = re.compile(r"[\d零〇一二两三四五六七八九十百千万亿第%.]+")
_FRAMING_TEXT = """
根据 资料 所述 综上所述 综上 总之 因此 所以 此外 同时 另外 而且 指出 认为 提到 表示 强调 其中 原文 材料 段落
内容 显示 说明 以下 如下 上述 回答 问题 答案 总结 概括 总的来说 总体 总体而言 换句话说 也就是说 例如 比如 即
首先 其次 最后 笔者 这篇 该文 主张 写道 说道 一文 信息 提供 可知 可见 来看 看来 具体来说 具体 方面 包括
分别是 以及 此 该 这一 并且 据 依据 按照 还 曾 已 已经 曾经 共 共有 总共 约 大约 其 因 由于 因为 之所以 之所
从而 通过 进行 作出 关于 对于 有关 相关 一共 正 正在 会 将 便 才 更 很 十分 非常 每 各 则 这样 如此 那样
"""
FRAMING = frozenset(_FRAMING_TEXT.split())
"""Words that a writer adds to hold an answer together; they need no support and give none."""
SOMEBODY = frozenset(["有人", "有些人", "人们", "一些人", "部分人", "不少人", "很多人", "许多人"])
"""Speakers that name nobody."""
_NOT_SPEAKERS_TEXT = """
作者 笔者 文章 文中 本文 该文 原文 资料 材料 他们 她们 我们 段落 有人 一些 有些 人们 书中 此文
"""
_NOT_SPEAKERS = frozenset(_NOT_SPEAKERS_TEXT.split())


@dataclass(frozen=True, slots=True)
class Clause:
    """A stretch between punctuation marks.

    Attributes:
        text: Folded.
        start, end: Offsets in the statement's folded text.
        words: Content words without numerals and framing.
        turned: (word, parity of the negations on it).
    """

    text: str
    start: int
    end: int
    words: frozenset[str]
    turned: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Statement:
    """A sentence, or several, made ready to be compared.

    Attributes:
        folded: Width, script and case folded; thousands separators removed.
        clauses: In order.
        words: Content words without numerals and framing, in order.
        tokens: All segmented words.
        pairs: Character pairs.
        quantities: Numbers in order.
        names: People, places, Latin words that name or stand for something, speakers.
        titles: What stands in 《》.
        quotes: What stands in quotation marks, white space removed.
        calendar: Weekdays, seasons, "last year".
        speakers: Who is said to think or say something, pronouns and "有人" among them.
    """

    folded: str
    clauses: tuple[Clause, ...]
    words: tuple[str, ...]
    tokens: frozenset[str]
    pairs: frozenset[str]
    quantities: tuple[Quantity, ...]
    names: tuple[str, ...]
    titles: tuple[str, ...]
    quotes: tuple[str, ...]
    calendar: tuple[str, ...]
    speakers: tuple[str, ...]

    def holds(self, word: str) -> bool:
        """Whether a folded word stands here, as such or as all of its character pairs."""
        if word in self.folded:
            return True
        wanted = pairs(word)
        return len(wanted) > 1 and all(pair in self.pairs for pair in wanted)

    def clause_at(self, offset: int) -> int:
        """Position of the clause that holds `offset` (the last one before it, if none does)."""
        return max((i for i, clause in enumerate(self.clauses) if clause.start <= offset), default=0)


@lru_cache(maxsize=2048)
def statement(text: str) -> Statement:
    """Read a sentence."""
    import rjieba

    folded = fold(without_separators(text))
    numbers = quantities(folded)
    tags = rjieba.tag(folded)
    blank = _without(folded, numbers)
    clauses = tuple(_clause(found, blank) for found in _CLAUSE.finditer(folded))
    quotes = [fold(a or b) for a, b in _QUOTED.findall(folded)]
    words = [word for word in content_words(blank) if _carries(word)]
    return Statement(
        folded=folded,
        clauses=clauses,
        words=tuple(words),
        tokens=frozenset(word for word, _ in tags),
        pairs=frozenset(pairs(folded)),
        quantities=tuple(numbers),
        names=_names(folded, tags),
        titles=tuple(_TITLE.findall(folded)),
        quotes=tuple("".join(quote.split()) for quote in quotes if any(char.isalnum() for char in quote)),
        calendar=tuple(_CALENDAR.findall(folded)),
        speakers=tuple(_SPEAKER.findall(folded)),
    )


def _carries(word: str) -> bool:
    return word not in FRAMING and word not in FUNCTION_WORDS and not _NUMERAL_WORD.fullmatch(word)


def _without(folded: str, numbers: Sequence[Quantity]) -> str:
    """The text with spaces for its numbers and their units, which the segmenter would make words of."""
    for number in numbers:
        folded = folded[: number.start] + " " * (number.end - number.start) + folded[number.end :]
    return folded


def _clause(found: re.Match[str], blank: str) -> Clause:
    import rjieba

    text = found.group()
    words = frozenset(word for word in content_words(blank[found.start() : found.end()]) if _carries(word))
    return Clause(text, found.start(), found.end(), words, tuple(polarities(rjieba.cut(text))))


def _names(folded: str, tags: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    names = [word for word, tag in tags if tag in _NAME_TAGS and len(word) > 1 and word not in FRAMING]
    names += [word for word in _LATIN.findall(folded) if word not in FUNCTION_WORDS]
    for speaker in _SPEAKER.findall(folded):
        if speaker not in SOMEBODY and not any(word in speaker for word in _NOT_SPEAKERS):
            names.append(speaker)
    return tuple(dict.fromkeys(names))


def noun_after(clause: str, offset: int) -> str:
    """The noun that a number counts: the first one behind `offset` of a folded clause, or ""."""
    import rjieba

    for word, tag in rjieba.tag(clause[offset:]):
        if tag[0] in "pdcry" or tag in ("ul", "uz") or not word[0].isalnum():
            return ""
        if tag[0] == "n":
            return str(word)
    return ""


def noun_before(clause: str, offset: int) -> str:
    """The last noun before `offset` of a folded clause, or ""."""
    import rjieba

    nouns = [str(word) for word, tag in rjieba.tag(clause[:offset]) if tag[0] == "n" or tag == "vn"]
    return nouns[-1] if nouns else ""
