from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.locate import locate_evidence, places_of
from evals.sources import SourceText
from rag.errors import ConfigError
from tests.evals_fakes import SOURCE, TEXT, question


def test_a_span_is_found_across_a_line_end() -> None:
    (place,) = places_of("塔高三十二米", [SOURCE])
    assert TEXT[place.start_char : place.end_char] == "塔高三\n十二米"
    assert (place.start_line, place.end_line, len(place.offsets)) == (3, 4, 6)
    assert place.source_sha256 == SOURCE.sha256


@given(st.text(alphabet="甲乙 \n", min_size=1, max_size=30), st.text(alphabet="甲乙", min_size=1, max_size=3))
def test_every_place_of_a_span_is_found(text: str, span: str) -> None:
    solid = [at for at, char in enumerate(text) if not char.isspace()]
    expected = [
        tuple(solid[first : first + len(span)])
        for first in range(len(solid) - len(span) + 1)
        if "".join(text[at] for at in solid[first : first + len(span)]) == span
    ]
    found = places_of(span, [SourceText.of("a", text)])
    assert [place.offsets for place in found] == expected


def test_alternatives_share_one_piece() -> None:
    asked = question(evidence=[["雾大就停航", "守塔人"], ["明前茶"]])
    first, second = locate_evidence([asked], [SOURCE])["q-1"]
    assert len(first.places) == 2
    assert len(second.places) == 1


def test_a_span_that_stands_nowhere_is_named_with_its_line() -> None:
    asked = question("q-9", evidence=[["守塔人"], ["没有这句"]], line=7)
    with pytest.raises(ConfigError, match=r"dev\.jsonl 第 7 行（q-9）：语料里找不到证据 '没有这句'"):
        locate_evidence([asked], [SOURCE])
