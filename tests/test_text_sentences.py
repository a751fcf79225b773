"""Sentences tile the text and end where a reader would end them."""

from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.sentences import sentence_ranges

ODD = st.text(alphabet="*_茶船。！？!?.…，；：“”‘’（）()《》\"' \u3000Ab3\n", max_size=80)


def sentences(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_ranges(text)]


@given(st.one_of(ODD, st.text(max_size=80)))
def test_the_ranges_tile_the_text(text: str) -> None:
    ranges = sentence_ranges(text)
    if not text.strip():
        assert ranges == []
        return
    assert ranges[0][0] == 0
    assert ranges[-1][1] == len(text)
    assert all(left[1] == right[0] for left, right in itertools.pairwise(ranges))
    assert all(start < end and text[start:end].strip() for start, end in ranges)


@given(
    st.lists(st.sampled_from(["采茶人上山。", "你去吗？", "好！", "他说：“走吧。”"]), min_size=1, max_size=6)
)
def test_plain_sentences_are_found_one_by_one(parts: list[str]) -> None:
    assert sentences("".join(parts)) == parts


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("茶好。船来了。", ["茶好。", "船来了。"]),
        ("茶好！？船来了", ["茶好！？", "船来了"]),
        ("“茶好。”船来了。", ["“茶好。”", "船来了。"]),
        ("“船来了吗？”他问。", ["“船来了吗？”", "他问。"]),
        ("“船来了吗？”的问题，没人答。", ["“船来了吗？”的问题，没人答。"]),
        ("“好茶！”，他说。走吧。", ["“好茶！”，他说。", "走吧。"]),
        ("茶（红茶。绿茶。）都好。走吧。", ["茶（红茶。绿茶。）都好。", "走吧。"]),
        ("《谁来采茶？》是本书。走吧。", ["《谁来采茶？》是本书。", "走吧。"]),
        ("茶（没有合上。船来了。", ["茶（没有合上。", "船来了。"]),
        ("茶）没有打开。船来了。", ["茶）没有打开。", "船来了。"]),
        ("他等……等到天亮。走吧。", ["他等……等到天亮。", "走吧。"]),
        ("他等了……。走吧。", ["他等了……。", "走吧。"]),
        ("茶价3.5元。船长1.5万米。", ["茶价3.5元。", "船长1.5万米。"]),
        ("茶好；船来了，走吧：好。", ["茶好；船来了，走吧：好。"]),
        ("茶好!船来了?走吧。", ["茶好!", "船来了?", "走吧。"]),
        ("见 http://tea.example/a?b=c 网址。", ["见 http://tea.example/a?b=c 网址。"]),
        ("The ship left. Nobody saw it. 好。", ["The ship left. ", "Nobody saw it. ", "好。"]),
        ("He met J. Smith and Dr. Who. They left.", ["He met J. Smith and Dr. Who. ", "They left."]),
        ("It sank in 1904. The crew swam.", ["It sank in 1904. ", "The crew swam."]),
        ("1. Open the box. 2. Close it.", ["1. Open the box. 2. Close it."]),
        ('"Yes!" he said. "No." She left.', ['"Yes!" he said. ', '"No." She left.']),
        ("**怎么采？** 看三样：", ["**怎么采？** ", "看三样："]),
        ("**茶好。船来了。**走吧。", ["**茶好。", "船来了。**", "走吧。"]),
        ("茶好。**船**来了。", ["茶好。", "**船**来了。"]),
        ("__茶好！__船来了。", ["__茶好！__", "船来了。"]),
        ("**谁来采茶？**的问题，没人答。", ["**谁来采茶？**的问题，没人答。"]),
        ("茶好。** 船来了。", ["茶好。", "** 船来了。"]),
        ("茶好.\n", ["茶好.\n"]),
        ("。", ["。"]),
        ("", []),
        (" \u3000", []),
    ],
)
def test_where_sentences_end(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    "piece", ["a. ", "A. ", "。", "（。", "“。", ".", "。**", "**a", "?)", '."', "(", "1. ", "!a"]
)
def test_time_grows_with_the_length_only(piece: str) -> None:
    started = time.thread_time()
    sentence_ranges(piece * (100_000 // len(piece)))
    assert time.thread_time() - started < 5
