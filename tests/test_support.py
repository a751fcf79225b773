"""Paraphrases with labels over invented places: what the gate admits, what it rejects.

`YES` and `NO` were at hand when the rules were written; `FRESH_YES` and `FRESH_NO`, about another place, were
labelled afterwards. When they were first tried, all of `FRESH_YES` and 19 of the 22 of `FRESH_NO` came out
right: the honest rates. Two kinds of error have been repaired since ("先…再…", "从…到…"); a swapped agent
is left.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from rag.answering.citations import SourceLinks
from rag.answering.gate import Gate
from rag.answering.marks import MarkedSentence
from rag.answering.support import Support, Unsupported, support
from rag.answering.wording import SHARE
from rag.corpus import Corpus, build_corpus
from rag.reading.decoding import source_from_text
from rag.records import Passage

HILL = """制茶三法

■陆青山

去年，云岭茶园种下茶树一千零三十一株，雇用采茶工人36名。茶园2019年建成，2021年投产，总投资3000万元。工人的日薪比学徒的日薪高。

老茶师王建国在苏州学艺，后来回到云岭开办茶厂。茶厂的产量比前年增长百分之五，烘干用的木炭减少了两成。

茶叶采下以后不能过夜，必须当天炒青。炒青的铁锅要烧到发白才能下茶。揉捻越细，茶汤越浓，这就是所谓的“细揉出浓汤”。

有人认为，机器炒茶会毁掉香气。茶厂计划明年购买三台烘干机。如果雨季提前，春茶的产量就会下降。机器能代替手艺吗？

（作者单位：云岭茶叶学校）
"""
SEA = """■周海生 冯远帆

东港的灯塔建于1908年，塔高25米，守灯人从不在白天点灯。老船工都敬重守灯人。灯塔由荷兰工程师设计，石料来自海门。

修船用的桐油每年要备足八桶，麻绳要备三十多捆。渔民反对拆除旧码头，港务局取消了夏季的拖网许可。

先补船底，后刷桐油，是老船工的规矩。台风过后，渔船的数量上升，事故的数量下降。码头停靠的渔船共有120艘，货船45艘。

守灯人每晚点灯两次，雨夜要点三次。老船工都敬重守灯人。渔民把这盏灯叫做“海上的眼睛”。

（作者系东港海事学院教授）
"""
VALLEY = """■何水清

清溪村有农户三百二十户，其中养蜂户45户。2018年村里修通公路，2020年办起蜂蜜合作社。合作社年产蜂蜜12.5吨，每吨售价4万元。

村医林素芬每周出诊两次。卫生室不收挂号费，药品由县医院配送。2022年全村的门诊量比上年下降8%。

专家组建议封山育林。村民并不赞成砍伐竹林，只在冬季允许间伐。竹林面积从1500亩扩大到2100亩。

水库的水先供灌溉，再供发电。若水位低于警戒线，电站就停机。据说水库底下埋着一座老镇。

（作者单位：清溪县志办公室）
"""


def ranked(corpus: Corpus) -> list[Passage]:
    return [
        Passage(rank, 1 / (rank + 1), chunk, corpus.document_by_id[chunk.document_id], "")
        for rank, chunk in enumerate(corpus.chunks, 1)
    ]


def place(text: str, passages: list[Passage]) -> int:
    return next(passage.rank for passage in passages if text in passage.chunk.text)


CORPUS = build_corpus(
    [source_from_text("hill.txt", HILL), source_from_text("sea.txt", SEA)], chunk_max_chars=120
)
PASSAGES = ranked(CORPUS)
FRESH = build_corpus([source_from_text("valley.txt", VALLEY)], chunk_max_chars=120)
FRESH_PASSAGES = ranked(FRESH)
TREES, FACTORY, FRYING, MACHINES = (
    place(text, PASSAGES) for text in ("一千零三十一", "王建国", "过夜", "机器炒茶")
)
TOWER, ROPE, BOATS, LAMP = (place(text, PASSAGES) for text in ("1908", "桐油每年", "先补船底", "每晚点灯"))
BEES, NURSE, BAMBOO, DAM = (place(text, FRESH_PASSAGES) for text in ("养蜂户", "林素芬", "封山", "水库的水"))


def gate() -> Gate:
    return Gate(PASSAGES, CORPUS, links=SourceLinks())


def fresh_gate() -> Gate:
    return Gate(FRESH_PASSAGES, FRESH, links=SourceLinks())


@dataclass(frozen=True)
class Case:
    text: str
    marks: tuple[int, ...]
    admit: bool


YES = [
    # Numbers by value, units by another name, words in another order.
    ("云岭茶园去年种下1031株茶树。", (TREES,)),
    ("云岭茶园去年种下１０３１棵茶树。", (TREES,)),
    ("去年云岭茶园雇用了三十六位采茶工人。", (TREES,)),
    ("茶园于2019年建成，总投资三千万元。", (TREES,)),
    ("茶园总投资30000000元。", (TREES,)),
    ("茶园在二〇二一年投产。", (TREES,)),
    ("根据资料，云岭茶园雇用采茶工人36人。", (TREES,)),
    ("工人的日薪比学徒高。", (TREES,)),
    ("老茶师王建国曾在苏州学艺。", (FACTORY,)),
    ("王建国后来回到云岭，开办了茶厂。", (FACTORY,)),
    ("茶厂的产量比前年增长5%。", (FACTORY,)),
    ("烘干用的木炭减少了20%。", (FACTORY,)),
    ("綜上所述，老茶師王建國在蘇州學藝。", (FACTORY,)),
    ("茶叶采下后必须当天炒青，不能过夜。", (FRYING,)),
    ("铁锅要烧到发白才能下茶。", (FRYING,)),
    ("揉捻越细茶汤越浓，即所谓“细揉出浓汤”。", (FRYING,)),
    ("陆青山指出，茶叶采下以后不能过夜。", (FRYING,)),
    ("陆青山在《制茶三法》中认为，铁锅要烧到发白才能下茶。", (FRYING,)),
    ("有人认为机器炒茶会毁掉香气。", (MACHINES,)),
    ("茶厂计划明年购买3台烘干机。", (MACHINES,)),
    ("如果雨季提前，春茶产量会下降。", (MACHINES,)),
    ("陆青山认为：", (TREES,)),
    ("陆青山（《制茶三法》）：", (TREES,)),
    ("周海生、冯远帆指出：", (TOWER,)),
    ("东港灯塔建于1908年，高25米。", (TOWER,)),
    ("守灯人从不在白天点灯。", (TOWER,)),
    ("守灯人白天从不点灯。", (TOWER,)),
    ("灯塔的石料来自海门。", (TOWER,)),
    ("灯塔是荷兰工程师设计的。", (TOWER,)),
    ("修船用的桐油每年要备足8桶。", (ROPE,)),
    ("麻绳要备30多捆。", (ROPE,)),
    ("渔民反对拆除旧码头。", (ROPE,)),
    ("港务局取消了夏季的拖网许可。", (ROPE,)),
    ("老船工的规矩是先补船底，后刷桐油。", (BOATS,)),
    ("台风过后，渔船数量上升。", (BOATS,)),
    ("码头停靠渔船120艘、货船45艘。", (BOATS,)),
    ("守灯人每晚点灯2次，雨夜点灯3次。", (LAMP,)),
    ("渔民把这盏灯称为“海上的眼睛”。", (LAMP,)),
    ("塔高25米的东港灯塔建于1908年，每晚点灯两次。", (TOWER, LAMP)),
    ("守灯人从不在白天点灯，每晚点灯两次。", (TOWER, LAMP)),
    # Marks missing, wrong or out of range, with one passage that says it.
    ("灯塔的石料来自海门。", ()),
    ("茶厂的产量增长5%。", (TOWER,)),
    ("守灯人雨夜点灯三次。", (99, 0)),
    ("老茶师王建国在苏州学艺。", (FACTORY, 77)),
    ("老船工都敬重守灯人。", (LAMP,)),
    ("老船工敬重守灯人。", (TOWER,)),
    # Two marks where one is enough; a half quotation that stands alone.
    ("修船用的桐油每年要备足八桶。", (ROPE, BOATS)),
    ("麻绳要备三十多捆。", (ROPE,)),
    ("炒青的铁锅要烧到发白。", (FRYING,)),
]
NO = [
    # Wrong numbers, units and things counted.
    ("云岭茶园去年种下1032株茶树。", (TREES,)),
    ("云岭茶园去年种下一千三百零一株茶树。", (TREES,)),
    ("茶园雇用采茶工人1031名。", (TREES,)),
    ("云岭茶园种下茶树36株。", (TREES,)),
    ("茶园种下1031株桃树。", (TREES,)),
    ("茶园2019年投产。", (TREES,)),
    ("茶园2021年建成。", (TREES,)),
    ("茶园于2020年建成。", (TREES,)),
    ("茶园总投资300万元。", (TREES,)),
    ("茶园总投资3000万吨。", (TREES,)),
    ("茶厂的产量比前年增长15%。", (FACTORY,)),
    ("烘干用的木炭减少了百分之五。", (FACTORY,)),
    ("麻绳要备三十捆。", (ROPE,)),
    ("修船用的桐油每月要备足十八桶。", (ROPE,)),
    ("码头停靠的货船共有120艘。", (BOATS,)),
    ("码头停靠的渔船有45艘。", (BOATS,)),
    ("守灯人每晚点灯三次。", (LAMP,)),
    ("灯塔高25公里。", (TOWER,)),
    # Names, places, titles, dates, quotations.
    ("老茶师王建民在苏州学艺。", (FACTORY,)),
    ("老茶师李大年在苏州学艺。", (FACTORY,)),
    ("老茶师王建国在杭州学艺。", (FACTORY,)),
    ("灯塔由英国工程师设计。", (TOWER,)),
    ("灯塔的石料来自青岛。", (TOWER,)),
    ("东港的灯塔建于1908年5月。", (TOWER,)),
    ("今年云岭茶园种下茶树1031株。", (TREES,)),
    ("港务局取消了冬季的拖网许可。", (ROPE,)),
    ("周海生认为，茶叶采下以后不能过夜。", (FRYING,)),
    ("陆青山在《制茶五法》中说，铁锅要烧到发白才能下茶。", (FRYING,)),
    ("揉捻越细，茶汤越浓，所谓“细揉出清汤”。", (FRYING,)),
    ("渔民把这盏灯叫做“海上的眼泪”。", (LAMP,)),
    ("江大海认为：", (TREES,)),
    ("陆青山认为茶叶有益健康：", (TREES,)),
    ("UNESCO把灯塔列入名录。", (TOWER,)),
    # Negation, antonyms, sides.
    ("茶叶采下以后能过夜。", (FRYING,)),
    ("茶叶采下以后可以过夜。", (FRYING,)),
    ("茶叶不必当天炒青。", (FRYING,)),
    ("守灯人在白天点灯。", (TOWER,)),
    ("守灯人每晚不点灯。", (LAMP,)),
    ("渔民支持拆除旧码头。", (ROPE,)),
    ("渔民不反对拆除旧码头。", (ROPE,)),
    ("港务局没有取消夏季的拖网许可。", (ROPE,)),
    ("港务局发放了夏季的拖网许可。", (ROPE,)),
    ("茶厂的产量比前年减少百分之五。", (FACTORY,)),
    ("烘干用的木炭增加了两成。", (FACTORY,)),
    ("台风过后，渔船的数量下降，事故的数量上升。", (BOATS,)),
    ("先刷桐油，后补船底，是老船工的规矩。", (BOATS,)),
    ("学徒的日薪比工人的日薪高。", (TREES,)),
    ("工人的日薪比学徒的日薪低。", (TREES,)),
    # What a source only reports, plans, asks or makes a condition of.
    ("机器炒茶会毁掉香气。", (MACHINES,)),
    ("茶厂明年购买了三台烘干机。", (MACHINES,)),
    ("春茶的产量会下降。", (MACHINES,)),
    ("机器能代替手艺。", (MACHINES,)),
    ("陆青山认为机器炒茶会毁掉香气。", (MACHINES,)),
    # Additions, half truths, nothing said.
    ("灯塔的石料来自海门，因此获得国家建筑金奖。", (TOWER,)),
    ("东港的灯塔是全国最高的灯塔，塔高25米。", (TOWER,)),
    ("所有渔民都反对拆除旧码头。", (ROPE,)),
    ("根据资料，回答如下：", (TREES,)),
    ("综上所述。", (TREES,)),
    ("茶能提神醒脑，延年益寿。", (FRYING,)),
    ("炒青的铁锅要烧到发红才能下茶。", (FRYING,)),
    ("炒青的铁锅要烧到发红", (FRYING,)),
    ("有人认为，机器炒茶会毁掉香味。", (MACHINES,)),
    ("老茶师王建国在北京开办茶厂。", (FACTORY,)),
    # Two passages would do and none is named; marks out of range.
    ("老船工都敬重守灯人。", ()),
    ("老船工敬重守灯人。", ()),
    ("老船工敬重守灯人。", (FRYING,)),
    ("云岭茶园去年种下1032株茶树。", (99,)),
]
FRESH_YES = [
    ("清溪村共有320户农户，养蜂户有45户。", (BEES,)),
    ("2018年，村里修通了公路。", (BEES,)),
    ("蜂蜜合作社是2020年办起来的。", (BEES,)),
    ("合作社每年产蜂蜜12.5吨。", (BEES,)),
    ("蜂蜜每吨售价40000元。", (BEES,)),
    ("村医林素芬每周出诊2次。", (NURSE,)),
    ("卫生室的药品由县医院配送，不收挂号费。", (NURSE,)),
    ("2022年，全村门诊量比上年下降百分之八。", (NURSE,)),
    ("专家组建议封山育林。", (BAMBOO,)),
    ("村民不赞成砍伐竹林。", (BAMBOO,)),
    ("竹林面积由1500亩扩大到2100亩。", (BAMBOO,)),
    ("间伐只在冬季允许。", (BAMBOO,)),
    ("水库先供水灌溉，再供发电。", (DAM,)),
    ("如果水位低于警戒线，电站就会停机。", (DAM,)),
    ("据说有一座老镇埋在水库底下。", (DAM,)),
    ("何水清提到，村医林素芬每周出诊两次。", (NURSE,)),
    ("林素芬是村医，每周出诊两次。", ()),
]
FRESH_NO = [
    ("清溪村有农户45户。", (BEES,)),
    ("清溪村有养蜂户320户。", (BEES,)),
    ("2020年村里修通公路。", (BEES,)),
    ("合作社年产蜂蜜12.5公斤。", (BEES,)),
    ("合作社年产蜂蜜125吨。", (BEES,)),
    ("蜂蜜每吨售价4元。", (BEES,)),
    ("村医林淑芬每周出诊两次。", (NURSE,)),
    ("村医林素芬每月出诊两次。", (NURSE,)),
    ("卫生室收挂号费。", (NURSE,)),
    ("卫生室的药品由省医院配送。", (NURSE,)),
    ("2022年全村的门诊量比上年上升8%。", (NURSE,)),
    ("村民赞成砍伐竹林。", (BAMBOO,)),
    ("专家组已经封山育林。", (BAMBOO,)),
    ("竹林面积从2100亩缩小到1500亩。", (BAMBOO,)),
    ("夏季允许间伐。", (BAMBOO,)),
    ("水库的水先供发电，再供灌溉。", (DAM,)),
    ("电站停机。", (DAM,)),
    ("水库底下埋着一座老镇。", (DAM,)),
    ("水库底下埋着三座老镇。", (DAM,)),
    ("竹林面积从2100亩扩大到1500亩。", (BAMBOO,)),
    ("县医院的药品由卫生室配送。", (NURSE,)),
    ("清溪村盛产蜂蜜，是全国最大的蜂蜜产地。", (BEES,)),
]
CASES = [
    *(Case(text, marks, True) for text, marks in YES),
    *(Case(text, marks, False) for text, marks in NO),
]
FRESH_CASES = [
    *(Case(text, marks, True) for text, marks in FRESH_YES),
    *(Case(text, marks, False) for text, marks in FRESH_NO),
]


def wrong(cases: list[Case], *, admit: bool) -> list[str]:
    """Cases with this label that come out the other way."""
    found = []
    for case in (case for case in cases if case.admit is admit):
        judge = fresh_gate() if case in FRESH_CASES else gate()
        if (judge.check(MarkedSentence(case.text, case.marks)) is not None) != admit:
            found.append(case.text)
    return found


def test_the_rates() -> None:
    assert (len(YES), len(NO), len(FRESH_YES), len(FRESH_NO)) == (49, 67, 17, 22)
    # The source leaves out what is done three times ("雨夜要点三次"): a paraphrase that says it is too bold.
    assert wrong(CASES, admit=True) == ["守灯人雨夜点灯三次。"]
    assert wrong(CASES, admit=False) == []
    assert wrong(FRESH_CASES, admit=True) == []
    # Right words, wrong relation: no rule here sees it.
    assert wrong(FRESH_CASES, admit=False) == ["县医院的药品由卫生室配送。"]


def judged(
    text: str, numbers: tuple[int, ...], *, fresh: bool = False, share: float = SHARE
) -> Support | Unsupported:
    """A claim against the sentences of passages, without looking for it word for word first."""
    corpus, passages = (FRESH, FRESH_PASSAGES) if fresh else (CORPUS, PASSAGES)
    chunks = [passages[n - 1].chunk.ordinal for n in numbers if n <= len(passages) and n]
    rows = [corpus.sentences[row] for chunk in chunks for row in corpus.sentences_of_chunk[chunk]]
    documents = [passages[n - 1].document for n in numbers if n <= len(passages) and n]
    return support(text, rows, documents, share=share)


def passed_at(share: float) -> tuple[int, int]:
    """How many of the cases with right marks pass: of those to admit, and of those to reject."""
    counts = {True: 0, False: 0}
    for case in (*CASES, *FRESH_CASES):
        found = judged(case.text, case.marks, fresh=case in FRESH_CASES, share=share)
        counts[case.admit] += isinstance(found, Support)
    return counts[True], counts[False]


def test_the_share_is_where_the_lists_put_it() -> None:
    """The highest share that loses nothing which should pass; the other tests do most of the rejecting."""
    assert {share: passed_at(share) for share in (0.4, SHARE, 0.8, 0.95)} == {
        0.4: (62, 1),
        SHARE: (62, 1),
        0.8: (58, 1),
        0.95: (56, 1),
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("云岭茶园去年种下1032株茶树。", "数字 1032株 不在所引段落中"),
        ("茶园总投资3000万吨。", "数字 3000万吨 的单位与所引段落不符"),
        ("茶园雇用采茶工人1031名。", "数字 1031名 在所引段落中说的不是同一事物"),
        ("根据资料，回答如下：", "没有实质内容"),
    ],
)
def test_the_reason_names_what_is_missing(text: str, why: str) -> None:
    found = judged(text, (TREES,))
    assert isinstance(found, Unsupported)
    assert found.why == why


def test_the_smallest_set_is_chosen_in_reading_order() -> None:
    found = judged("塔高25米的东港灯塔每晚点灯两次。", (LAMP, TOWER))
    assert isinstance(found, Support)
    assert [sentence.text for sentence in found.sentences] == [
        "东港的灯塔建于1908年，塔高25米，守灯人从不在白天点灯。",
        "守灯人每晚点灯两次，雨夜要点三次。",
    ]
    alone = judged("守灯人每晚点灯2次。", (LAMP, TOWER))
    assert isinstance(alone, Support)
    assert [sentence.text for sentence in alone.sentences] == ["守灯人每晚点灯两次，雨夜要点三次。"]
