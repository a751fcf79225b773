"""The items that an answer lists, in order, each in the answer's own words: what "第二点" points at.

Lists are found by their form: ordinal words, lines, semicolons between like clauses, "A、B和C". Which one a
person means cannot be known, so the most explicit wins, in that order.
"""

from __future__ import annotations

import re

from rag.dialogue.wording import NUMBER, tokens
from rag.text.enumeration import marked_series
from rag.text.folding import fold
from rag.text.sentences import sentence_ranges

_MARKS = re.compile(r"[\[［【]\d+[\]］】]")
_BULLET = re.compile(r"^\s*(?:[-*•·▪]|#+)\s*")
_ORDINAL_MARK = re.compile(
    rf"^[“\"「]?(?:第?{NUMBER}(?:(?:是|要|则|来|靠|看|在于|点|步|个)+|[、，,.．:：])|其{NUMBER}[，,是、]?|[（(]{NUMBER}[)）]|[①-⑩]"
    rf"|首先|其次|再次|再者|此外|最后|最终|(?:另|再)?一方面|第{NUMBER}(?:点|个|步|种|项)?)[，,、:：是]?\s*"
)
_CLAUSES = re.compile(r"[^，；。！？\n]+[，；。！？\n]*")
_SENTENCE_END = re.compile(r"[。！？\n]")
_RUN = re.compile(r"[^，。；：“”‘’（）()！？\s、]{1,24}(?:、[^，。；：“”‘’（）()！？\s、]{1,24})+")
_QUOTED_RUN = re.compile(r"[“《][^“”《》]{1,20}[”》](?:[、和与及][“《][^“”《》]{1,20}[”》])+")
_LAST_TWO = re.compile(r"以及|和|与|及")
_INTRODUCES = re.compile(
    r"^.*(?:包括|分别是|分别为|包含|分为|有|是|为|如|即|叫|聚焦|打造|对|：|在|以|用|把|将|从|于)(?=.)"
)
_ITEM_MAX_CHARS = 60
_ANSWER_MAX_CHARS = 6000


def plain_answer(answer: str) -> str:
    """An answer without its `[n]` marks, of bounded length."""
    return _MARKS.sub("", answer[:_ANSWER_MAX_CHARS]).strip()


def answer_items(answer: str) -> tuple[str, ...]:
    """The items of the list in an answer whose marks are stripped; () if it lists nothing."""
    return explicit_items(answer) or inline_items(answer)


def explicit_items(answer: str) -> tuple[str, ...]:
    """The items of a list that is set out as one: by ordinal words, lines or semicolons; or ()."""
    lines = [line for raw in answer.split("\n") if (line := _BULLET.sub("", raw).strip())]
    sentences = [line[start:end].strip() for line in lines for start, end in sentence_ranges(line)]
    for found in (_series(sentences), _clause_series(answer)):
        if len(found) >= 2:
            return found
    if len(lines) >= 3 and lines[0].endswith(("：", ":")):
        lines = lines[1:]
    for listed in (lines, _semicolons(sentences)):
        if len(listed) >= 2:
            return tuple(_clean(line) for line in listed)
    return ()


def _series(sentences: list[str]) -> tuple[str, ...]:
    longest: tuple[str, ...] = ()
    for series in marked_series(sentences):
        if len(series.items) > len(longest):
            longest = tuple(_clean(sentences[start]) for start, _ in series.items)
    return longest


def _clause_series(answer: str) -> tuple[str, ...]:
    """Ordinal words that open clauses: "一要种茶，养山；二要制茶。"."""
    clauses = [found.group().strip() for found in _CLAUSES.finditer(answer)]
    longest: tuple[str, ...] = ()
    for series in marked_series(clauses):
        if len(series.items) > len(longest):
            longest = tuple(_clean(_one_sentence(clauses[start:end])) for start, end in series.items)
    return longest


def _one_sentence(clauses: list[str]) -> str:
    """The clauses of an item up to the end of its sentence or a semicolon."""
    text = ""
    for clause in clauses:
        text += clause
        if _SENTENCE_END.search(clause) or clause.endswith("；"):
            break
    return text


def _semicolons(sentences: list[str]) -> list[str]:
    best = max(sentences, key=lambda sentence: sentence.count("；"), default="")
    return [part for part in best.split("；") if part.strip()] if "；" in best else []


def inline_items(text: str) -> tuple[str, ...]:
    """The items of the longest list inside a sentence: "有甲、乙和丙" gives 甲, 乙, 丙."""
    quoted = max(_QUOTED_RUN.findall(text), key=len, default="")
    if quoted:
        return tuple(re.findall(r"[“《][^“”《》]+[”》]", quoted))
    best: tuple[str, ...] = ()
    for run in _RUN.findall(text):
        *parts, last = run.split("、")
        ends = _LAST_TWO.split(last, maxsplit=1)
        if len(ends) == 2 and all(ends):
            parts, last = [*parts, ends[0]], ends[1]
        width = max(map(len, parts[1:]), default=len(parts[0]))
        first, final = _after_introduction(parts[0], width), _before_rest(last, max(width, 2))
        found = tuple(part for part in (first, *parts[1:], final) if part)
        if len(found) > len(best):
            best = found
    return best


def _after_introduction(part: str, width: int) -> str:
    """The first item without what announces it ("工具包括斧" to "斧")."""
    if len(part) <= width:
        return part
    cut = _INTRODUCES.sub("", part)
    if cut != part and cut:
        return cut
    words = tokens(part)
    heads = [at for at, token in enumerate(words) if token.tag[0] in "vpu"]
    return part[words[heads[-1]].end :] or part if heads else part


def _before_rest(part: str, width: int) -> str:
    """The last item without what follows the list ("刨等工具" to "刨")."""
    part = (
        re.split(r"等(?!级|候|待)|的|[一二两三四五六七八九十\d]+(?:大|个|种|项|类|方面)", part, maxsplit=1)[0]
        or part
    )
    if len(part) <= width + 1:
        return part
    ends = [token.end for token in tokens(part) if token.is_noun]
    return part[: min(ends, key=lambda end: abs(end - width))] if ends else part


def _clean(item: str) -> str:
    """An item without its ordinal word and end mark, cut at a comma if it is long."""
    text = _ORDINAL_MARK.sub("", item.strip(), count=1)
    text = text if text == item.strip() else re.sub("^要(?=..)", "", text)
    text = text.strip("，,；;。！？!? \n：:") or item.strip()
    while len(text) > _ITEM_MAX_CHARS and re.search("[，；,]", text):
        text = re.split("[，；,](?=[^，；,]*$)", text, maxsplit=1)[0]
    return text[:_ITEM_MAX_CHARS]


def item_holding(items: tuple[str, ...], name: str) -> str | None:
    """The item that is about `name`: its opening, or all of it."""
    wanted = fold(name)
    return next((item for item in items if fold(item).startswith(wanted)), None) if wanted else None
