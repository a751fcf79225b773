"""Questions that leave out what they are about ("为什么？", "谁写的？"): it is put back."""

from __future__ import annotations

import re

from rag.dialogue.antecedents import Exchange
from rag.dialogue.phrase import Phrase
from rag.dialogue.wording import GENERIC, QUESTION_WORD, tokens

_WHY = re.compile(
    "^(?:这|那|又|到底|究竟|是|会|要)*(?:为什么|为何|为啥|凭什么)(?:要|会|是)?"
    "(?:这样|这么做|那样|如此)?(?:做|说)?$"
)
# What is asked, and the question made of it: `{s}` the subject, `{q}` the words asked. The first that fits.
_FORMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            "^(?:还有|另外|除此之外|除了这些|其他|其它|别的|剩下|其余|然后|接下来|接着|继续)"
            "(?:的|呢|吗|什么|哪些|别的|其他|其它|说|讲|有|还|没|了|东西|内容|方面|点|几)*$"
        ),
        "{s}还有哪些{more}",
    ),
    (
        re.compile("^(?:比如|例如|举(?:个|些|几个)?例子?|有(?:什么|哪些|没有)例子)(?:说|吗|说说)?$"),
        "{s}有哪些例子",
    ),
    (
        re.compile(
            "^(?:再)?(?:具体|详细|展开|仔细)?(?:点|些|一点|一些)?(?:地)?"
            "(?:说说|讲讲|谈谈|介绍|解释|说明|是怎样的?|是什么)?(?:一下|下|看)?$"
            "|^(?:什么意思|怎么讲|怎么理解|啥意思|此话怎讲)$"
        ),
        "{s}具体是怎样的",
    ),
    (re.compile("^(?:哪里|哪儿|什么地方|何处)$"), "{s}在{q}"),
    (re.compile("^是(?:怎么|如何|怎样|何时|什么时候|谁).*的$"), "{s}{q}"),
    (
        re.compile(
            "^(?:这|那|又|究竟|到底|都)*(?:怎么|如何|怎样|咋|何时|什么时候|在?哪里|在?哪儿|谁|由谁"
            "|哪[年天月]).*的$"
        ),
        "{s}是{q}",
    ),
    (re.compile("^(?:一共|总共|大概|到底|究竟)*(?:多少|几|哪几|哪些)"), "{s}有{q}"),
    (re.compile("^(?:具体|到底|究竟)?(?:怎么|如何|怎样|咋)(?:做|办|弄|干|搞)"), "{s}{q}"),
)
_SIDE_MAX_CHARS = 3
_OWN_ARTICLE = re.compile(
    "^(?:(?:这|那|该|本)(?:篇文章|文章|篇)?|文章|它)的?"
    "(?=是|写|作者|标题|题目|谁|出自|在|里|有|还|主要|讲|说|的|怎|为|哪|共|一共)"
)


def about_article(bare: Phrase, exchanges: list[Exchange]) -> str:
    """A question about the article that was spoken of, or ""."""
    article = next((last.article for last in reversed(exchanges) if last.article), "")
    if not article:
        return ""
    if bare.plain.startswith(("哪", "是哪")):
        return f"{exchanges[-1].subject}是{bare.text.removeprefix('是')}"
    named = _OWN_ARTICLE.match(bare.plain)
    rest = bare.part(named.end()) if named else bare
    if re.match("作者|标题|题目|的", rest.plain):
        return f"{article}的{rest.text.removeprefix('的')}"
    joint = "" if named or rest.plain.startswith(("是", "出自")) else "是"
    return f"{article}{joint}{rest.text}"


def with_subject(bare: Phrase, exchanges: list[Exchange]) -> str:
    """A question with the subject of the last one, or ""."""
    last = exchanges[-1]
    bare = bare.part(len("其中的")) if bare.plain.startswith("其中的") else bare
    subject, plain, text = last.subject, bare.plain, bare.text
    if not subject or not plain:
        return ""
    if _WHY.match(plain):
        return f"为什么{subject}" if is_clause(subject) else f"{subject}，为什么"
    for pattern, form in _FORMS:
        if pattern.match(plain):
            return form.format(s=subject, q=text, more="" if "的" in subject else "内容")
    if tokens(plain)[0].text in GENERIC:
        return f"{subject}的{text}{'是什么' if len(plain) <= _SIDE_MAX_CHARS else ''}"
    if not QUESTION_WORD.match(plain) and len(last.thing) >= 2:
        return f"{last.thing}{text}"
    return f"{subject}，{text}"


def is_clause(subject: str) -> bool:
    """Whether a subject says something, so that "为什么" can stand before it."""
    words = tokens(Phrase.of(subject).plain)
    return "的" not in subject[-4:-1] and any(token.tag == "v" and not token.quoted for token in words)
