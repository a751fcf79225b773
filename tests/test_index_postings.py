from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.postings import Postings

ROWS = [["乙", "甲", "乙"], [], ["甲"]]


def test_by_hand() -> None:
    postings = Postings.build(ROWS)
    assert postings.vocabulary == ("乙", "甲")  # U+4E59 before U+7532
    assert postings.starts.tolist() == [0, 1, 3]
    assert postings.rows.tolist() == [0, 0, 2]
    assert postings.counts.tolist() == [2, 1, 1]
    assert postings.lengths.tolist() == [3, 0, 1]
    assert postings.fault() is None


@given(st.lists(st.lists(st.text(max_size=3), max_size=6), max_size=8))
def test_what_is_stored_comes_back_whatever_the_terms(rows: list[list[str]]) -> None:
    rows = [[term.encode("utf-8", "replace").decode() for term in row] for row in rows]
    postings = Postings.build(rows)
    found = Postings.from_parts(postings.to_parts())
    assert found.vocabulary == postings.vocabulary
    for row, terms in enumerate(rows):
        held = {
            term: int(found.counts[at])
            for number, term in enumerate(found.vocabulary)
            for at in range(int(found.starts[number]), int(found.starts[number + 1]))
            if found.rows[at] == row
        }
        assert held == {term: terms.count(term) for term in terms}


many_rows = st.lists(st.lists(st.sampled_from(["甲", "乙", "丙", "甲乙", ""]), max_size=5), max_size=7)


def same(found: Postings, rows: list[list[str]]) -> bool:
    return found.fault() is None and found.to_parts() == Postings.build(rows).to_parts()


@given(st.lists(many_rows, max_size=5))
def test_merged_postings_are_those_of_all_rows(parts: list[list[list[str]]]) -> None:
    merged = Postings.merged([Postings.build(rows) for rows in parts])
    assert same(merged, [row for rows in parts for row in rows])


@given(many_rows, st.data())
def test_kept_postings_are_those_of_the_rows_kept(rows: list[list[str]], data: st.DataObject) -> None:
    mask = data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows)))
    kept = Postings.build(rows).kept(np.array(mask, np.bool_))
    assert same(kept, [row for row, stays in zip(rows, mask, strict=True) if stays])


def test_the_rows_of_a_term() -> None:
    rows, counts = Postings.build(ROWS).of_term(1)
    assert (rows.tolist(), counts.tolist()) == ([0, 2], [1, 1])


def test_the_bytes_do_not_depend_on_the_hash_seed() -> None:
    code = (
        "import hashlib; from index.postings import Postings; "
        "parts = Postings.build([list('城市治理'), list('社区数据')]).to_parts(); "
        "print(hashlib.sha256(parts['json'] + parts['npz']).hexdigest())"
    )
    digests = set()
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    parts = Postings.build([list("城市治理"), list("社区数据")]).to_parts()
    assert digests == {hashlib.sha256(parts["json"] + parts["npz"]).hexdigest()}


def ints(*values: int) -> NDArray[np.int32]:
    return np.array(values, np.int32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocabulary": ("甲", "乙")}, "严格升序"),
        ({"vocabulary": ("甲", "甲")}, "严格升序"),
        ({"vocabulary": ("甲",)}, "1 个词、3 条记录与分界不符"),
        ({"starts": np.array([0, 0, 3])}, "与分界不符"),
        ({"starts": np.array([0, 1, 2])}, "与分界不符"),
        ({"starts": np.array([], np.int64)}, "与分界不符"),
        ({"counts": ints(2, 1)}, "次数与记录不符"),
        ({"counts": ints(2, 0, 2)}, "次数与记录不符"),
        ({"rows": ints(0, 0, 3)}, "行号超出 3 行"),
        ({"rows": ints(0, -1, 2)}, "行号超出 3 行"),
        ({"rows": ints(0, 2, 0)}, "同一个词的行号没有严格升序"),
        ({"lengths": ints(3, 1, 0)}, "每行的词数与记录不符"),
    ],
)
def test_postings_that_contradict_themselves_are_refused(change: dict[str, Any], message: str) -> None:
    wrong = replace(Postings.build(ROWS), **change)
    with pytest.raises(ValueError, match=message):
        Postings.from_parts(wrong.to_parts())


@pytest.mark.parametrize("vocabulary", ['{"甲": 1}', "[1, 2]", "null"])
def test_a_vocabulary_of_anything_but_strings_is_refused(vocabulary: str) -> None:
    parts = Postings.build(ROWS).to_parts()
    with pytest.raises(ValueError, match="词表不是字符串列表"):
        Postings.from_parts(parts | {"json": vocabulary.encode()})
    with pytest.raises(json.JSONDecodeError, match="Expecting"):
        Postings.from_parts(parts | {"json": b"["})
