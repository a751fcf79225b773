"""Questions for a number or a year that a clause states, its subject inside."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.examples.clauses import Text, Token, is_noun_phrase, spoken, subject_end, topic_before
from rag.examples.drafts import Draft, Piece
from rag.examples.words import CLASSIFIERS, LINKING_ADVERBS, MEASURES

_NUMERAL = r"[\d〇零一二两三四五六七八九十百千万亿]"
_NUMBER = re.compile(
    rf"(?P<number>(?:百分之)?(?:\d[\d,]*(?:\.\d+)?[十百千万亿]*|[一二两三四五六七八九十百千]{_NUMERAL}*))"
    rf"(?P<more>[多余])?(?P<percent>%|个百分点)?(?P<unit>{CLASSIFIERS})?"
)
_YEAR = re.compile(
    r"(?:公元)?(?:\d{4}|[一二][〇零一二三四五六七八九]{3})年(?:\d{1,2}月(?:\d{1,2}日|底|初)?|[底初末]|[春夏秋冬]天?)?"
)
_FRAME = re.compile(r"以([^，；：。！？、]{2,14})为例，")
_REFUSED_AFTER = re.compile("以[上下内外]|[的至到—~-]|左右的|之[一多间后前内]|分之|比|成|来")
_REFUSED_BEFORE = re.compile(
    "(?:第|超过|不足|不到|至少|最多|高达|[至到~—.-]|数|近|上|几|每|百|千|万|前|后|每[个名户家人])$"
)
_ALLOWED_BEFORE = re.compile("(?:不得超过|不超过|不能超过|不得少于|不少于|不得低于|不低于)$")
_SHARE_VERBS = re.compile("(?:占|占到|占比)$")
_PAST = re.compile("[已共曾]|累计|先后|年")
_NOT_DONE_TEXT = """
要 须 需 需要 应 应该 应当 可 可以 能 能够 会 将 每 每年 每天 每月 计划 预计 力争 准备 必须 不得 不 没有 超过
占 相当 包括 拥有 具有 属于 距离 平均 至少 最多 最高
"""
_NOT_DONE = frozenset(_NOT_DONE_TEXT.split())
_NOUN_TAGS = frozenset({"n", "ns", "nr", "nt", "nz"})
_SPEAKING = frozenset(["说", "称", "表示", "指出", "认为", "强调", "介绍", "透露", "回忆", "回应", "宣布"])
_DATED = re.compile("...[于在自从]$")
_UNDATED = re.compile("[不没未是有想要会能可应须将拟]|准备|打算|计划")
_VERBLIKE = frozenset(["有", "是", "为", "达", "占", "超", "仅为", "率仅", "达到"])


def numbers(text: Text) -> Iterator[Draft]:
    """How many N there are in "S V 三百个 N"."""
    for start, end in text.clauses:
        frame = _FRAME.match(text.masked)
        if frame and frame.end() == start:
            yield from _number(text, start, end, topic=frame.span(1))
        else:
            yield from _number(text, start, end, topic=None)
            topic = topic_before(text, start)
            if topic:
                yield from _number(text, start, end, topic=topic)


def _number(text: Text, start: int, end: int, topic: tuple[int, int] | None) -> Iterator[Draft]:
    year = _YEAR.match(text.masked, start, end)
    body = year.end() if year else start
    found = next((one for one in _NUMBER.finditer(text.masked, body, end) if _is_asked(one)), None)
    if found is None or _YEAR.search(text.masked, body, end) or _is_bound(text, body, found):
        return
    stop = _stop(text, found.end(), end)
    if stop is None:
        return
    asked = _Asked(text, text.tokens(body, found.start()), found, stop)
    pieces = asked.pieces(has_topic=topic is not None)
    if pieces:
        lead: tuple[Piece, ...] = (topic,) if topic else ((year.span(),) if year else ())
        yield Draft("number", (*lead, *pieces, "？"), 0.9)


def _is_bound(text: Text, body: int, found: re.Match[str]) -> bool:
    """Whether a number is part of something else: a range, a bound, an ordinal, a modifier before 的."""
    if _REFUSED_AFTER.match(text.masked, found.end()):
        return True
    before = text.masked[body : found.start()]
    return bool(_REFUSED_BEFORE.search(before)) and not _ALLOWED_BEFORE.search(before)


def _is_asked(found: re.Match[str]) -> bool:
    """Whether a match is a quantity: a unit or a percentage follows, and it is not a small count."""
    if found["percent"] or found["number"].startswith("百分之"):
        return True
    if not found["unit"]:
        return False
    return bool(re.search(r"\d{2}|\.|[十百千万亿]", found["number"]))


def _stop(text: Text, start: int, end: int) -> int | None:
    """Where the counted noun ends: at the end of the clause or before the next item; None if unclear."""
    rest = text.masked[start:end]
    stop = start + (rest.index("、") if "、" in rest else len(rest))
    if start == stop:
        return stop
    if re.search(r"\d|[百千万亿]", text.masked[start:stop]) or stop - start > 10:
        return None
    return stop if text.is_noun_phrase(start, stop) else None


class _Asked:
    """A number in its clause, and the question for it without a topic that may stand before the clause.

    Args:
        text: The sentence.
        tokens: The clause's words before the number.
        found: The number.
        stop: Where the noun behind it ends.
    """

    def __init__(self, text: Text, tokens: list[Token], found: re.Match[str], stop: int) -> None:
        self._text = text
        self._kept = [t for t in tokens if t.word not in LINKING_ADVERBS and t.tag != "bracket"]
        self._is_share = found["percent"] == "%" or found["number"].startswith("百分之")
        self._is_measure = self._is_share or found["unit"] in MEASURES
        self._unit: tuple[Piece, ...] = (found.span("unit"),) if found["unit"] else ()
        if found["percent"] == "个百分点":
            self._unit = (found.span("percent"),)
        self._noun: tuple[Piece, ...] = ((found.end(), stop),) if stop > found.end() else ()
        if found["unit"] in ("名", "位") and not self._noun:
            self._unit = ("人",)

    def pieces(self, *, has_topic: bool) -> tuple[Piece, ...]:
        """The question's pieces; none if there is no good question."""
        kept = self._kept
        if not kept or any(token.word == "、" or token.tag in ("r", "y") for token in kept):
            return ()
        if not has_topic and is_noun_phrase(kept) and not any(token.tag == "v" for token in kept):
            return self._of_noun()
        if (not has_topic and subject_end(kept) is None) or kept[-1].tag in ("p", "c", "uj", "f"):
            return ()
        if not any(token.tag in ("v", "ul") or token.word in _VERBLIKE for token in kept):
            return ()
        return self._of_share() if self._is_share else self._of_count()

    def _of_noun(self) -> tuple[Piece, ...]:
        """For "X 三百元", where no verb stands."""
        if self._noun or self._kept[0].tag == "vn":
            return ()
        last = self._kept[-1]
        asked = "是多少" if self._is_measure else "有多少"
        if last.tag == "vn" or (last.tag == "n" and len(last.word) == 1):
            asked = "多少"
        return (*spoken(self._kept), asked, *(() if self._is_share else self._unit))

    def _of_share(self) -> tuple[Piece, ...]:
        if self._noun:
            return ()
        last = self._kept[-1].word
        asked = "是多少" if last in ("比例", "比重", "率") else "多少"
        return (*spoken(self._kept), "多大比例" if _SHARE_VERBS.search(last) else asked)

    def _of_count(self) -> tuple[Piece, ...]:
        kept = self._kept
        done = ("了",) if _is_done(self._text, kept) else ()
        moved = None if self._noun or self._is_measure else _counted_before(kept)
        is_named = self._noun or self._is_measure or self._unit == ("人",) or kept[-1].is_noun
        modifies = self._is_measure and self._noun and kept[-1].is_noun and kept[-1].tag != "vn"
        if modifies or (not moved and not is_named):
            return ()  # "时速三百公里高铁", "招来三十名"
        if moved:
            return (*spoken(kept[:moved]), *done, "多少", *self._unit, *spoken(kept[moved:]))
        return (*spoken(kept), *(done if self._noun else ()), "多少", *self._unit, *self._noun)


def _is_done(text: Text, tokens: list[Token]) -> bool:
    """Whether the verb before the number tells of something done, so that it takes 了."""
    if any(token.word in _NOT_DONE for token in tokens) or not _PAST.search(text.masked):
        return False
    moved = _counted_before(tokens)
    verb = tokens[moved - 1] if moved else tokens[-1]
    return verb.tag == "v" and len(verb.word) == 2 and verb.word[-1] not in "到于有过为达是在出成"


def _counted_before(tokens: list[Token]) -> int | None:
    """Where the counted noun begins that stands before its number ("受理投诉三百件"), or None."""
    for place in range(len(tokens) - 1, 1, -1):
        verb = place - 2 if tokens[place - 1].tag == "ul" else place - 1
        if tokens[verb].tag == "v" and verb > 0 and tokens[verb - 1].tag not in ("v", "vn"):
            nouns = tokens[place:]
            fits = all(token.is_noun or token.tag in ("a", "b") for token in nouns)
            return place if fits and tokens[-1].end - tokens[place].start > 1 else None
    return None


def years(text: Text) -> Iterator[Draft]:
    """In which year: from "S 建于 1907 年" and "1907 年，S V"."""
    for start, end in text.clauses:
        for found in _YEAR.finditer(text.masked, start, end):
            yield from _year_inside(text, start, found, end)
    opening = _YEAR.match(text.masked)
    if opening:
        yield from _year_before(text, opening.end())


def _year_inside(text: Text, start: int, found: re.Match[str], end: int) -> Iterator[Draft]:
    before, after = text.masked[start : found.start()], text.masked[found.end() : end]
    if (
        not _DATED.search(before)
        or re.search("[是的]", before)
        or re.search(r"[的\d]|^[至到]|一[种个些]", after)
    ):
        return
    tokens = text.tokens(start, found.start())
    said = text.tokens(found.end(), end)
    if subject_end(tokens) is not None and 3 <= len(after) <= 14 and said[0].tag not in _NOUN_TAGS:
        yield Draft("date", (*spoken(tokens), "哪一年", (found.end(), end), "？"), 0.8)


def _year_before(text: Text, start: int) -> Iterator[Draft]:
    start += text.masked[start : start + 1] == "，"
    end = next((stop for begin, stop in text.clauses if begin <= start < stop), start)
    tokens = text.tokens(start, end)
    boundary = subject_end(tokens, plain=True)
    if (
        boundary is None
        or end - start > 24
        or tokens[-1].word in _SPEAKING
        or re.search(r"\d", text.masked[start:end])
    ):
        return
    said = [token for token in tokens[boundary:] if token.word != "了"]  # 是…的 says that it is done
    if (
        said
        and end - said[0].start >= 4
        and not any(_UNDATED.match(token.word) for token in said[:3] if not token.is_noun)
    ):
        yield Draft("date", (*spoken(tokens[:boundary]), "是哪一年", *spoken(said), "的？"), 0.8)
