"""Invented Chinese prose on tea, ships, stars and the like: words for generated pages and samples."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class FieldWords:
    """The vocabulary of one field."""

    name: str
    things: tuple[str, ...]
    actions: tuple[str, ...]
    qualities: tuple[str, ...]
    latin: tuple[str, ...]


FIELDS = (
    FieldWords(
        "茶",
        (
            "新茶",
            "茶园",
            "炒青",
            "泉水",
            "紫砂壶",
            "采茶人",
            "香气",
            "春芽",
            "茶汤",
            "焙火",
            "古道马帮",
            "茶饼",
        ),
        ("采摘", "揉捻", "烘焙", "冲泡", "窖藏", "品评"),
        ("清冽", "醇厚", "回甘", "细嫩", "陈年"),
        ("pH", "Oolong", "ISO 3720"),
    ),
    FieldWords(
        "船",
        ("龙骨", "桅杆", "帆船", "船坞", "舵手", "罗盘", "缆绳", "货舱", "灯塔", "海图", "季风", "锚链"),
        ("起锚", "修补", "驶过", "打捞", "测量", "装载"),
        ("坚固", "轻快", "远航", "逆风", "老旧"),
        ("GPS", "AIS", "Cutty Sark"),
    ),
    FieldWords(
        "星",
        (
            "彗星",
            "望远镜",
            "星云",
            "观测站",
            "行星轨道",
            "日食",
            "光谱",
            "星表",
            "流星雨",
            "天球仪",
            "黑子",
            "月面",
        ),
        ("观测", "记录", "推算", "拍摄", "命名", "校准"),
        ("明亮", "遥远", "周期性", "暗弱", "古老"),
        ("HD 209458", "CCD", "M31"),
    ),
    FieldWords(
        "蜂",
        ("蜂群", "蜂王", "蜜源", "蜂箱", "花粉", "养蜂人", "槐花", "巢脾", "蜂蜡", "油菜花", "分蜂", "蜜脾"),
        ("采集", "迁移", "繁育", "割蜜", "授粉", "越冬"),
        ("勤勉", "甘甜", "浓稠", "温顺", "早春"),
        ("DNA", "Apis", "B12"),
    ),
    FieldWords(
        "陶",
        ("窑火", "釉料", "陶土", "拉坯", "瓷片", "匠人", "开片", "匣钵", "青花", "窑址", "素胎", "龙窑"),
        ("烧制", "上釉", "修坯", "描绘", "出窑", "复原"),
        ("温润", "素雅", "薄胎", "斑驳", "失传"),
        ("XRF", "Celadon", "C14"),
    ),
    FieldWords(
        "桥",
        ("石拱", "桥墩", "木匠", "河床", "廊桥", "榫卯", "悬索", "渡口", "洪峰", "桥面", "栏板", "匠谱"),
        ("架设", "加固", "跨越", "勘测", "重建", "养护"),
        ("陡峭", "轻盈", "稳固", "蜿蜒", "宋代"),
        ("BIM", "Eads Bridge", "Q345"),
    ),
    FieldWords(
        "乐",
        ("古琴", "曲谱", "编钟", "笛声", "乐工", "弦索", "音律", "丝竹", "鼓点", "琴匠", "余音", "工尺谱"),
        ("演奏", "调弦", "传抄", "合奏", "吟唱", "修复"),
        ("悠扬", "苍劲", "空灵", "失传已久", "婉转"),
        ("CD", "A440", "Hi Fi"),
    ),
)


def make_title(rng: random.Random, words: FieldWords) -> str:
    """A title that speaks of the field."""
    a, b = rng.sample(words.things, 2)
    action = rng.choice(words.actions)
    quality = rng.choice(words.qualities)
    return rng.choice(
        [
            f"{action}{a}：{quality}的{b}从何而来",
            f"让{a}与{b}重新走近",
            f"“{a}”里的{quality}{b}",
            f"{a}、{b}与{quality}的日子",
            f"谁来{action}{quality}的{a}？",
            f"在{a}和{b}之间{action}一段{quality}的旧时光",
        ]
    )


def make_note(rng: random.Random, words: FieldWords) -> str:
    """What a note in brackets says, without the outer brackets."""
    thing, other = rng.sample(words.things, 2)
    return rng.choice(
        [
            f"作者单位：{thing}学会",
            f"作者系东海{thing}大学教授",
            f"作者单位分别为东海{thing}大学、南山{other}研究院",
            (
                f"作者系南山（东海）{thing}与{other}研究中心研究员，本文为{thing}专项课题"
                f"“{other}史料整理”（编号：KJ2031{rng.randint(100, 999)}）阶段成果"
            ),
            (
                f"作者单位：{thing}书院，本文系东海省{other}基金重点项目【ZD（乙）{rng.randint(10, 99)}】"
                f"成果，原载《{other}》第{rng.randint(2, 12)}期，有删节"
            ),
        ]
    )


def make_paragraph(rng: random.Random, words: FieldWords) -> str:
    """Two to nine sentences."""
    return "".join(make_sentence(rng, words) for _ in range(rng.randint(2, 9)))


def make_sentence(rng: random.Random, words: FieldWords) -> str:
    """One sentence of one to four clauses."""
    clauses = [_clause(rng, words) for _ in range(rng.randint(1, 4))]
    text = clauses[0]
    for clause in clauses[1:]:
        text += rng.choice("，，，，；、：") + clause
    if rng.random() < 0.06:
        inner = text.translate(str.maketrans("“”", "‘’"))
        return f"“{inner}。”"
    return text + rng.choice("。。。。。。。？！")


def _clause(rng: random.Random, words: FieldWords) -> str:
    a, b, c = rng.sample(words.things, 3)
    action, other = rng.sample(words.actions, 2)
    quality = rng.choice(words.qualities)
    number = rng.choice(["3000", "15%", "1.5万", "85", "2", "120.5"])
    return rng.choice(
        [
            f"{a}的{quality}来自{b}",
            f"人们{action}{a}又{other}{b}",
            f"{a}与{b}相互映照",
            f"以“{a}{quality}”为{b}",
            f"“{a}”不只是{quality}的{b}",
            f"共有{number}处{a}得到{action}",
            f"{number}个{quality}{a}等待{action}",
            f"用{rng.choice(words.latin)}{action}{a}",
            f"{a}（包括{b}、{c}）",
            f"在{a}—{b}—{c}之间{action}",
            f"《{a}{b}志》写到{quality}的{c}",
            f"当{a}遇到{b}",
            f"{quality}的时候才懂得{action}",
            f"既要{action}{a}",
            f"而{b}仍旧{quality}如初……",
        ]
    )
