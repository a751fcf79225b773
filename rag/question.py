"""What a question asks for, read off its form: the asked kind, a count, quoted terms. No search here.

The patterns are the closed class of Chinese (and English) question words and a few general nouns; the
question is folded first, so that traditional and full-width spellings need no patterns of their own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.text.folding import fold, has_han
from rag.text.numbers import chinese_count
from rag.text.terms import content_words

Kind = Literal["number", "date", "person", "place", "list", "definition", "how", "why", "comparison", "other"]
Metadata = Literal["authors", "affiliation", "title", "documents"]

_COUNT = r"[两二三四五六七八九十\d]{1,3}"
_NOUNS = r"个|种|项|类|条|点|方面|层面|维度|步|大|位|篇|座|家|部分|环节|阶段|领域|原则|途径|路径"

# First match wins: a question for "哪三个" is for a list although it also holds a number.
_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "comparison",
        re.compile(
            r"不同|区别|差异|异同|相比|对比|比较|相同|共同(?:点|之处)|各自|分歧|一致吗"
            r"|\bdiffer(?:s|ent|ence|ences)?\b|\bcompare|\bin common\b|\bversus\b|\bvs\b"
        ),
    ),
    (
        "why",
        re.compile(
            r"为什么|为何|为啥|缘何|何以|凭什么|原因|缘由|出于什么|怎么会|目的是什么|\bwhy\b|\breason"
        ),
    ),
    (
        "list",
        re.compile(
            rf"哪些|哪几|哪{_COUNT}|哪儿?些|分别(?:是|有|为|指|包括|叫|由|在)|分别.{{0,8}}(?:什么|哪|谁|啥)|列举|逐一|有什么(?:内容|举措|措施|要求|做法|方法)"
            rf"|包括(?:什么|啥)|(?:几|多少)(?:个|大)?(?:方面|层面|维度|步骤|部分|环节|点)|都有(?:什么|谁|啥)|{_COUNT}(?:{_NOUNS}).{{0,8}}(?:是什么|指什么|有啥|指的是)"
            r"|\bwhat are\b|\bwhich (?:two|three|four|five|six|seven|\d)\b|\blist\b|\bname the\b|\bwhat (?:two|three|four|five|six)\b"
        ),
    ),
    (
        "number",
        re.compile(
            r"多少|几(?!乎|何|度|点了)|多(?:大|高|长|远|重|快|宽|深|久)|百分之|比例|占比|数量|数目|总数|总量|金额"
            r"|\bhow (?:many|much|long|large|big|often|far|old)\b|\bwhat (?:percent|percentage|number|share)"
        ),
    ),
    (
        "date",
        re.compile(
            r"何时|什么时候|什么时间|啥时候|哪一?[年月日天]|几[年月日号]|年份|日期|\bwhen\b|\bwhat (?:year|date|month)"
        ),
    ),
    ("person", re.compile(r"(?<!无论)谁|哪位|何人|什么人|哪个人|\bwho(?:m|se)?\b")),
    (
        "place",
        re.compile(r"哪里|哪儿|何处|何地|什么地方|在哪|\bwhere\b|\bwhich (?:city|cities|place|country)"),
    ),
    (
        "how",
        re.compile(
            r"如何|怎么|怎样|怎麽|咋|靠什么|通过什么|用什么|什么(?:办法|方法|方式|手段|措施|途径)|\bhow\b"
        ),
    ),
    (
        "definition",
        re.compile(
            r"什么是|是什么|何谓|何为|啥叫|啥是|是啥|什么叫|叫什么|指什么|指的?是|定义|含义|意思|\bwhat (?:is|does|was)\b|\bdefin|\bmean"
        ),
    ),
)
_METADATA: tuple[tuple[Metadata, re.Pattern[str]], ...] = (
    (
        "affiliation",
        re.compile(
            r"(?:作者|笔者|供职|就职|任职|工作).{0,8}(?:单位|机构|学校|大学|哪里|哪儿|哪个|何处)|(?:来自|属于|在|是)(?:哪个|哪些|哪家|什么)(?:单位|机构|学校|大学|学院|高校|部门)(?!.{0,6}(?:负责|牵头))"
            r"|哪个单位的|什么单位的|作者.{0,6}(?:身份|职务|职称|头衔|职业|来自)|\bwhere does .{1,40} work\b|\baffiliat|(?:课题|项目|基金)(?:编号|号)|哪个(?:课题|项目|基金)的?成果"
        ),
    ),
    (
        "authors",
        re.compile(
            r"作者.{0,4}(?:是谁|有谁|叫什么|名字|姓名|都?是哪|有哪|为谁|几)|(?:谁|哪位|哪些人|何人|什么人|哪几位).{0,3}(?:写|撰|执笔|作者|著)|(?:的|该文|本文|文章)作者$|^作者$|是谁(?:写|撰)|出自谁|(?:谁|哪位)的(?:文章|手笔|大作)"
            r"|\bwho (?:wrote|is the author|are the authors|authored)|\bauthors? of\b|\bwritten by\b"
        ),
    ),
    (
        "title",
        re.compile(
            r"(?:标题|题目|篇名|题名|文章名).{0,4}(?:是|叫|为|有)?(?:什么|啥|哪|多少)|(?:文章|这篇|那篇|文)(?:的)?(?:标题|题目)|(?:标题|题目)$|叫什么(?:标题|题目)|\btitle of\b|\bwhat is the title\b"
        ),
    ),
    (
        "documents",
        re.compile(r"哪一?(?:几)?篇(?:文章|文)?|哪些文章|几篇文章|哪篇|\bwhich (?:essay|article)s?\b"),
    ),
)
_QUOTED = re.compile(r"[\"《「『]([^\"《》「」『』]{1,40})[\"》」』]")
_COUNT_ASKED = re.compile(rf"(?:哪|这|那|的)?({_COUNT})(?:{_NOUNS})")
_ENGLISH_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what its form says.

    Attributes:
        text: As typed.
        folded: For matching.
        kind: The kind of thing asked for.
        metadata: What typed part of a document is asked for, or None for an ordinary question.
        count: How many items are asked for ("哪三个" → 3), or None.
        quoted: Quoted terms, folded.
        words: Content words, folded.
        is_foreign: Whether it has no Chinese character.
    """

    text: str
    folded: str
    kind: Kind
    metadata: Metadata | None
    count: int | None
    quoted: tuple[str, ...]
    words: tuple[str, ...]
    is_foreign: bool


def read_question(text: str) -> Question:
    """Read a question's form (the text must already be checked by `rag.inputs`)."""
    folded = fold(text)
    bare = folded.rstrip("?。.!；; ")
    kind: Kind = next((kind for kind, pattern in _KINDS if pattern.search(bare)), "other")
    metadata = next((kind for kind, pattern in _METADATA if pattern.search(bare)), None)
    return Question(
        text,
        folded,
        kind,
        metadata,
        _count_asked(bare) if kind in ("list", "comparison", "other", "definition") else None,
        tuple(_QUOTED.findall(folded)),
        tuple(content_words(text)),
        not has_han(text),
    )


def _count_asked(folded: str) -> int | None:
    counted = _COUNT_ASKED.search(folded)
    if counted:
        return chinese_count(counted.group(1))
    return next(
        (number for word, number in _ENGLISH_COUNTS.items() if re.search(rf"\b{word}\b", folded)), None
    )
