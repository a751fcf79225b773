"""Closed classes of words that point back or ask, and a reading of a text into tagged words.

General words of the language: nothing here comes from any corpus. Patterns are written for `aligned` text,
which is folded but keeps its length, so that what they find can be cut out of the text as typed.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from rag.text.folding import to_simplified

NUMERALS = "一二两三四五六七八九十"
NUMBER = rf"(?:[{NUMERALS}]{{1,3}}|\d{{1,2}})"
# What the items of a list are counted with.
CLASSIFIERS = (
    "方面|层面|维度|环节|阶段|步骤|部分|途径|路径|原则|举措|措施|办法|做法|理由|原因|"
    "个|种|项|点|条|类|步|件|句|招|样|块|层|组|位|家|座|道|者"
)
# What things in general are counted with.
COUNTERS = rf"(?:{CLASSIFIERS}|名|次|株|棵|只|条|本|部|篇|处|所|张|台|辆|艘|户|天|年|里|米|斤|吨|元|人)"


def word_set(text: str) -> frozenset[str]:
    """The words of a text that are parted by white space."""
    return frozenset(text.split())


# Nouns that name a side of something else and no thing of their own.
GENERIC = word_set("""
    原因 理由 目的 意义 作用 好处 坏处 优点 缺点 优势 不足 内容 措施 举措
    例子 结果 方法 办法 做法 步骤 区别 不同 效果 特点 特征 问题 目标 要求
    原则 条件 影响 背景 过程 情况 成效 成果 依据 关键 重点 核心 本质 前提
    名字 名称 定义 含义 意思 概念 数量 比例 时间 地点 日期 范围 规模 方面
    层面 部分 环节 关系 价值 功能 内涵 作者 单位 标题 题目 文章 东西 地方
    时候 事 事情 事儿 话 答案 细节 因素 经验 主体 对象 途径 方式 体系
    机制 道理 感觉 看法 观点 说法 程度 总数 出处 来源 代表 典型 别的 其他
    其它 上面 下面 前面 后面 以上 上述 刚才 刚刚 以下 里面 当中 之中 其中
    一些 部门 责任 任务 工作 行为 现象 回事
""")
ACTIONS = word_set("""
    做法 办法 措施 举措 方法 工作 行为 方式 事 事情 问题 现象 过程 目标
    说法 观点 看法 情况 变化 转变 思路
""")
# Verbs that say nothing about a subject: a question made of them has left its subject out.
LIGHT_VERBS = word_set("""
    是 有 做 干 办 搞 弄 说 讲 写 用 看 谈 提
    提到 提出 说明 指 指出 认为 觉得 包括 做到 实现 办到 发生 开始 结束
    解决 处理 进行 完成 出现 负责 产生 解释 介绍 举 举例 展开 继续 补充
    总结 主张 建议 需要 可以 应该 应 要 会 具体 能 能够 想 知道
    告诉 来 去 到 分 分为 写的 做的 建 成 叫 叫做 起 发表
    达到 证明 支持 强调 区别 不同 存在 一样
""")
SAYING = re.compile(r"说|讲|认为|觉得|主张|建议|指出|提出|强调|看来|写道|谈到|提到")

QUESTION_WORD = re.compile(
    "为什么|为何|为啥|凭什么|什么|甚么|哪|谁|何时|何地|多少|几(?![乎十百千])|如何|怎么|怎样|咋|啥"
    "|多(?:大|高|长|远|久|快|重|宽|深)"
)
POLITE = re.compile(
    r"^(?:(?:好的?|嗯+|哦+|喔|谢谢你?|明白了?|懂了|请问|请|麻烦(?:你|您)?|那么|所以|话说|对了|顺便问一?下|我?还?想知道|"
    r"我?还?想问(?:问|一下)?|(?:你|您)?(?:能|可以)?(?:再)?告诉我)[,、。!:\s]*)+"
)
THEN = re.compile(
    r"^(?:那(?!个|些|种|项|座|套|条|点|件|位|家|是|时|里|边|样|么|年|天|次|几|两|三|一|篇|本|句)|而|可是|但是?)"
)
END = re.compile(r"[?。!.…~;,:\s]+$")
PARTICLE = re.compile(r"(?:呢|啊|呀|吧|来着|哩|嘛)$")


@dataclass(frozen=True, slots=True)
class Token:
    """A tagged word and its half-open place in the text; `quoted` inside quotation or title marks."""

    text: str
    tag: str
    start: int
    end: int
    quoted: bool

    @property
    def is_noun(self) -> bool:
        """Whether it names something (tags as in the People's Daily corpus)."""
        return (
            self.tag[0] == "n" or self.tag in {"vn", "an", "eng", "s", "j", "l", "i"} or self.text in GENERIC
        )

    @property
    def is_own_noun(self) -> bool:
        """Whether it names a thing, not a side of one."""
        return self.is_noun and self.text not in GENERIC


def _fold_char(char: str) -> str:
    folded = unicodedata.normalize("NFKC", char).lower()
    return folded if len(folded) == 1 else char


@lru_cache(maxsize=256)
def aligned(text: str) -> str:
    """The text in simplified script, half width and lower case, of the same length."""
    simplified = to_simplified(text)
    if len(simplified) != len(text):
        simplified = "".join(one if len(one := to_simplified(char)) == 1 else char for char in text)
    plain = simplified.translate(str.maketrans("「」『』", "“”“”"))
    return "".join(char if "\u4e00" <= char <= "\u9fff" else _fold_char(char) for char in plain)


@lru_cache(maxsize=256)
def tokens(plain: str) -> tuple[Token, ...]:
    """The tagged words of an aligned text, in order."""
    import rjieba

    found: list[Token] = []
    place = depth = 0
    for word, tag in rjieba.tag(plain):
        start = plain.find(word, place)
        if start < 0:
            continue
        depth += sum(char in "“《" for char in word)
        found.append(Token(word, tag or "x", start, start + len(word), depth > 0))
        depth = max(0, depth - sum(char in "”》" for char in word))
        place = start + len(word)
    return tuple(found)


def own_nouns(plain: str) -> list[Token]:
    """The words of an aligned text that name things of their own."""
    return [token for token in tokens(plain) if token.is_own_noun or (token.quoted and token.tag != "x")]
