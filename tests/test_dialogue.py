"""Follow-ups resolved by rule. Every conversation here is invented."""

from __future__ import annotations

from time import thread_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.library.memory import sweeping_paused
from rag.dialogue.antecedents import Exchange
from rag.dialogue.followup import RESOLVED_MAX_CHARS, resolve_followup
from rag.dialogue.items import answer_items, plain_answer
from rag.dialogue.subjects import subject_of, thing_of
from rag.dialogue.wording import aligned
from rag.records import Turn


def talk(*said: str) -> list[Turn]:
    """User and assistant in turn; an empty text is no message."""
    roles = ("user", "assistant")
    return [Turn(roles[at % 2], text) for at, text in enumerate(said) if text]  # type: ignore[arg-type]


BOAT = talk("造船要经过哪三道工序？", "一是选料，木要干。二是弯板，火要匀。三是捻缝，麻要细。[1]")
LAMPS = talk("什么是“三灯”体系？", "“三灯”体系是守塔的办法。[1]")
TEA = talk("茶园种了多少株茶树？", "1200株。[1]")
BRIDGE = talk("修桥中村民承担什么责任？", "村民出工出料。[1]")
PORT = talk("河港有哪些货物？", "有木材、盐、茶叶和布匹。[1]")
BOOK = talk("《渡口旧事》是谁写的？", "《渡口旧事》的作者是李四、张三。[1][2]")
DOCK = talk("如何提升码头效率？", "要优化调度，减少等待。[1]")
RAIN = talk("北京的年降雨量是多少？", "文章没有谈到这个话题，无法据此回答。")
SHIPS = talk("木船和铁船各有什么用处？", "木船轻；铁船稳。[1]")
LOCK = talk("什么是鱼梯？", "鱼梯让鱼过坝。[1]", "什么是船闸？", "船闸让船过坝。[1]")
BEES = talk("张三说养蜂要做什么？", "要选地。[1]")
HOUSES = talk("社区里的老房子和石桥应该先怎么处理？", "先普查。[1]")

RESOLVED = [
    (BOAT, "那第二点呢？", "造船要经过的工序里的“弯板，火要匀”具体指什么？"),
    (BOAT, "第三条具体怎么做？", "造船要经过的工序里的“捻缝，麻要细”具体怎么做？"),
    (BOAT, "最后一个呢？", "造船要经过的工序里的“捻缝，麻要细”具体指什么？"),
    (BOAT, "倒数第二个呢？", "造船要经过的工序里的“弯板，火要匀”具体指什么？"),
    (BOAT, "第二點呢？船廠做了什麼？", "造船要经过的工序里的“弯板，火要匀”，船廠做了什麼？"),
    (BOAT, "这三点里哪个最重要？", "选料、弯板和捻缝这三点里哪个最重要？"),
    (BOAT, "其中哪道最费工？", "选料、弯板和捻缝之中，哪道最费工？"),
    (BOAT, "哪个最难？", "选料、弯板和捻缝之中，哪个最难？"),
    (BOAT, "第五点呢？", "造船要经过的工序，第五点呢？"),
    (BOAT, "为什么要这样做？", "造船要经过的工序，为什么要这样做？"),
    (BOAT, "還有呢？", "造船要经过的工序还有哪些？"),
    (BOAT, "What about the second one?", "What about “弯板，火要匀”?"),
    (PORT, "第三种是从哪里来的？", "河港的货物里的“茶叶”是从哪里来的？"),
    (PORT, "最后一种呢？", "河港的货物里的“布匹”具体指什么？"),
    (PORT, "这些货物运到哪里？", "木材、盐、茶叶和布匹这些货物运到哪里？"),
    (PORT, "那盐呢？", "河港的货物里的盐具体指什么？"),
    (LAMPS, "它覆盖了多少个？", "“三灯”体系覆盖了多少个？"),
    (LAMPS, "覆盖了多少个？", "“三灯”体系覆盖了多少个？"),
    (LAMPS, "这个体系是谁提出的？", "“三灯”体系是谁提出的？"),
    (LAMPS, "这种做法有什么好处？", "“三灯”体系这种做法有什么好处？"),
    (LAMPS, "有什么好处？", "“三灯”体系有什么好处？"),
    (LAMPS, "什么时候提出的？", "“三灯”体系是什么时候提出的？"),
    (LAMPS, "怎么做到的？", "“三灯”体系是怎么做到的？"),
    (LAMPS, "目的呢？", "“三灯”体系的目的是什么？"),
    (LAMPS, "具体呢？", "“三灯”体系具体是怎样的？"),
    (LAMPS, "举个例子", "“三灯”体系有哪些例子？"),
    (LAMPS, "为什么？", "“三灯”体系，为什么？"),
    (LAMPS, "谁写的？", "讲“三灯”体系的那篇文章是谁写的？"),
    (LAMPS, "这篇文章是谁写的？", "讲“三灯”体系的那篇文章是谁写的？"),
    (LAMPS, "作者是哪里的？", "讲“三灯”体系的那篇文章的作者是哪里的？"),
    (LAMPS, "他还说了什么？", "讲“三灯”体系的那篇文章的作者还说了什么？"),
    (LAMPS, "who wrote it?", "Who wrote the article about “三灯”体系?"),
    (LAMPS, "how many does it cover?", "how many does “三灯”体系 cover?"),
    (LAMPS, "why?", "“三灯”体系: why?"),
    (TEA, "它一共有多大？", "茶园一共有多大？"),
    (TEA, "那工人呢？", "关于工人：茶园种了多少株茶树？"),
    (TEA, "谁写的？", "讲茶园的那篇文章是谁写的？"),
    (BRIDGE, "那社会组织呢？", "修桥中社会组织承担什么责任？"),
    (BRIDGE, "那木匠這一塊呢？", "修桥中木匠承担什么责任？"),
    (BRIDGE, "他们为什么愿意？", "修桥中村民为什么愿意？"),
    (talk("北京适合种什么树？"), "上海呢？", "上海适合种什么树？"),
    (talk("猫为什么怕水？"), "狗呢？", "狗为什么怕水？"),
    (talk("去年北京的降雨量是多少？"), "那前年呢？", "前年北京的降雨量是多少？"),
    (talk("村里木匠的工钱是多少？"), "铁匠的呢？", "村里铁匠的工钱是多少？"),
    (talk("第一篇是谁写的？"), "第二篇呢？", "第二篇是谁写的？"),
    (BOOK, "他还写过什么？", "李四、张三还写过什么？"),
    (BOOK, "这篇文章讲了什么？", "《渡口旧事》讲了什么？"),
    (BEES, "他还说了什么？", "张三还说了什么？"),
    (DOCK, "为什么？", "为什么提升码头效率？"),
    (DOCK, "具体怎么做？", "提升码头效率具体怎么做？"),
    (DOCK, "怎么做到的？", "提升码头效率是怎么做到的？"),
    (DOCK, "谁负责？", "提升码头效率，谁负责？"),
    (RAIN, "上海呢？", "上海的年降雨量是多少？"),
    (RAIN, "那第二点呢？", "北京的年降雨量，那第二点呢？"),
    (SHIPS, "前者和后者有什么不同？", "木船和铁船有什么不同？"),
    (SHIPS, "后者呢？", "铁船有什么用处？"),
    (SHIPS, "它们有什么区别？", "木船和铁船有什么区别？"),
    (LOCK, "两者有什么不同？", "鱼梯和船闸有什么不同？"),
    (HOUSES, "摸清家底之后，修缮它们要多少钱？", "摸清家底之后，修缮社区里的老房子和石桥要多少钱？"),
    ([*BRIDGE, *talk("那木匠呢？", "木匠出手艺。[1]")], "石匠呢？", "修桥中石匠承担什么责任？"),
    (
        [*BOAT, *talk("那第一点呢？", "选料要看水、火、风。[1]")],
        "第三点呢？",
        "造船要经过的工序里的“捻缝，麻要细”具体指什么？",
    ),
    ([*LAMPS, *talk("它有什么用？", "照路。[1]")], "谁写的？", "讲“三灯”体系的那篇文章是谁写的？"),
]

ALONE = [
    "那守灯人每晚点灯几次？",
    "老船工怎么认路？",
    "灯塔有三层，其中哪一层住人？",
    "“修边”这种做法有什么好处？",
    "此外，守灯人还做什么？",
    "第一个五年计划是哪年开始的？",
    "第二次世界大战哪年结束？",
    "第三产业包括哪些？",
    "灯塔和它的守灯人是什么关系？",
    "修旧如旧这种做法有什么好处？",
    "其他城市有什么经验？",
    "这几年茶价怎么变的？",
    "渡口的船每天开多少班？",
    "文章提出的三点建议中第二点是什么？",
    "社会组织该干啥？",
    "灯塔怎么样？",
    "为什么茶园要修路？",
    "《渡口旧事》的作者是谁？",
    "讲茶园的文章是谁写的？",
    "怎么游泳？",
    "为什么守灯人离开灯塔就没人修它？",
    "梯田是什么，它有哪些作用？",
    "How does the city use its data?",
    "Is it true that the lighthouse was closed?",
    "今天天气怎么样？",
    "北京的人口是多少？",
    "谁修建了灯塔？",
    "前三名是谁？",
    "什么是前者效应？",
    "最后一班船几点开？",
    "最后一个皇帝是谁？",
    "有哪些城市种茶？",
    "1200株茶树在哪里？",
    "海边的这些灯塔谁来修？",
    "这里的茶为什么贵？",
    "你好",
    "　灯塔　高度　",
]


@pytest.mark.parametrize(("history", "question", "resolved"), RESOLVED)
def test_a_followup_is_made_to_stand_alone(history: list[Turn], question: str, resolved: str) -> None:
    assert resolve_followup(question, history) == resolved


@pytest.mark.parametrize("question", ALONE)
@pytest.mark.parametrize("history", [BOAT, LAMPS, RAIN], ids=["list", "definition", "abstained"])
def test_a_question_that_stands_alone_is_searched_as_typed(question: str, history: list[Turn]) -> None:
    assert resolve_followup(question, history) == question


@pytest.mark.parametrize(
    "question", ["它一共有多大？", "那工人呢？", "为什么？", "这三种里哪种最好？", "谁写的？"]
)
def test_a_question_that_leans_back_gets_its_subject(question: str) -> None:
    assert "茶园" in resolve_followup(question, TEA)


def test_there_are_enough_cases() -> None:
    assert len(RESOLVED) + len(ALONE) >= 60
    assert len(ALONE) >= 25


def test_nothing_said_before_leaves_the_question() -> None:
    assert resolve_followup("它有多大？", []) == "它有多大？"
    assert resolve_followup("它有多大？", [Turn("assistant", "你好。"), Turn("user", "  ")]) == "它有多大？"


def test_only_the_last_six_questions_count() -> None:
    history = [*LAMPS, *talk(*["谢谢", "不客气。"] * 6)]
    assert "三灯" not in resolve_followup("它覆盖了多少个？", history)
    assert "三灯" in resolve_followup("谁写的？", [*LAMPS, *talk(*["为什么？", "因为海。"] * 5)])


def test_a_resolved_question_is_bounded_and_keeps_what_is_asked() -> None:
    long = "、".join(f"第{'长' * 30}号码头{n}" for n in range(60))
    resolved = resolve_followup("它覆盖了多少个？", talk(f"什么是{long}？", "不知道。"))
    assert len(resolved) <= RESOLVED_MAX_CHARS
    assert resolved.endswith("覆盖了多少个？")


@pytest.mark.parametrize(
    ("answer", "items"),
    [
        ("一是修路，二是种树，三是养人。[1]", ("修路", "种树", "养人")),
        ("一要修路，通山；二要种树，养山。", ("修路，通山", "种树，养山")),
        ("首先，修路。路是根本。其次，种树。最后，要养人。", ("修路", "种树", "养人")),
        ("1. 修路\n2. 种树\n3. 养人", ("修路", "种树", "养人")),
        ("修路[1]\n种树[2]", ("修路", "种树")),
        ("村民出工，出料；木匠出手艺。", ("村民出工，出料", "木匠出手艺")),
        ("工具包括斧、锯和刨子等。", ("斧", "锯", "刨子")),
        ("写过“山”“水”两篇，也写过“风”和“雨”。", ("“风”", "“雨”")),
        ("船靠风行。", ()),
        ("", ()),
    ],
)
def test_items_of_an_answer(answer: str, items: tuple[str, ...]) -> None:
    assert answer_items(plain_answer(answer)) == items


@pytest.mark.parametrize(
    ("question", "subject", "thing"),
    [
        ("什么是“三灯”体系？", "“三灯”体系", "“三灯”体系"),
        ("茶园种了多少株茶树？", "茶园种的茶树", "茶园"),
        ("公共图书馆有哪些服务？", "公共图书馆的服务", "公共图书馆"),
        ("如何提升码头效率？", "提升码头效率", "码头效率"),
        ("请问灯塔是谁建的？", "灯塔", "灯塔"),
        ("為什麼要修橋？", "要修橋", "修橋"),
        ("猫为什么怕水？", "猫怕水", "猫"),
        ("What is the lamp code?", "the lamp code", "the lamp code"),
        ("How many trees does the garden have?", "the garden", "the garden"),
        ("为什么？", "", ""),
    ],
)
def test_subject_and_thing(question: str, subject: str, thing: str) -> None:
    assert (subject_of(question), thing_of(question)) == (subject, thing)


def test_an_abstention_is_no_antecedent() -> None:
    assert (
        Exchange.of(
            "甲？", "文章谈到了相关内容，但没有说明这一点。最接近的内容：“一是修路。二是种树。”"
        ).items
        == ()
    )


def test_aligned_text_keeps_its_length() -> None:
    text = "「第２點」ＡＢＣ　麼㍿𠮷"
    assert len(aligned(text)) == len(text)
    assert aligned("第２點") == "第2点"


PIECES = st.sampled_from(
    [
        *list("它这那第二三点呢？的是什么，。“”《》、和一最后为谁写[1]"),
        "其中",
        "没有",
        "嗯",
        "灯塔",
        "who ",
        "it",
        "the second one",
    ]
)
TEXTS = st.one_of(st.text(max_size=40), st.lists(PIECES, max_size=25).map("".join))
TURNS = st.builds(Turn, st.sampled_from(["user", "assistant"]), TEXTS)


@given(TEXTS, st.lists(TURNS, max_size=6))
def test_any_conversation_gives_a_question(question: str, history: list[Turn]) -> None:
    resolved = resolve_followup(question, history)
    assert resolved == resolve_followup(question, history)
    assert resolve_followup(question, []) == question
    assert resolved == question or 0 < len(resolved.strip()) <= RESOLVED_MAX_CHARS


def test_it_is_quick_on_long_and_odd_conversations() -> None:
    resolve_followup("它呢？", LAMPS)  # loads the dictionaries
    odd = ["没有" * 900, "嗯" * 1900, "一共" * 900 + "？", "还有" * 50, "甲、" * 900, "什么" * 900]
    for text in odd:
        with sweeping_paused():  # a sweep over all that other tests have left takes a second by itself
            started = thread_time()
            for question in ("它呢？", "第二点呢？", text[:99]):
                resolve_followup(question, talk(text, text * 3))
            assert thread_time() - started < 1, text[:4]
