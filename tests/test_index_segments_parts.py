"""What the two segmented searchers stand on: which segments merge, marks, moments; and the levels."""

from __future__ import annotations

import ast
import itertools
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import index.segments
from index.background import Background
from index.segments import IndexRows, LiveIndex
from index.segments.masks import RowMask
from index.segments.merging import first_merged
from index.segments.moments import MAX_STEPS, Moments
from tests.index_samples import unit_rows

LEVELS = ({"masks", "merging", "moments", "rows"}, {"vectors", "terms"}, {"live"})
FOLDER = Path(index.segments.__file__).parent


def test_imports_go_down_only() -> None:
    assert sorted(name for level in LEVELS for name in level) == sorted(
        path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"
    )
    below: set[str] = set()
    for level in LEVELS:
        for name in level:
            tree = ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))
            found = {
                node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module
            }
            own = {module for module in found if module.startswith("index.segments")}
            assert own <= {f"index.segments.{other}" for other in below}, name
        below |= level


# Merging.


def grown(additions: list[int]) -> tuple[list[int], list[int]]:
    """Sizes of the segments after these additions, and how often each row was copied when merged."""
    sizes: list[int] = []
    copies: list[int] = []
    for added in additions:
        first = first_merged(sizes, added)
        merged = sizes[first:]
        start = sum(sizes[:first])
        if merged:
            copies = copies[:start] + [count + 1 for count in copies[start:]]
        copies += [int(bool(merged))] * added
        sizes = [*sizes[:first], sum(merged) + added]
    return sizes, copies


@given(st.lists(st.integers(1, 60), min_size=1, max_size=60))
def test_segments_stay_few_and_rows_are_seldom_copied(additions: list[int]) -> None:
    sizes, copies = grown(additions)
    total = sum(additions)
    assert sum(sizes) == total == len(copies)
    for place in range(1, len(sizes)):
        assert sizes[place - 1] >= 2 * sizes[place]
    assert len(sizes) <= math.log2(total) + 1
    assert max(copies) <= math.log(total) / math.log(1.5) + 1


def test_one_row_after_another() -> None:
    sizes, copies = grown([1] * 1000)
    assert len(sizes) <= 10
    assert sum(copies) <= 1000 * 10
    assert first_merged([1000, 400, 3], 1) == 3
    assert first_merged([1000, 400, 3], 2) == 2
    assert first_merged([1000, 400, 3], 300) == 0
    assert first_merged([], 5) == 0


# Marks.


@given(st.data())
def test_marks_are_those_of_one_array(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(0, 6), max_size=5))
    mask, plain = RowMask.full(sizes), np.ones(sum(sizes), np.bool_)
    for _ in range(data.draw(st.integers(0, 6))):
        ends = st.tuples(*[st.integers(0, plain.size)] * 2).map(sorted)
        ranges = [range(*pair) for pair in data.draw(st.lists(ends, max_size=3))]
        inside = np.zeros(plain.size, np.bool_)
        for rows in ranges:
            inside[rows.start : rows.stop] = True
        before = mask
        match data.draw(st.sampled_from(["without", "within", "both", "extended"])):
            case "without":
                mask, plain = mask.without(ranges), plain & ~inside
                lost = [np.flatnonzero(marks) + mask.starts[place] for place, marks in before.lost(mask)]
                assert sum(map(len, lost)) == before.count - mask.count
            case "within":
                mask, plain = mask.within(ranges), plain & inside
            case "both":
                mask, plain = mask.both(inside), plain & inside
            case _:
                first, size = data.draw(st.integers(0, len(mask.parts))), data.draw(st.integers(0, 4))
                mask, plain = mask.extended(size, first), np.concatenate([plain, np.ones(size, np.bool_)])
                assert len(mask.parts) == first + 1
        assert mask.rows == plain.size
        assert mask.count == np.count_nonzero(plain)
        for place, (start, stop) in enumerate(itertools.pairwise(mask.starts)):
            part = mask.parts[place]
            assert plain[start:stop].tolist() == ([True] * (stop - start) if part is None else part.tolist())
            assert mask.counts[place] == np.count_nonzero(plain[start:stop])
            assert part is None or not part.flags.writeable


def test_what_is_not_touched_is_shared() -> None:
    mask = RowMask.full([3, 3, 3]).without([range(1), range(4, 5)])
    later = mask.without([range(7, 8)])
    assert (later.parts[0] is mask.parts[0]) is (later.parts[1] is mask.parts[1]) is True
    assert mask.parts[2] is None


# Moments.


def error(moments: Moments, rows: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> float:
    """The largest distance of any entry from a direct computation."""
    direct = Background.of(rows)
    apart = moments.background.covariance - direct.covariance
    return max(float(np.abs(apart).max()), float(np.abs(moments.background.mean - direct.mean).max()))


@settings(max_examples=40)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=8), st.integers(1, 6), st.integers(0, 99))
def test_moments_add_up_and_come_apart(sizes: list[int], dim: int, seed: int) -> None:
    parts = [unit_rows(size, dim, seed + at) for at, size in enumerate(sizes)]
    moments = Moments.none(dim)
    for part in parts:
        moments = moments.with_rows(len(part), Background.of(part))
    assert moments.count == sum(sizes)
    assert error(moments, np.concatenate(parts)) < 1e-14
    covariance = moments.background.covariance
    assert np.array_equal(covariance, covariance.T)
    for at in range(len(parts)):
        left = np.concatenate([parts[at][:0], *parts[:at], *parts[at + 1 :]])
        if len(left):
            less = moments.without_rows(len(parts[at]), Background.of(parts[at]))
            assert (less.count, less.removed) == (len(left), len(parts[at]))
            assert error(less, left) < 1e-13


def test_moments_by_hand() -> None:
    # 1, 2 | 6: means 1.5 and 6, together 3; variances 0.25 and 0, together (4 + 1 + 9) / 3.
    first, second = (
        Background.of(np.array([[1], [2]], np.float32)),
        Background.of(np.array([[6]], np.float32)),
    )
    both = Moments.none(1).with_rows(2, first).with_rows(1, second)
    assert both.background.mean[0] == pytest.approx(3.0, rel=1e-15)
    assert both.background.covariance[0, 0] == pytest.approx(14 / 3, rel=1e-15)
    assert both.without_rows(2, first).background.covariance[0, 0] == pytest.approx(0.0, abs=1e-14)


def living(matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> IndexRows:
    nothing = np.empty((0, matrix.shape[1]), np.float32)
    return IndexRows(
        {"chunk": matrix, "sentence": nothing, "window": nothing},
        {"chunk": [[]] * len(matrix), "sentence": []},
    )


def test_error_does_not_build_up_over_thousands_of_changes() -> None:
    # Rows crowded around one direction, as a real encoder's: small variances, the hard case.
    random, dim = np.random.default_rng(1), 8
    rows = unit_rows(1, dim) + 0.2 * unit_rows(9000, dim, 2)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    live = LiveIndex.empty(dim).extended(living(rows[:500]))
    alive = list(range(500))
    refreshed, worst = 0, 0.0
    for change in range(2 * MAX_STEPS):
        before = live.chunk_vectors.moments
        if change % 2:
            gone = alive.pop(int(random.integers(len(alive))))
            live = live.without([range(gone, gone + 1)], [])
        else:
            at = 500 + change // 2
            live = live.extended(living(rows[at : at + 1]))
            alive.append(at)
        now = live.chunk_vectors.moments
        assert now.removed <= now.count
        assert now.steps < MAX_STEPS
        refreshed += now.steps < before.steps
        if not change % 100:
            worst = max(worst, error(now, rows[alive]))
    assert refreshed > 5
    assert worst < 1e-11


def test_removing_nearly_everything_computes_anew() -> None:
    rows = unit_rows(1000, 5)
    live = LiveIndex.empty(5).extended(living(rows)).without([range(998)], [])
    assert (live.chunk_vectors.moments.removed, live.chunk_vectors.moments.steps) == (0, 0)
    assert error(live.chunk_vectors.moments, rows[998:]) < 1e-16
    half = LiveIndex.empty(5).extended(living(rows)).without([range(400)], [])
    assert half.chunk_vectors.moments.removed == 400
    assert error(half.chunk_vectors.moments, rows[400:]) < 1e-14


def test_many_small_additions_compute_anew_too() -> None:
    moments = Moments(5, Background.of(unit_rows(5, 3)), steps=MAX_STEPS - 1)
    assert not moments.is_worn
    assert moments.with_rows(1, Background.of(unit_rows(1, 3))).is_worn
