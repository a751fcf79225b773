"""Change a question: so that it means the same (for positives), or so that its passage no longer answers it.

The first kind keeps the reader from asking for the same words: colloquial forms, keywords, typing errors. The
second
kind is what a false premise looks like: another number, another name, the opposite, a claim nobody made.
General words of the language only; nothing comes from a corpus that is served.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Sequence

from rag.text.folding import fold
from rag.text.function_words import FUNCTION_WORDS

_SWAPPED_TAGS = frozenset({"n", "nr", "ns", "nt", "nz", "v", "vn", "a", "t", "nrt", "l", "i", "j"})
_ASKING = re.compile("什么|哪|谁|多少|几|如何|怎|何|吗|呢")
_COLLOQUIAL = (
    ("什么", "啥"), ("怎么", "咋"), ("为什么", "为啥"), ("哪里", "哪儿"), ("如何", "怎么"),
    ("是什么", "指的是什么"), ("多少", "几"), ("为什么", "干嘛"), ("哪些", "哪几样"),
)  # fmt: skip
_OPENINGS = ("请问", "请问一下，", "我想知道", "想问下", "听说", "老师问，", "文中提到，", "", "", "")
_DENIALS = (
    "反对", "取消", "停止", "放弃", "禁止", "拒绝", "不再", "暂停",
    "撤销", "否定", "抵制", "限制", "推迟", "不愿", "没有",
)  # fmt: skip
_PRESUMING = (
    "为什么{denial}{claim}？", "{denial}{claim}的原因是什么？", "凭什么{denial}{claim}？",
    "何时{denial}{claim}？", "主张{denial}{claim}的理由是什么？",
)  # fmt: skip
_OPPOSITES = """
增加/减少 上升/下降 提高/降低 扩大/缩小 最大/最小 最高/最低 最多/最少 最早/最晚
最长/最短 首次/最后一次 支持/反对 赞成/反对 同意/拒绝 建立/取消 成立/解散 开始/结束
成功/失败 加入/退出 保留/拆除 允许/禁止 鼓励/限制 进入/离开 开放/关闭 胜利/失败
优点/缺点 优势/劣势 有利/不利 好处/坏处 国内/国外 公开/秘密 直接/间接 主要/次要
增强/削弱 加强/减弱 接受/拒绝 重视/忽视 肯定/否定 之前/之后 以前/以后 父亲/母亲
出生/去世 创立/撤销 设立/撤销 推动/阻止 促进/阻碍 积极/消极 富裕/贫穷 获得/失去
购买/出售 出口/进口 攻击/防守 生产/销毁 合并/分离 统一/分裂 升级/降级 任命/罢免
当选/落选 批准/否决 恢复/停止 继续/停止 采用/放弃 推出/下架 乐观/悲观 传统/现代
"""
_CLAUSE = re.compile("[，,。；;：:、！？!?]")


def opposites() -> dict[str, str]:
    """Words and their opposites, both ways."""
    found: dict[str, str] = {}
    for pair in _OPPOSITES.split():
        left, right = pair.split("/")
        found.setdefault(left, right)
        found.setdefault(right, left)
    return found


class Perturber:
    """Changes questions, drawing words of the same sort from a pool.

    Args:
        questions: Where words are drawn from.
        generator: Makes the choices.
    """

    def __init__(self, questions: Sequence[str], generator: random.Random) -> None:
        import rjieba

        self._random = generator
        self._opposites = opposites()
        self._pool: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._homophones: dict[str, list[str]] = defaultdict(list)
        for question in questions:
            for word, tag in rjieba.tag(fold(question)):
                if self._can_go(word, tag):
                    self._pool[tag, len(word)].append(word)
        self._learn_homophones("".join(questions))

    def reworded(self, question: str) -> str:
        """The question in another style, or as it is; its meaning stays."""
        import rjieba

        chance = self._random.random()
        if chance < 0.3:
            for formal, colloquial in self._random.sample(_COLLOQUIAL, len(_COLLOQUIAL)):
                if formal in question:
                    question = question.replace(formal, colloquial, 1)
                    break
            return self._random.choice(_OPENINGS) + question
        if chance < 0.4:
            words = [
                word
                for word in rjieba.cut(fold(question))
                if word not in FUNCTION_WORDS and re.search(r"\w", word)
            ]
            return " ".join(words) if len(words) >= 2 else question
        return self._mistyped(question) if chance < 0.5 else question

    def spoilt(self, question: str, answers: str) -> str | None:
        """The question with one thing changed, so that it asks for something else; None if nothing can be.

        Args:
            question: As it was asked.
            answers: What answers it: not to be changed.
        """
        import rjieba

        tagged = list(rjieba.tag(fold(question)))
        places: list[tuple[int, str]] = []
        for place, (word, tag) in enumerate(tagged):
            if word in answers:
                continue
            if word.isdecimal():
                places.append((place, "number"))
            elif word in self._opposites:
                places += [(place, "opposite")] * 3
            elif self._can_go(word, tag):
                places.append((place, "word"))
        if not places:
            return None
        place, how = self._random.choice(places)
        new = self._replacement(*tagged[place], how, question)
        if new is None:
            return None
        return "".join(
            [word for word, _ in tagged[:place]] + [new] + [word for word, _ in tagged[place + 1 :]]
        )

    def presuming(self, passage: str) -> str | None:
        """A question that presumes the denial of something the passage says is done; None if nothing fits."""
        import rjieba

        clauses = [clause for clause in _CLAUSE.split(passage) if 4 <= len(clause) <= 16]
        self._random.shuffle(clauses)
        for clause in clauses[:8]:
            word, tag = next(iter(rjieba.tag(clause)))
            if tag in ("v", "vn") and len(word) >= 2 and not any(denial in clause for denial in _DENIALS):
                denial = self._random.choice(_DENIALS)
                return self._random.choice(_PRESUMING).format(denial=denial, claim=clause)
        return None

    @staticmethod
    def _can_go(word: str, tag: str) -> bool:
        return (
            tag in _SWAPPED_TAGS
            and len(word) >= 2
            and word not in FUNCTION_WORDS
            and not _ASKING.search(word)
        )

    def _replacement(self, word: str, tag: str, how: str, question: str) -> str | None:
        if how == "opposite":
            return self._opposites[word]
        if how == "number":
            step = self._random.choice((-30, -11, -7, -5, -3, -2, -1, 1, 2, 3, 4, 6, 9, 12, 25))
            new = str(max(1, int(word) + (step if len(word) > 2 else step % 5 - 2)))
            return new if int(new) != int(word) else None
        for _ in range(30):
            candidates = self._pool.get((tag, len(word)))
            new = self._random.choice(candidates) if candidates else word
            if not set(new) & set(word) and new not in question:
                return new
        return None

    def _learn_homophones(self, text: str) -> None:
        from pypinyin import lazy_pinyin

        for char in dict.fromkeys(char for char in text if "\u4e00" <= char <= "\u9fff"):
            self._homophones[lazy_pinyin(char)[0]].append(char)

    def _mistyped(self, question: str) -> str:
        from pypinyin import lazy_pinyin

        places = [place for place, char in enumerate(question) if "\u4e00" <= char <= "\u9fff"]
        if not places:
            return question
        place = self._random.choice(places)
        same = [c for c in self._homophones[lazy_pinyin(question[place])[0]] if c != question[place]]
        return question[:place] + self._random.choice(same) + question[place + 1 :] if same else question
