"""Questions that the grammar of a sentence suggests, but for numbers (`numbers`) and lists (`lists`).

Each pattern takes a sentence and gives drafts. A pattern is a construction of Chinese ("所谓 X，是指…",
"A、B 和 C 等 N", "S 由 P 负责"), never a topic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.examples.clauses import QUOTE, RUN, Text, is_noun_phrase, spoken, subject_end
from rag.examples.drafts import Draft, Kind
from rag.examples.people import asked_with
from rag.examples.words import ADVERBS, ASKING, DANGLING, LEADING, RELATIONAL, RHETORICAL, SUPERLATIVE
from rag.question import read_question

_SO_CALLED = re.compile(rf"^所谓的?({RUN}{{2,14}}?)，?(?:也?就是指?|即指?|乃?是指|指的就?是|指)")
_MEANS = re.compile(rf"^({RUN}{{2,14}}?)(?:，?(?:是指|指的就?是|即指|就是指)|，(?:即是?|也?就是(?!说)))")
_NAMELY = re.compile(rf"是({RUN}{{3,12}})，即")
_CALLED = re.compile(
    rf"[把将]{RUN}{{2,}}的{RUN}{{1,8}}(?:叫作|叫做|称为|称作|称之为)({QUOTE}{{4,12}})(?![的{QUOTE}])"
)
_KNOWN_AS = re.compile(
    rf"^({RUN}{{2,14}}?)[常也又还]{{0,2}}(?:被誉为|被称为|被叫作|素有|被称作)({QUOTE}{{4,12}})"
)
_COUNTED_QUOTE = re.compile(rf"({QUOTE}{{4,8}})(?:：|，?(?:就是|是指|即))")
_COUNTING = re.compile("^“[一二两三四五六七八九十][^，、]{2,5}”$")
_RELATION = re.compile(
    rf"^({RUN}{{2,20}}的(?:{SUPERLATIVE})?的?(?:{RELATIONAL}))[，]?(?:[就便也则正还仍]{{0,2}}(?:是|在于))(?!否|不是|为了什么)"
)
_ONE_OF_A_KIND = (
    rf"的(?:{SUPERLATIVE})的?{RUN}{{1,6}}|的(?:{RELATIONAL})|最[大高好难重关根直突]要?的{RUN}{{1,6}}"
)
_IS_RELATION = re.compile(rf"^({RUN}{{2,20}}?)[就便也正则才更]?是({RUN}{{2,24}}(?:{_ONE_OF_A_KIND}))[。；，]")
_LINKS = frozenset({"r", "d", "p", "c", "u", "ul", "y", "x", "f", "t"})
_TERM_MAX_CHARS = 6
_INDEFINITE = re.compile("^(?:一[个种项条座类]|之一|不|否|因|由|要|把|为)|之一")


def own_questions(text: Text) -> Iterator[Draft]:
    """A question that the text asks itself, and answers in the next sentence."""
    plain, masked = text.plain.rstrip(), text.masked.rstrip()
    if not masked.endswith("？") or masked.count("？") != 1 or "“" in masked or "。" in masked:
        return
    if not text.clauses:  # "……？" stands alone
        return
    start, end = text.clauses[-1]
    if len(text.clauses) > 2 or not ASKING.search(masked[start:end]) or RHETORICAL.search(plain):
        return
    if len(text.clauses) == 2:
        first = text.clauses[0]
        start = first[0] if text.is_noun_phrase(*first) and plain[first[1]] == "，" else start
    tokens = text.tokens(start, end)
    asks_first = ASKING.match(masked, start) is not None
    if not asks_first and not (tokens[0].is_noun or subject_end(tokens)):
        return
    yield Draft(_kind_of(plain[start:end]), ((start, end), "？"), 0.95, answered_by=1)


def _kind_of(question: str) -> Kind:
    kinds: dict[str, Kind] = {
        "why": "reason", "number": "number", "date": "date", "person": "person", "place": "place",
        "list": "list", "definition": "definition",
    }  # fmt: skip
    return kinds.get(read_question(question).kind, "means")


def definitions(text: Text) -> Iterator[Draft]:
    """What is X: from "所谓 X，是指…", "X 指的是…", "把…叫作“X”", "“三 X”：…"."""
    for pattern, worth in ((_SO_CALLED, 1.0), (_MEANS, 0.95)):
        found = pattern.match(text.masked)
        if found and _is_term(text, *found.span(1)):
            yield Draft("definition", ("什么是", found.span(1), "？"), worth)
            return
    for found in _NAMELY.finditer(text.masked):
        if text.is_noun_phrase(*found.span(1)) and "的" not in found[1]:
            yield Draft("definition", ("什么是", found.span(1), "？"), 0.8)
    known = _KNOWN_AS.match(text.masked)
    if known and text.is_noun_phrase(*known.span(1)):
        asked = asked_with(text, *known.span(1))
        if asked:
            kind: Kind = "person" if asked == "谁" else "definition"
            yield Draft(kind, (f"{asked}被称为", known.span(2), "？"), 0.75)
        return
    for found in _CALLED.finditer(text.masked):
        yield Draft("definition", ("什么是", found.span(1), "？"), 0.9)
    for found in _COUNTED_QUOTE.finditer(text.masked):
        if _COUNTING.match(text.plain[slice(*found.span(1))]):
            yield Draft("definition", (found.span(1), "指的是什么？"), 0.6 + 0.05 * len(found[1]))


def _is_term(text: Text, start: int, end: int) -> bool:
    """Whether a stretch can be what a definition defines: a noun, or any few words that nothing links."""
    if text.masked[start] in "一二三四五六七八九十" or "的" in text.masked[start:end]:
        return False
    tokens = text.tokens(start, end)
    if end - start <= _TERM_MAX_CHARS:
        return not any(token.tag in _LINKS or token.word in ADVERBS for token in tokens)
    return is_noun_phrase(tokens) and not any(token.tag == "v" for token in tokens)


def relations(text: Text) -> Iterator[Draft]:
    """What is the key of X: from "X 的关键是 Y" and "Y 是 X 的关键"."""
    found = _RELATION.match(text.masked)
    if found and text.is_noun_phrase(*found.span(1)):
        yield Draft("definition", (found.span(1), _is_what(found[1])), 0.9)
        return
    found = _IS_RELATION.match(text.masked)
    if not found or LEADING.match(found[1]) or DANGLING.search(found[1]):
        return
    if not _INDEFINITE.search(found[2]):
        asked = "是谁？" if asked_with(text, *found.span(1)) == "谁" else _is_what(found[2])
        yield Draft("definition", (found.span(2), asked), 0.85)


def _is_what(noun: str) -> str:
    return "是谁？" if noun[-1] in "人者员" and not noun.endswith("机器人") else "是什么？"


_THEREFORE = re.compile(rf"^({RUN}{{2,14}}?)之所以({RUN}{{2,16}})，(?:主要|就|正)?是?(?:因为|由于|在于)")
_REASON = re.compile(
    rf"^({RUN}{{5,22}})，(?:主要|根本|其|一个重要)?(?:原因|道理|理由|根子|是因为|就?在于|因为)(?:就?在于|主要是|是|有)?"
)
_DUTIES = (
    "负责|看守|管理|组织|主持|承担|牵头|制定|发起|设计|建造|创办|创建|出资|编写|主编|经营|运营|提供|审核|认定|评定|监管|"
    "管护|养护|执行|组成"
)
_BY_WHOM = re.compile(rf"^({RUN}{{2,14}}?)由({RUN}{{2,14}}?)({_DUTIES})")
_PLACE = re.compile(rf"^({RUN}{{2,16}}?)(位于|坐落于|坐落在|地处)({RUN}{{2,}})[，。]")
_RANK = re.compile(
    r"(?:榜[首单眼尾]|首位|末位|前列|前茅|之[首冠列末]|[百千]强|领先地位|领先水平"
    r"|[第前后](?:[\d一二两三四五六七八九十百千]+)(?:[位名强]|梯队|方阵|行列)?|倒数.{0,4})$"
)


def reasons(text: Text) -> Iterator[Draft]:
    """Why S V: from "S 之所以 V，是因为…" and "S V，原因在于…"."""
    found = _THEREFORE.match(text.masked)
    if found and text.is_noun_phrase(*found.span(1)):
        yield Draft("reason", (found.span(1), "为什么", found.span(2), "？"), 1.0)
        return
    found = _REASON.match(text.masked)
    if found:
        tokens = text.tokens(*found.span(1))
        if subject_end(tokens) is not None and not is_noun_phrase(tokens):
            yield Draft("reason", ("为什么", *spoken(tokens), "？"), 0.7)


def people_and_places(text: Text) -> Iterator[Draft]:
    """By whom "S 由 P 负责", and where "S 位于 P"."""
    found = _BY_WHOM.match(text.masked)
    if found and text.is_noun_phrase(*found.span(1)) and text.is_noun_phrase(*found.span(2)):
        verb = found.span(3)
        end = next(stop for begin, stop in text.clauses if begin <= verb[0] < stop)
        tail = (verb[0], end if end - verb[1] <= 8 else verb[1])
        yield Draft("person", (found.span(1), "由谁", tail, "？"), 0.85)
    found = _PLACE.match(text.masked)
    if found and text.is_noun_phrase(*found.span(1)) and not _RANK.search(found[3]):
        yield Draft("place", (found.span(1), found.span(2), "哪里？"), 0.85)
