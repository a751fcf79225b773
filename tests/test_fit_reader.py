"""What the reader is trained on and how: pairs, changed questions, and training a tiny transformer."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rjieba
from hypothesis import given
from hypothesis import strategies as st

from evals.fit.cases import Case
from evals.fit.reader.essay_pairs import essay_pairs
from evals.fit.reader.pairs import Pair, Split, split_of, title_key
from evals.fit.reader.perturbing import Perturber, opposites
from evals.fit.reader.reading_pairs import ReadingPairs
from evals.fit.reader.stages import ESSAYS, READING, train_reader
from evals.fit.reader.training import FIRST_LAYER, ReaderTraining, Stage
from index.lexical import LexicalIndex
from rag.confidence.reader import MAX_TOKENS, passage_text
from rag.corpus import Corpus, build_corpus
from rag.encoding.encoder import SentenceTransformerEncoder
from rag.question import read_question
from rag.reading.decoding import source_from_text
from rag.text.folding import fold, squeeze
from tests.confidence_samples import found_by_hand
from tests.reading_sets import titles_of, write_reading_set
from tests.tiny_transformer import character_tokenizer, tiny_transformer

SEEDS = st.integers(0, 10_000)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """A transformer this small is slower on two threads, by far where another job has the cores."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


# Titles and splits


@pytest.mark.parametrize(
    ("title", "key"),
    [
        ("东港", "东港"),
        ("東港（城市）", "东港"),
        ("东港_(城市)", "东港"),
        ("Ｄock (1998年)", "dock"),
        ("（城市）", "(城市)"),  # nothing but brackets: kept
        ("东港（城市）旧址", "东港"),
    ],
)
def test_variants_of_a_title_have_one_key(title: str, key: str) -> None:
    assert title_key(title) == key


@pytest.mark.parametrize(
    ("title", "split"),
    [
        ("茶", "calibration"),
        ("灯塔", "train"),
        ("东港", "train"),
        ("東港（城市）", "train"),
        ("陆青山", "calibration"),
    ],
)
def test_splits_never_move(title: str, split: str) -> None:
    # Written down: a title that changed sides would be both trained on and tested with.
    assert split_of(title) == split


@given(st.text(min_size=1, max_size=12))
def test_a_split_is_a_hash_of_the_key(title: str) -> None:
    digest = hashlib.sha256(title_key(title).encode("utf-8")).digest()
    place = int.from_bytes(digest, "big") % 100
    expected = "train" if place < 70 else "calibration" if place < 85 else "test"
    assert split_of(title) == split_of(title) == expected


def test_splits_are_about_70_15_and_15_percent() -> None:
    counts = Counter(split_of(f"第{number}号灯塔") for number in range(4000))
    assert set(counts) == {"train", "calibration", "test"}
    shares: dict[Split, float] = {"train": 0.70, "calibration": 0.15, "test": 0.15}
    for split, share in shares.items():
        # Four standard errors.
        assert counts[split] / 4000 == pytest.approx(share, abs=4 * (share * (1 - share) / 4000) ** 0.5)


# Changed questions

POOL = [
    "36名工人减少以后谁守灯塔？",
    "云岭的茶园有多少工人？",
    "青州的码头为什么关闭？",
    "船工怎么修船？",
    "陆青山在哪里种下茶树？",
    "什么是回甘？",
    "首页的公文在哪里？",  # 首 and 守, 公 and 工 sound alike
]


def perturber(seed: int) -> Perturber:
    return Perturber(POOL, random.Random(seed))  # noqa: S311


def digits(text: str) -> list[str]:
    return [char for char in text if char.isdigit()]


@given(SEEDS, st.sampled_from([*POOL, "1200株茶树要浇几桶水？", "2031年3月的第7天", "12.5%的船", "？"]))
def test_rewording_keeps_digits_and_is_never_empty(seed: int, question: str) -> None:
    reworded = perturber(seed).reworded(question)
    assert digits(reworded) == digits(question)
    assert reworded.strip()


def test_rewording_has_four_styles() -> None:
    question = "36名工人减少以后谁守灯塔？"
    found = Counter(perturber(seed).reworded(question) for seed in range(300))
    assert found[question] > 100  # half of them stay, and some openings are empty
    assert found["36 名 工人 减少 以后 守 灯塔"] > 10  # keywords
    assert any(text.endswith(question) and text != question for text in found)  # an opening
    mistyped = [
        t
        for t in found
        if len(t) == len(question) and sum(a != b for a, b in zip(t, question, strict=True)) == 1
    ]
    assert mistyped
    colloquial = {perturber(seed).reworded("船工怎么修船？") for seed in range(200)}
    assert any(text.endswith("船工咋修船？") for text in colloquial)


def test_a_typing_error_is_a_homophone() -> None:
    from pypinyin import lazy_pinyin

    # 工 and 公, 船 and 传 sound alike.
    generator = random.Random()  # noqa: S311
    source = Perturber(["工公船传"], generator)
    for seed in range(100):
        generator.seed(seed)
        text = source.reworded("工船")
        if len(text) == 2 and text != "工船":
            assert lazy_pinyin(text) == lazy_pinyin("工船")
            break
    else:
        pytest.fail("no typing error in a hundred tries")


def only_change(question: str, changed: str) -> tuple[str, str]:
    """The one word of a question that was exchanged, and what for."""
    words = [word for word, _ in rjieba.tag(fold(question))]
    found = []
    for place, word in enumerate(words):
        before, after = "".join(words[:place]), "".join(words[place + 1 :])
        if changed.startswith(before) and changed.endswith(after) and len(changed) >= len(before + after):
            new = changed[len(before) : len(changed) - len(after)]
            if new != word:
                found.append((word, new))
    assert found, f"{question} and {changed} differ in more than one word"
    return found[0]


@given(SEEDS, st.sampled_from(POOL))
def test_spoiling_changes_exactly_one_word(seed: int, question: str) -> None:
    spoilt = perturber(seed).spoilt(question, "")
    if spoilt is None:
        return
    old, new = only_change(question, spoilt)
    assert old != new
    if old.isdecimal():
        assert int(new) >= 1
        assert int(new) != int(old)
    elif old in opposites():
        assert new == opposites()[old]
    else:
        assert len(new) == len(old)
        assert not set(new) & set(old)


@given(SEEDS)
def test_spoiling_never_changes_a_word_of_the_answer(seed: int) -> None:
    spoilt = perturber(seed).spoilt("云岭的茶园有多少工人？", "茶园里的工人")
    assert spoilt is None or ("茶园" in spoilt and "工人" in spoilt and spoilt != "云岭的茶园有多少工人?")


def test_every_sort_of_spoiling_happens() -> None:
    changes = {
        only_change(POOL[0], spoilt) for seed in range(300) if (spoilt := perturber(seed).spoilt(POOL[0], ""))
    }
    assert ("减少", "增加") in changes
    assert ("以后", "以前") in changes
    assert any(old == "36" for old, _ in changes)
    assert any(old in ("工人", "灯塔") for old, _ in changes)
    assert not any(old in ("谁", "名", "守") for old, _ in changes)


@pytest.mark.parametrize("question", ["谁？", "为什么？", "多少？", ""])
def test_what_holds_nothing_to_change_is_not_spoilt(question: str) -> None:
    assert perturber(0).spoilt(question, "") is None


def test_opposites_go_both_ways() -> None:
    found = opposites()
    assert (found["增加"], found["减少"], found["最早"], found["去世"]) == ("减少", "增加", "最晚", "出生")
    assert all(word != opposite for word, opposite in found.items())
    assert all(opposite in found for opposite in found.values())


@given(SEEDS)
def test_presuming_denies_a_clause_of_the_passage(seed: int) -> None:
    passage = "采摘春天的茶叶，老船工看星认路。点亮夜里的灯塔；茶。"
    question = perturber(seed).presuming(passage)
    assert question is not None
    clauses = [clause for clause in ("采摘春天的茶叶", "点亮夜里的灯塔") if clause in question]
    assert len(clauses) == 1
    frame = question.replace(clauses[0], "…")
    assert len(frame) >= 5
    assert frame.endswith("？")


@pytest.mark.parametrize(
    "passage",
    [
        "老船工看星认路。",  # no clause opens with a verb
        "采摘茶。",  # too short
        "采摘春天里山上最高处那一片茶园的茶叶。",  # too long
        "禁止采摘春天的茶叶。",  # denied already
        "",
    ],
)
def test_nothing_is_presumed_of_a_passage_that_offers_nothing(passage: str) -> None:
    assert perturber(0).presuming(passage) is None


# Pairs of the reading set


@pytest.fixture(scope="module")
def reading_set(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    path = tmp_path_factory.mktemp("reading") / "reading.jsonl.gz"
    return path, write_reading_set(path)


def test_positives_hold_an_answer(reading_set: tuple[Path, list[dict[str, Any]]]) -> None:
    path, rows = reading_set
    positive = [pair for pair in ReadingPairs(path).pairs() if pair.answers]
    assert len(positive) == sum(split_of(row["title"]) == "train" for row in rows) == 32
    for pair in positive:
        assert pair.spans
        assert any(squeeze(fold(span)) in squeeze(fold(pair.passage)) for span in pair.spans)
    english = [pair for pair in positive if pair.question.startswith("What does")]
    assert 0 < len(english) < 8  # of the eight that have an English twin about half


def test_a_negative_does_not_hold_what_its_question_asks(
    reading_set: tuple[Path, list[dict[str, Any]]],
) -> None:
    path, rows = reading_set
    asked = {row["question"]: row["answers"] for row in rows}
    negative = [pair for pair in ReadingPairs(path).pairs() if not pair.answers]
    assert all(pair.spans == () for pair in negative)
    as_asked = [pair for pair in negative if pair.question in asked]
    assert len(as_asked) > 5
    for pair in as_asked:
        assert not any(
            squeeze(fold(answer)) in squeeze(fold(pair.passage)) for answer in asked[pair.question]
        )
    # The others stand beside their own passage with their question changed, or under another title.
    assert len(negative) - len(as_asked) > 5


@pytest.mark.parametrize("split", ["train", "calibration", "test"])
def test_pairs_stay_on_their_side(reading_set: tuple[Path, list[dict[str, Any]]], split: Split) -> None:
    path, _ = reading_set
    own = set(titles_of(split, 8))
    others = {title for side in ("train", "calibration", "test") for title in titles_of(side, 8)} - own
    pairs = ReadingPairs(path, split).pairs()
    assert sum(pair.answers for pair in pairs) == 32
    for pair in pairs:
        assert any(title in pair.passage for title in own)
        assert not any(title in pair.passage for title in others)


def test_pairs_are_the_same_each_time(reading_set: tuple[Path, list[dict[str, Any]]]) -> None:
    path, _ = reading_set
    assert ReadingPairs(path).pairs() == ReadingPairs(path).pairs()


def test_about_half_of_the_passages_stand_under_their_title(
    reading_set: tuple[Path, list[dict[str, Any]]],
) -> None:
    path, _ = reading_set
    shown = [pair.passage.startswith("《东") for pair in ReadingPairs(path).pairs()]
    assert 0.3 < np.mean(shown) < 0.7


# Pairs of the essays

LAMPS = "甲乙丙丁戊己庚辛壬癸"


def lamp_corpus() -> Corpus:
    """Ten chunks; chunk n says that lamp n is lit."""
    text = "\n".join(f"第{char}盏灯由守灯人点亮，夜里的船靠它认路。" for char in LAMPS)
    return build_corpus([source_from_text("lamps.txt", text)], chunk_max_chars=40)


def lamp_case(evidence: str, *, answerable: bool, chunks: Any = range(10)) -> Case:
    """A case whose passages are these chunks in this order; `evidence` names the lamps that answer."""
    question = read_question("哪盏灯亮着？")
    found = found_by_hand(lamp_corpus(), question, chunks=list(chunks))
    spans = tuple(f"第{char}盏" for char in evidence)
    return Case("lamps", question, found, LexicalIndex.build([]), answerable, "", spans)


def lamps_of(pairs: list[Pair], *, answers: bool) -> str:
    return "".join(pair.passage[1] for pair in pairs if pair.answers is answers)


def test_an_answerable_case_gives_two_that_answer_and_one_that_does_not() -> None:
    pairs = essay_pairs([lamp_case("乙丙丁", answerable=True)])
    assert lamps_of(pairs, answers=True) == "乙丙"
    assert lamps_of(pairs, answers=False) == "甲"
    assert {pair.question for pair in pairs} == {"哪盏灯亮着？"}
    document = lamp_corpus().documents[0]
    assert pairs[0].passage == passage_text(document.authors, document.title, lamp_corpus().chunks[1].text)


def test_a_case_gives_only_what_is_there() -> None:
    # The ninth passage is not looked at, and a passage that lacks it only among the first five.
    assert lamps_of(essay_pairs([lamp_case("壬", answerable=True)]), answers=True) == ""
    assert lamps_of(essay_pairs([lamp_case("辛", answerable=True)]), answers=True) == "辛"
    held = essay_pairs([lamp_case("甲乙丙丁戊", answerable=True)])
    assert lamps_of(held, answers=False) == ""


@pytest.mark.parametrize(("count", "lamps"), [(1, 1), (2, 2), (3, 3), (10, 3)])
def test_an_unanswerable_case_gives_negatives_only(count: int, lamps: int) -> None:
    for at in range(4):  # `at` cases before it move the choice along
        pairs = essay_pairs([lamp_case("", answerable=False, chunks=range(count))] * (at + 1))[-lamps:]
        assert len(pairs) == lamps
        assert not any(pair.answers for pair in pairs)
        chosen = lamps_of(pairs, answers=False)
        assert chosen[:2] == LAMPS[: min(2, count)]
        assert set(chosen[2:]) <= set(LAMPS[2:6])


def test_essay_pairs_are_the_same_each_time() -> None:
    cases = [lamp_case("", answerable=False), lamp_case("丙", answerable=True)] * 3
    assert essay_pairs(cases) == essay_pairs(cases)
    assert essay_pairs([]) == []


# Training


def item_of(pair: Pair, tokenizer: Any) -> Any:
    return ReaderTraining(tiny_transformer(layers=1), tokenizer)._item(pair)


@pytest.mark.parametrize(
    ("passage", "spans", "start", "end"),
    [
        # <s> 0, question 1-2, borders 3-4, the passage from 5.
        ("船星水山", ("水",), 7, 7),
        ("船星水山", ("船",), 5, 5),
        ("船星水山", ("星水山",), 6, 8),
        ("船星水山", ("灯", "水山"), 7, 8),  # the first that is there
        ("船星船星", ("星",), 6, 6),  # its first place
        ("船星水山", ("灯",), -100, -100),
        ("船星水山", (), -100, -100),
        ("船星水山", ("",), -100, -100),
        # 256 tokens: 250 of the passage, positions 5 to 254, and the last border.
        ("船" * 248 + "水山火风", ("水山火风",), 253, 254),
        ("船" * 250 + "水", ("水",), -100, -100),
    ],
)
def test_the_answer_s_tokens_are_counted_over_the_pair(
    passage: str, spans: tuple[str, ...], start: int, end: int
) -> None:
    item = item_of(Pair("灯火", passage, True, spans), character_tokenizer())
    assert (item.start, item.end) == (start, end)
    assert len(item.tokens) <= MAX_TOKENS
    assert item.answers


def test_a_passage_that_does_not_answer_points_to_the_first_token() -> None:
    item = item_of(Pair("灯火", "船星水山", False, ("水",)), character_tokenizer())
    assert (item.answers, item.start, item.end) == (False, 0, 0)


def test_answer_tokens_of_the_bundled_tokenizer_spell_the_answer(
    bundled_encoder: SentenceTransformerEncoder,
) -> None:
    tokenizer = bundled_encoder.tokenizer
    passage = "《製茶三法》鐵鍋要燒到發白才能下茶。茶园去年种下茶树1200株，采茶工人有36名。"
    for span in ("1200株", "发白", "發白", "36名", "采茶工人", "下茶"):
        item = item_of(Pair("茶园怎么样？", passage, True, (span,)), tokenizer)
        spelt = tokenizer.decode(item.tokens[item.start : item.end + 1])
        assert fold(span) in fold(spelt)
        assert len(fold(spelt)) <= len(fold(span)) + 4  # whole tokens, hardly more


def lamp_pairs(count: int, seed: int) -> list[Pair]:
    """An easy lesson: a passage answers where it holds 灯."""
    generator = random.Random(seed)  # noqa: S311
    made = []
    for number in range(count):
        chars = generator.sample("茶船星水山火风雨书米盐园工人种树", 6)
        answers = number % 2 == 0
        if answers:
            chars[generator.randrange(6)] = "灯"
        made.append(Pair("哪里有灯", "".join(chars), answers, ("灯",) if answers else ()))
    return made


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("with_spans", [True, False])
def test_training_learns_an_easy_lesson_and_leaves_the_lower_layers(with_spans: bool) -> None:
    import torch

    transformer = tiny_transformer()
    before = {name: value.clone() for name, value in transformer.state_dict().items()}
    training = ReaderTraining(transformer, character_tokenizer())
    told: list[tuple[int, int, float]] = []
    stage = Stage(epochs=18, rate=5e-3, warm_up=10, with_spans=with_spans)
    training.run(lamp_pairs(128, 1), stage, lambda *args: told.append(args))
    assert [(done, steps) for done, steps, _ in told] == [(50, 72), (72, 72)]
    assert told[1][2] < 0.7 * told[0][2]
    fresh = lamp_pairs(64, 2)
    right = (training.scores(fresh) > 0) == [pair.answers for pair in fresh]
    assert right.mean() > 0.9
    moved = set()
    for name, value in training.model.state_dict().items():
        assert torch.equal(transformer.state_dict()[name], before[name])  # what it was made from
        if not torch.equal(value, before[name]):
            moved.add(name)
    upper = {
        name
        for name in before
        if name.startswith(("encoder.layer.6.", "encoder.layer.7.")) and FIRST_LAYER == 6
    }
    # A key's bias never matters to attention, so it may have hardly moved; nothing below moved at all.
    assert moved <= upper
    assert {name for name in upper if name.endswith("weight")} <= moved
    assert not training.model.training


@pytest.mark.usefixtures("one_thread")
def test_scores_do_not_depend_on_company_and_training_on_nothing_but_its_seed() -> None:
    stage = Stage(epochs=1, rate=1e-3, warm_up=2, with_spans=True)
    pairs = [*lamp_pairs(40, 3), Pair("谁", "船" * 60, False)]

    def trained(seed: int) -> ReaderTraining:
        training = ReaderTraining(tiny_transformer(), character_tokenizer(), seed=seed)
        training.run(pairs, stage, lambda *_: None)
        return training

    first = trained(3)
    together = first.scores(pairs)
    np.testing.assert_allclose(together, [first.scores([pair])[0] for pair in pairs], atol=1e-5)
    np.testing.assert_array_equal(together, trained(3).scores(pairs))
    assert not np.array_equal(together, trained(4).scores(pairs))


@pytest.mark.usefixtures("one_thread")
def test_a_finished_first_stage_is_kept(tmp_path: Path) -> None:
    import torch

    reading, essays = lamp_pairs(40, 5), lamp_pairs(10, 6)
    steps: list[int] = []

    def train(reading: list[Pair]) -> ReaderTraining:
        steps.clear()
        return train_reader(
            reading,
            essays,
            tiny_transformer(),
            character_tokenizer(),
            tmp_path / "kept",
            lambda done, _steps, _loss: steps.append(done),
        )

    # 40 pairs are two batches; the second stage has 10 and the same 40, two batches twice.
    assert (READING.epochs, ESSAYS.epochs) == (1, 2)
    train(reading)
    assert steps == [2, 4]
    (kept,) = (tmp_path / "kept").iterdir()
    layers = torch.load(kept, weights_only=True)["layers"]
    again = train(reading)
    assert steps == [4]
    assert list((tmp_path / "kept").iterdir()) == [kept]
    # It went on from what was kept: a few small steps further.
    for name, value in again.model.encoder.layer[FIRST_LAYER:].state_dict().items():
        assert float((value - layers[name]).abs().max()) < 0.01
    train(lamp_pairs(40, 7))
    assert steps == [2, 4]  # other pairs, another first stage
