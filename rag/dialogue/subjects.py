"""What a question is about: its subject with the question words cut out, and the thing that "它" would mean.

"茶园种了多少株茶树？" has the subject "茶园种的茶树" and the thing "茶园".
"""

from __future__ import annotations

import re

from rag.dialogue.phrase import Phrase
from rag.dialogue.wording import COUNTERS, GENERIC, NUMBER, QUESTION_WORD, SAYING, Token, tokens, word_set
from rag.text.folding import has_han

SUBJECT_MAX_CHARS = 80
THING_MAX_CHARS = 40
READ_MAX_CHARS = 240
"""What is asked of a longer question stands at its end, what it is about at its beginning."""
_ASKED = rf"(?:哪(?:些|{NUMBER}|几|一)?|什么样的|什么|甚么|啥|多少|几){COUNTERS}?(?:大|类|样)?"
_DEFINED = re.compile(
    r"^(?:什么是|何谓|何为|啥是|啥叫|什么叫做?|(?:怎么|如何|怎样)(?:理解|看待)|(?:说说|讲讲|谈谈|介绍(?:一下|下)?|解释(?:一下|下)?))(.+)$"
    r"|^(.+?)(?:到底|究竟|具体|分别|都)*(?:是|指的是|指|叫做?)(?:(?:用来)?(?:做|干))?(?:什么|啥|谁)(?:意思|东西|人|概念|样的|用?的)?$"
)
_HAS = re.compile(
    rf"(?:一共|总共|都|又|还|主要|具体|分别)*(?:有|包括|包含|分为|存在|是|涉及){_ASKED}(?=(.{{0,8}})$)"
)
_OBJECT = re.compile(rf"(?<=[^为凭])(?:了|(?<![经通超])过)?{_ASKED}(?=([^ ,。]{{1,10}})$)")
_MADE_BY = re.compile(r"(?:是|由|被)(?:谁|哪(?:位|个|家|些)人?|什么人).{0,8}$")
_HOW = re.compile(
    r"(?:具体|应该|应当|应|要|该|可以|需要)*(?:怎么|如何|怎样|咋样?)(?:做|办|干|弄|样)?(?:才能|的)?$|(?:该|要)?(?:干|做)(?:什么|啥)$"
)
_WHY = re.compile(
    r"(?:又|会|到底|究竟|是|应该|应当|该|可以|先|要|才|得)*(?:为什么|为何|为啥|凭什么|干吗|干嘛|怎么会|如何|怎么样?|怎样|咋)(?:说|样)?"
)
_ANY_ASKED = re.compile(
    rf"(?:一共|总共|到底|究竟|分别|各自|最)*(?:是|有|在|由|从|到|被)?(?:{QUESTION_WORD.pattern}){COUNTERS}?(?:地方|时候|人)?(?=(.?))"
)
_JOINTS = word_set("的 和 与 及 、 中 里 跟 以及")
_TAIL = word_set("""
    的 了 是 有 在 由 从 被 和 与 及 到 需要 应该
    应 该 要 会 能 可以 一共 总共 具体 分别 各自 一般 通常 吗
    么
""")
# Verbs that another verb follows as their object, so that they are no misread nouns.
_TAKE_VERBS = word_set("""
    适合 打算 准备 计划 需要 应该 可以 开始 继续 负责 参与 推动 帮助 坚持
    强调 希望 学习 主张 能够 必须 加快 实现 促进 依靠 通过 进行 决定 愿意
    积极 努力 喜欢 害怕 承担 发挥 提供 支持 要求 允许 禁止 反对
""")
_ABOUT = re.compile(r"^关于([^:]{1,60}):")
_ENGLISH_LEAD = re.compile(
    r"^(?:please |so |and )?"
    r"(?:(?:what|who|whom|whose|which|where|when|why|how)(?: (?:many|much|long|far|old|big))?\b)?"
    r"\s*(?:(?:is|are|was|were|does|do|did|can|could|should|will|would|has|have)\b)?\s*",
    re.IGNORECASE,
)
_ENGLISH_LATE = re.compile(
    r"^.*\b(?:does|do|did|is|are|was|were|can)\s+((?:the|a|an|this|that)\s+.+)$", re.IGNORECASE
)
NAMES = re.compile(r"^[\u4e00-\u9fff·]{2,6}(?:[、和与][\u4e00-\u9fff·]{2,6})*$")


def subject_of(question: str) -> str:
    """What a question is about, without its question words, bounded in length; "" if nothing is left."""
    if not has_han(question):
        return _english_subject(question)
    phrase = Phrase.of(question).bare()
    about = _ABOUT.match(phrase.plain)
    if about:
        return phrase.text[about.start(1) : about.end(1)]
    phrase = _asking_clause(phrase.part(-READ_MAX_CHARS))
    defined = _DEFINED.match(phrase.plain)
    if defined:
        group = 1 if defined.group(1) else 2
        return _trimmed(phrase.part(*defined.span(group)))
    for pattern in (_HAS, _OBJECT):
        found = pattern.search(phrase.plain)
        if found and not QUESTION_WORD.search(phrase.plain[: found.start()] + found.group(1)):
            head, noun = phrase.part(0, found.start()), found.group(1)
            joint = "的" if noun and head.plain and not head.plain.endswith("的") else ""
            rest = phrase.part(found.end()).text
            return _trimmed(Phrase.of(head.text + joint + rest))
    for pattern in (_MADE_BY, _HOW, _WHY):
        phrase = phrase.without(pattern)
    return _trimmed(phrase.without(_ANY_ASKED))


def _asking_clause(phrase: Phrase) -> Phrase:
    """All of a short question; of a long one the clauses from the last that holds what it is about."""
    if len(phrase.plain) <= 45:
        return phrase
    ends = [0, *(found.end() for found in re.finditer(r"[,。;?!]", phrase.plain))]
    for start in reversed(ends):
        part = phrase.part(start)
        if QUESTION_WORD.search(part.plain) and any(token.is_own_noun for token in tokens(part.plain)):
            return part
    return phrase


def _trimmed(phrase: Phrase) -> str:
    phrase = phrase.stripped()
    while (words := tokens(phrase.plain)) and words[-1].text in _TAIL:
        phrase = phrase.part(0, words[-1].start).stripped()
    return phrase.text[:SUBJECT_MAX_CHARS]


def thing_of(question: str) -> str:
    """The noun phrase that a question is about: quoted with its noun, defined, or the first; "" if none."""
    if not has_han(question):
        return _english_subject(question)
    phrase = Phrase.of(question).bare().part(0, READ_MAX_CHARS)
    about = _ABOUT.match(phrase.plain)
    if about:
        phrase = phrase.part(*about.span(1))
    defined = _DEFINED.match(phrase.plain)
    if defined:
        phrase = phrase.part(*defined.span(1 if defined.group(1) else 2))
    said = SAYING.search(phrase.plain[:14])
    if said and speaker(question):
        phrase = phrase.part(said.end())
    if defined and (whole := phrase.stripped().text) and len(whole) <= THING_MAX_CHARS:
        return whole  # What is defined is a noun phrase, whatever the tagger makes of it.
    words = tokens(phrase.plain)
    at = 0
    while at < len(words):
        end = _run_end(words, at)
        run = phrase.part(words[at].start, words[end - 1].end).stripped() if end > at else None
        if run and any(t.is_own_noun or t.quoted for t in words[at:end]):
            return run.text[:THING_MAX_CHARS]
        at = max(end, at + 1)
    return ""


def _run_end(words: tuple[Token, ...], start: int) -> int:
    """Where the noun phrase that begins at word `start` ends (`start` itself if none begins there)."""
    at = last = start
    while at < len(words):
        word, after = words[at], words[at + 1] if at + 1 < len(words) else None
        joins = word.text in _JOINTS and at > start and at - last < 2
        if word.quoted or word.is_noun or _misread_noun(words, at):
            at = last = at + 1
        elif joins or _modifies(word, after):
            at += 1
        else:
            break
    return last


def _modifies(word: Token, after: Token | None) -> bool:
    """Whether a word belongs to the noun after it: "一座", "公共", "大"."""
    noun_follows = after is not None and (after.is_noun or after.tag[0] in "qb")
    return word.tag[0] in "abmqt" and noun_follows and not QUESTION_WORD.search(word.text)


def _misread_noun(words: tuple[Token, ...], at: int) -> bool:
    """Whether a noun was read as a verb: between a noun and another verb ("社会组织承担", "修缮工程")."""
    word = words[at]
    if word.tag != "v" or len(word.text) < 2 or word.text in _TAKE_VERBS or at + 1 >= len(words):
        return False
    before = at > 0 and words[at - 1].tag in {"n", "b"} and len(words[at - 1].text) == 2
    after = words[at + 1]
    return before and (
        after.tag in {"v", "d", "p"} or after.text in {"该", "要", "应", "会", "的", "和", "、"}
    )


def speaker(question: str) -> str:
    """Who is said to say something in a question ("张三说…"), or ""."""
    phrase = Phrase.of(question).bare()
    said = SAYING.search(phrase.plain[:14])
    if not said:
        return ""
    name = phrase.text[: said.start()].strip().rstrip("还又都在老师教授先生女士")
    words = tokens(name)
    named = any(token.tag in {"nr", "nrt", "nrfg"} for token in words) or (
        len(name) <= 4 and all(token.is_own_noun or token.tag in {"a", "nr"} for token in words)
    )
    return name if name and named and NAMES.match(name) and name not in GENERIC else ""


def _english_subject(question: str) -> str:
    bare = question.strip().rstrip("?.! ")
    late = _ENGLISH_LATE.match(bare)
    if re.match(r"(?:what|who|where|when|why|how) (?:is|are|was|were) ", bare, re.IGNORECASE):
        late = None
    rest = late.group(1) if late else _ENGLISH_LEAD.sub("", bare, count=1)
    words = rest.split()
    if late and len(words) > 2:
        words = words[:3] if len(words) > 4 else words[:-1]
    return " ".join(words)[:SUBJECT_MAX_CHARS] or bare[:SUBJECT_MAX_CHARS]
