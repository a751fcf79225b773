"""Questions for a meaning and sentences that say it, by form; false friends of both."""

from __future__ import annotations

import pytest

from rag.text.definitions import asked_term, defines
from rag.text.folding import fold


@pytest.mark.parametrize(
    ("question", "term"),
    [
        ("什么是梅花桩？", "梅花桩"),
        ("何謂「魚鱗塘」？", "鱼鳞塘"),
        ("啥叫断奶肥嘛", "断奶肥"),
        ("火照是什么？", "火照"),
        ("“一河一策”到底指的是什么？", "一河一策"),
        ("识写分流是个啥意思？", "识写分流"),
        ("什么是“城市的温度”？", "城市的温度"),
        ("播种期是什么时候？", None),
        ("老韦是什么人？", None),
        ("糯香3号的父本是什么？", None),
        ("什么是梅花桩，有几根？", None),
        ("火照有什么用？", None),
    ],
)
def test_what_word_is_asked_for(question: str, term: str | None) -> None:
    assert asked_term(fold(question)) == term


@pytest.mark.parametrize(
    ("sentence", "term"),
    [
        ("釘如梅花，故曰「梅花樁」。", "梅花桩"),
        ("自底至顶凡十八层，谓之鱼鳞塘。", "鱼鳞塘"),
        ("每亩追施尿素，称为“断奶肥”。", "断奶肥"),
        ("火照是一小片挂釉的坯。", "火照"),
        ("锁汇，是指先约定汇率。", "锁汇"),
        ("所谓套牌，就是拿别人的品种换个名字来卖。", "套牌"),
        ("口述史（简称史访）是保存访谈的方法。", "口述史"),
        ("里甲者，农也，不习水性。", "里甲"),
        ("我主张“先人后机”：先由人来定。", "先人后机"),
        ("- 黄梢：树冠上有黄叶。", "黄梢"),
    ],
)
def test_sentences_that_define(sentence: str, term: str) -> None:
    assert defines(fold(sentence), term)


@pytest.mark.parametrize(
    ("sentence", "term"),
    [
        ("火照是去年出土的。", "火照"),
        ("老韦是他的朋友。", "老韦"),
        ("补贴是拐棍，不是腿。", "补贴"),
        ("茶园是因为缺水才荒的。", "茶园"),
        ("家庭是第一个课堂。", "家庭"),
        ("志愿者，是一群热心人。", "志愿"),
        ("生态茶园是一种茶园。", "茶园"),
        ("这不叫锁汇。", "锁汇"),
        ("什么叫公众科学？", "公众科学"),
        ("名为梅花桩的桩有十根。", "梅花"),
        ("锁汇即将推行。", "锁汇"),
        ("陈火生：烧了三窑。", "陈火生"),
    ],
)
def test_sentences_that_do_not_define(sentence: str, term: str) -> None:
    assert not defines(fold(sentence), term)
