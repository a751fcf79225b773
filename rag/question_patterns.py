"""The closed class of Chinese and English question words, as patterns over folded text. Data only.

General words of the language: nothing here comes from any corpus.
"""

from __future__ import annotations

import re
from typing import Literal

Kind = Literal["number", "date", "person", "place", "list", "definition", "how", "why", "comparison", "other"]
Metadata = Literal["authors", "affiliation", "title", "documents"]

_DIGITS = r"两二三四五六七八九十\d"
# "第三次" is one of them, not three.
_COUNT = rf"(?<![第一百千万.{_DIGITS}])[{_DIGITS}]{{1,3}}"
_NOUNS = (
    "个|种|项|类|条|点|方面|层面|维度|步|大|位|篇|座|家|次|句|件|剂|招|样|道|层|块|组|对|处|部分|"
    "环节|阶段|领域|原则|途径|路径"
)


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives))


# First match wins: a question for "哪三个" is for a list although it also holds a number.
KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "comparison",
        _any(
            "不同|区别|差异|异同|相比|对比|对照|比较|相同|共同(?:点|之处)|各自|分歧|一致吗|一样吗",
            "各(?:引|叫|说|讲|提|写|有|是|用)(?:了|到|的|什么|哪|啥|怎)",
            r"\bdiffer(?:s|ent|ence|ences)?\b|\bcompare|\bin common\b|\bversus\b|\bvs\b",
        ),
    ),
    (
        "why",
        _any(
            "为什么|为何|为啥|缘何|何以|凭什么|凭啥|干吗|干嘛|原因|缘由|理由|道理何在|出于什么|怎么会|目的是什么",
            r"\bwhy\b|\breason",
        ),
    ),
    (
        "list",
        _any(
            rf"哪些|哪几|哪{_COUNT}|哪儿?些|列举|列出|逐一|(?:几|多少)(?:个|大)?(?:方面|层面|维度|步骤|部分|环节|点)",
            r"分别(?:是|有|为|指|包括|叫|由|在)|分别.{0,8}(?:什么|哪|谁|啥)|都有(?:什么|谁|啥)",
            "有什么(?:内容|举措|措施|要求|做法|方法)|包括(?:什么|啥)|有什么样的",
            rf"{_COUNT}(?:{_NOUNS}).{{0,8}}(?:是什么|指什么|有啥|指的是)",
            r"\bwhat are\b|\bwhich (?:two|three|four|five|six|seven|\d)\b|\blist\b|\bname the\b",
            r"\bwhat (?:two|three|four|five|six)\b",
        ),
    ),
    (
        "date",
        _any(
            "何时|什么时候|什么时间|啥时候|哪一?[年月日天]|几[年月日号]|年份|日期",
            r"\bwhen\b|\bwhat (?:year|date|month)",
        ),
    ),
    (
        "number",
        _any(
            "多少|(?<![好十])几(?!乎|何|度|十|点了)|多(?:大|高|长|远|重|快|宽|深|久)|百分之|比例|占比|数量|数目|总数|总量|金额",
            r"\bhow (?:many|much|long|large|big|often|far|old)\b|\bwhat (?:percent|percentage|number|share)",
        ),
    ),
    ("person", _any(r"(?<!无论)谁|哪位|何人|什么人|哪个人|\bwho(?:m|se)?\b")),
    (
        "place",
        _any(
            "哪里|哪儿|何处|何地|什么地方|在哪|哪座城|哪国|哪个(?:城市|国家|地方|省|市|县)",
            r"\bwhere\b|\bwhich (?:city|cities|place|country)",
        ),
    ),
    (
        "how",
        _any(
            "如何|怎么|怎样|怎麽|咋|靠什么|通过什么|用什么|什么(?:办法|方法|方式|手段|措施|途径)",
            r"\bhow\b",
        ),
    ),
    (
        "definition",
        _any(
            "什么是|是什么|何谓|何为|啥叫|啥是|是啥|什么叫|叫什么|指什么|指的?是|定义|含义|意思",
            r"\bwhat (?:is|does|was)\b|\bdefin|\bmean",
        ),
    ),
)

METADATA: tuple[tuple[Metadata, re.Pattern[str]], ...] = (
    (
        "affiliation",
        _any(
            "(?:作者|笔者|供职|就职|任职|工作).{0,8}(?:单位|机构|学校|大学|哪里|哪儿|哪个|何处)",
            "(?:来自|属于|在|是)(?:哪个|哪些|哪家|什么)(?:单位|机构|学校|大学|学院|高校|部门)(?!.{0,6}(?:负责|牵头))",
            "哪个单位的|什么单位的|作者.{0,6}(?:身份|职务|职称|头衔|职业|来自)|哪个(?:课题|项目|基金)的?成果",
            r"(?:课题|项目|基金)(?:的)?(?:编号|号)|(?:什么|哪个|哪项).{0,6}(?:课题|项目|基金)的?成果",
            "在(?:哪里|哪儿|哪个单位|什么单位|哪家单位)(?:工作|任职|供职|就职|上班)",
            "作者.{0,40}(?:哪|什么).{0,4}(?:单位|中心|机构|学校|大学|学院|部门)",
            "作者(?:里|中|当中|之中).{0,8}(?:谁|哪)",
            "是(?:什么人|何许人|干什么的|做什么的|干啥的|做啥的|什么身份|哪里人)$|(?:谁|哪[几两]?位作者|哪个作者)来自",
            r"的(?:单位|职务|职称|身份)|(?:单位|职务|职称)[和与及、]|^who is\b|\bwhere does .{1,40} work\b",
            r"\baffiliat",
        ),
    ),
    (
        "authors",
        _any(
            "作者.{0,4}(?:是谁|有谁|叫什么|名字|姓名|都?是哪|有哪|为谁|几)|作者$",
            "(?:谁|哪位|哪些人|何人|什么人|哪几位).{0,3}(?:写|撰|执笔|作者|著)|是谁(?:写|撰)|出自谁",
            "(?:谁|哪位)的(?:文章|手笔|大作)",
            r"\bwho (?:wrote|is the author|are the authors|authored)|\bauthors? of\b|\bwritten by\b",
        ),
    ),
    (
        "title",
        _any(
            "(?:标题|(?<!新)题目|篇名|题名|文章名).{0,2}(?:是|叫|为|有)?(?:什么|啥|哪|多少)",
            "(?:文章|这篇|那篇|文)(?:的)?(?:标题|题目)|(?:标题|题目)$|叫什么(?:标题|题目)|题为什么",
            r"\btitle of\b|\bwhat is the title\b",
        ),
    ),
    (
        "documents",
        _any("哪一?(?:几)?篇(?:文章|文)?|哪些文章|几篇文章", r"\bwhich (?:essay|article)s?\b"),
    ),
)

_SPEAKING = "说|提|讲|认为|主张|反对|反驳|觉得|赞成|建议|呼吁|批评|指出|强调|看法|观点|意见|写"
ASKS_VOICE = _any(
    rf"(?:谁|哪一?[位个]|何人).{{0,8}}(?:{_SPEAKING})|(?:{_SPEAKING}).{{0,4}}(?:是|出自)(?:谁|哪一?[位个])",
    "(?:哪一?[位个篇]|谁的).{0,3}(?:作者|学者|专家|笔者|文章)|哪个写的|作者(?:是|里)",
    r"\bwho (?:says|said|argue[sd]?|thinks|thought|propose[sd]?|oppose[sd]?)\b|\bwhich author\b",
)
"""Who holds a view: the answer is a name that stands in a byline, not in the sentence itself."""
COUNT_ASKED = re.compile(rf"(?:哪|这|那|的)?({_COUNT})(?:{_NOUNS})")
FRAME_WORDS = frozenset(
    word
    for words in (
        "看法 意见 观点 态度 立场 评价 主张 想法 感受 体会 说法 讲法 提法 结论 理由 原因 缘故 依据 论据 目的",
        "意义 意思 含义 认为 以为 觉得 赞成 赞同 同意 反对 支持 建议 提议 提出 提到 谈到 说到 讲到",
        "谈论 讨论 论述 阐述 叙述 讲述 描述 描写 形容 比喻 解释 说明 介绍 指出 强调 列举 举例 总结",
        "概括 回答 分析 批评 表示 表达 评论 看待 名叫 名字 名称 称呼 称为 叫作 叫做 办法 方法 做法",
        "方式 措施 步骤 例子 内容 情况 具体 主要 分别 简述 请问",
    )
    for word in words.split()
)
"""Words of a question's frame: they say what kind of answer is wanted, not what it is about. That a corpus
never writes one says nothing of what it holds."""
CLAUSE_END = re.compile(r"[,;。?!]+(?!\d)")
ENGLISH_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8}
