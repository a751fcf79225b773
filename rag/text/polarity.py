"""What turns a statement round: negation, antonyms, hedges, reports and conditions. Small closed classes.

General words of the language, no corpus's. It is deliberately not a parser: a cue belongs to the next
content word of its clause, which is what can be decided from the surface.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

from rag.text.function_words import FUNCTION_WORDS

_NEGATORS_TEXT = """
不 没 没有 未 无 非 并非 并不 并未 并没有 不是 不能 不会 不可 不得 不要 不应 不必 不再 从不 从未 从没 从来不
未能 未必 未曾 毫不 毫无 绝不 决不 绝非 绝无 无法 无需 无须 不宜 不曾 不准 不许 尚未 勿 别 莫 很难 难以 难道
not no never without cannot
"""
_NEGATORS = frozenset(_NEGATORS_TEXT.split())
_NEGATING_VERBS_TEXT = """
取消 反对 禁止 拒绝 停止 避免 防止 否认 否定 放弃 废除 杜绝 严禁 缺乏 缺少 失去 不认为 不同意 不赞成
"""
_NEGATING_VERBS = frozenset(_NEGATING_VERBS_TEXT.split())
_NEUTRAL_TEXT = """
不仅 不但 不过 不断 不同 不少 不管 不论 无论 不如 不久 不只 不单 不光 不禁 不妨 未来 无锡 非常 非洲 不得不
不可或缺 不仅仅 不一而足 无数 无不 无非 莫不 没收 无人机 无线 无锡市 不丹 未免 是否 能否 可否 与否 别人 别处
莫非 莫斯科 不料 不由得 不外乎 不知不觉 不由 毫无疑问 无疑 不胜 不愧 不遗余力 不言而喻
"""
_NEUTRAL = frozenset(_NEUTRAL_TEXT.split())
_PREPOSITIONS = frozenset(["在", "把", "被", "给", "向", "对", "从", "用", "跟", "于"])
_PREFIXES = "不没未无"
# A relation that two swapped sides turn round: "甲比乙高", "甲来自乙".
_PIVOTS_TEXT = """
比 高于 低于 大于 小于 多于 少于 早于 晚于 优于 导致 造成 引起 来自 取代 战胜 打败 领导 击败 等于
"""
PIVOTS = tuple(_PIVOTS_TEXT.split())

_RISING = ["增加", "增长", "上升", "上涨", "增多", "提高", "提升", "增强", "扩大", "加快", "加强", "延长"]
_FALLING = ["减少", "下降", "下跌", "降低", "减弱", "缩小", "放慢", "减缓", "削弱", "缩短"]
_OPPOSITES = """
支持/反对 赞成/反对 同意/反对 最大/最小 最多/最少 最高/最低 最早/最晚 最好/最差 最长/最短 最快/最慢
先/后 先/再 先/然后 多/少 大/小 高/低 快/慢 早/晚 长/短 新/旧 好/坏 强/弱 深/浅 粗/细 冷/热 以前/以后
之前/之后 前/后 左/右 内/外 东/西 南/北 上午/下午
白天/夜里 白天/夜晚 早上/晚上 清晨/傍晚 成功/失败 开始/结束 盈利/亏损 安全/危险
允许/禁止 鼓励/禁止 进口/出口 购买/出售 买/卖 男/女 公开/秘密 集中/分散 优点/缺点 有利/不利 必须/不必
重要/次要 简单/复杂 容易/困难 晴天/雨天 晴/雨 春/秋 夏/冬 开/关 建成/拆除 修建/拆除 首先/最后 第一/最后
富裕/贫穷 主要/次要 直接/间接 积极/消极 乐观/悲观
"""
ANTONYMS: tuple[tuple[str, str], ...] = (
    *product(_RISING, _FALLING),
    *((left, right) for left, _, right in (pair.partition("/") for pair in _OPPOSITES.split())),
)
_STRONG = """
唯一: 首次,第一次: 首个,第一个: 最大: 最高: 最早: 最好: 最多: 最长: 最小: 最重要:
所有,全部,一切,全都,全体:都,每,各,凡 必须,务必:要,应,得,不能 永远,始终:总 一律:全部,都 完全: 彻底:
只有,仅仅,仅,只:才
"""
STRONG: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = tuple(
    (tuple(words.split(",")), (*words.split(","), *filter(None, weaker.split(","))))
    for words, _, weaker in (entry.partition(":") for entry in _STRONG.split())
)
"""Words that make a claim stronger, with those of which a source must have one, or they are invented."""

_REPORT = re.compile(
    "认为|以为|声称|宣称|据说|传说|传言|相传|谣传|谣言|讹传|谎称|主张|怀疑|猜测|设想|担心|有人说|误以|幻想|指责"
    "|抱怨|断言"
    # What one is told (not) to say is not said to be so.
    r"|(?:不能|不可|不要|不得|切勿|请勿|别|勿).{0,2}(?:说|讲|写|回答|宣称)|请(?:你|您)?(?:回答|说|答|写|输出|告诉|声明|宣布|复述)"
    r"|(?:必须|应当|应该|务必|一律|只能|要求|命令|改为|直接).{0,4}(?:回答|说|答复|写|输出|声明)"
    r"|(?:回答|答复|输出|复述|照抄)[:,“\"]"
)
_SAID = re.compile("指出|表示|强调|说|提出|所谓|称|写道|问")
_CONDITION = re.compile(
    r"如果|假如|倘若|若是|要是|假使|假设|除非|一旦|只要|只有|即使|(?:^|[,。;])若|的话|否则|\bif\b|\bunless\b"
)
_HEDGING = re.compile("可能|也许|或许|大概|恐怕|似乎|计划|打算|建议|希望|争取|预计|有望|力争|设想")
_MAY_HEDGE = re.compile(_HEDGING.pattern + r"|拟|准备|将|会|应|要|想|目标|\bmay\b|\bmight\b|\bplan")
_DISOWNED = re.compile(
    r"[”’」』\"'》)）]*(?:的|这种|这样|这一|之类|一)?.{0,4}"
    "(?:说法|观点|看法|论调|传言|误解|想法|主张|谣言|谬论)"
)
_NEGATION = re.compile(
    "不(?![仅但过断同少管论久只单光妨])|没|未(?!来)|无(?!论|数|锡)|非(?!常|洲)|勿|莫|别(?!人|处)"
    "|否认|反对|取消|禁止|拒绝|避免|防止|难道"
)


def polarities(tokens: Sequence[str]) -> list[tuple[str, int]]:
    """Content words of one clause with the parity of the negations that stand on each.

    Args:
        tokens: Folded words in order, function words among them.

    Returns:
        (word, 0 or 1) in order; a negating verb ("取消") is a word itself and turns the next one too. Between
        a negation and a verb, what a preposition introduces ("从不在白天点灯") is given with both.
    """
    found: list[tuple[str, int]] = []
    pending, beside = 0, False
    for token in tokens:
        if token in _NEGATORS:
            pending += 1
        elif token in _NEUTRAL:
            continue
        elif token in _PREPOSITIONS:
            beside = pending > 0
        elif token in _NEGATING_VERBS:
            found.append((token, pending % 2))
            pending += 1
        elif token[0] in _PREFIXES and len(token) > 1:
            found.append((token[1:], (pending + 1) % 2))
            pending = 0
        elif token not in FUNCTION_WORDS and token[0].isalnum():
            found.append((token, pending % 2))
            if beside:
                found.append((token, (pending + 1) % 2))
            pending, beside = (pending if beside else 0), False
    return found


def leaves_out_a_turn(before: str, after: str) -> bool:
    """Whether cutting a stretch out of its sentence drops what negates, reports or conditions it.

    Args:
        before: What stands before the stretch in its sentence, folded or not.
        after: What stands behind it.
    """
    turned = any(cue.search(before) for cue in (_NEGATION, _REPORT, _SAID, _CONDITION, _HEDGING))
    return turned or bool(_DISOWNED.match(after))


def reports(text: str) -> bool:
    """Whether a folded text reports what somebody believes ("有人认为")."""
    return bool(_REPORT.search(text))


def report_end(text: str) -> int:
    """Where the first reporting word of a folded text ends; -1 if it reports nothing."""
    found = _REPORT.search(text)
    return found.end() if found else -1


def says(text: str) -> bool:
    """Whether a folded text has any word of saying or believing."""
    return bool(_REPORT.search(text) or _SAID.search(text))


def is_conditional(text: str) -> bool:
    """Whether a folded text states a condition."""
    return bool(_CONDITION.search(text))


def hedges(text: str) -> bool:
    """Whether a folded text plainly says that something is only planned, hoped for or possible."""
    return bool(_HEDGING.search(text))


def may_hedge(text: str) -> bool:
    """Whether a folded text could be understood as a plan, wish or possibility ("将", "会" too)."""
    return bool(_MAY_HEDGE.search(text))
