from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from index.lexical import LexicalIndex
from index.postings import Postings
from index.segments import IndexRows, LiveIndex
from index.vectors import VectorIndex
from rag.errors import ConfigError, EncoderError
from rag.ranking.arms import LexicalArm, SearchIndex, VectorArm
from tests.index_samples import unit_rows
from tests.living_rows import DIM, POOL, TERMS, Essay, Row, Shelf, compare, index_rows

Change = Callable[[LiveIndex, Sequence[range], Sequence[range]], LiveIndex]

places = st.integers(0, len(POOL) - 1)
term_lists = st.lists(st.sampled_from(TERMS), max_size=5).map(tuple)
rows = st.builds(Row, places, places, term_lists)
essays = st.builds(Essay, st.lists(rows, max_size=3).map(tuple), st.lists(rows, max_size=5).map(tuple))
queries = st.tuples(st.integers(0, 12), places, st.lists(st.sampled_from(TERMS + "己"), max_size=5))
A = Essay((Row(0, 0, ("甲", "乙")),), (Row(0, 1, ("甲",)), Row(5, 6, ("乙", "乙"))))
B = Essay((Row(3, 0, ("甲",)), Row(7, 0, ())), (Row(8, 9, ("丙",)),))


def held(*essays: Essay) -> tuple[LiveIndex, Shelf]:
    """An index to which they were added one by one."""
    index, shelf = LiveIndex.empty(DIM), Shelf()
    for essay in essays:
        index, shelf = index.extended(index_rows([essay])), shelf.extended([essay])
    return index, shelf


class Changes(RuleBasedStateMachine):
    """Any sequence of changes; each state, and at the end each earlier one, against the plain classes."""

    def __init__(self) -> None:
        super().__init__()
        self.index, self.shelf = LiveIndex.empty(DIM), Shelf()
        self.query: tuple[int, int, list[str]] = (3, 0, ["甲"])
        self.earlier: list[tuple[LiveIndex, Shelf]] = []

    def move(self, index: LiveIndex, shelf: Shelf) -> None:
        self.earlier.append((self.index, self.shelf))
        self.index, self.shelf = index, shelf

    def some(self, data: st.DataObject) -> list[int]:
        there = range(len(self.shelf.essays))
        return data.draw(st.lists(st.sampled_from(there), unique=True)) if there else []

    @rule(query=queries)
    def ask_something_else(self, query: tuple[int, int, list[str]]) -> None:
        self.query = query

    @rule(added=st.lists(essays, max_size=4))
    def add(self, added: list[Essay]) -> None:
        self.move(self.index.extended(index_rows(added)), self.shelf.extended(added))

    @rule(added=essays, times=st.integers(2, 9))
    def add_one_by_one(self, added: Essay, times: int) -> None:
        for _ in range(times):
            self.add([added])

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        gone = self.some(data)
        self.move(self.index.without(*self.shelf.ranges(gone)), self.shelf.without(gone))

    @rule()
    def compact(self) -> None:
        self.move(self.index.compacted(), self.shelf.compacted())

    @rule(data=st.data())
    def keep(self, data: st.DataObject) -> None:
        kept = self.some(data)
        masks = (np.zeros(self.index.chunks, np.bool_), np.zeros(self.index.sentences, np.bool_))
        for mask, ranges in zip(masks, self.shelf.ranges(kept), strict=True):
            for here in ranges:
                mask[here.start : here.stop] = True
        left = set(range(len(self.shelf.essays))) - set(kept)
        self.move(self.index.kept(*masks), self.shelf.without(left).compacted())

    @rule()
    def take_apart_and_open_again(self) -> None:
        vectors, terms = self.index.compacted().parts()
        self.move(LiveIndex.from_parts(vectors, terms), self.shelf.compacted())

    @rule(data=st.data(), query=queries)
    def look_at_some(self, data: st.DataObject, query: tuple[int, int, list[str]]) -> None:
        shown = self.some(data)
        view = self.index.only(*self.shelf.ranges(shown))
        compare(view, self.shelf, *query, only=shown)
        other = self.some(data)
        both = set(shown) & set(other)
        compare(view.only(*self.shelf.ranges(other)), self.shelf, *query, only=both)

    @invariant()
    def it_equals_the_plain_classes(self) -> None:
        compare(self.index, self.shelf, *self.query)
        assert self.index.dead == sum(row is None for row in self.shelf.chunks)
        assert self.index.dead_sentences == sum(row is None for row in self.shelf.sentences)

    def teardown(self) -> None:
        for index, shelf in self.earlier[-10:]:
            compare(index, shelf, *self.query)


TestChanges = Changes.TestCase
TestChanges.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)


def test_it_is_what_ranking_wants() -> None:
    index: SearchIndex = LiveIndex.empty(DIM)
    vectors: tuple[VectorArm, ...] = (index.chunk_vectors, index.sentence_vectors, index.window_vectors)
    terms: tuple[LexicalArm, ...] = (index.chunk_terms, index.sentence_terms)
    assert len(vectors + terms) == 5


def test_nothing_at_all_is_searched_without_complaint() -> None:
    index, shelf = held(A, B)
    gone = index.without(*shelf.ranges([0, 1]))
    empties = (LiveIndex.empty(DIM), LiveIndex.empty(DIM).extended(index_rows([])), gone, gone.compacted())
    for empty in (*empties, index.only([], []), LiveIndex.empty(DIM).only([], [])):
        for vectors in (empty.chunk_vectors, empty.sentence_vectors, empty.window_vectors):
            assert vectors.search(POOL[0], 5)[0].tolist() == []
        for terms in (empty.chunk_terms, empty.sentence_terms):
            assert terms.search(["甲"], 5)[0].tolist() == []
            assert not terms.scores(["甲"]).any()
    assert gone.chunk_vectors.background(POOL[0]) == (0.0, 0.0)
    assert gone.chunk_terms.idf("甲") == LexicalIndex.build([]).idf("甲")
    assert (gone.chunks, gone.dead, gone.compacted().chunks) == (3, 3, 0)
    assert (gone.dim, gone.compacted().dim) == (DIM, DIM)


def test_rows_of_one_kind_alone_are_fine() -> None:
    only_chunks, only_sentences = Essay(A.chunks, ()), Essay((), A.sentences)
    index, shelf = held(only_chunks, only_sentences, A)
    compare(index, shelf, 5, 0, ["甲"])
    vectors, terms = index.without([range(2)], []).compacted().parts()
    assert {kind: part.count for kind, part in vectors.items()} == {"chunk": 0, "sentence": 4, "window": 4}
    again = LiveIndex.from_parts(vectors, terms)
    assert again.extended(index_rows([A])).chunk_vectors.search(POOL[0], 9)[0].tolist() == [0]
    assert again.sentence_terms.search(["甲"], 9)[0].tolist() == [0, 2]


def test_ties_come_in_the_order_of_ordinals_across_segments_and_holes() -> None:
    index, shelf = held(*[A] * 11)
    assert len(index.chunk_vectors.live.parts) > 1
    assert index.chunk_vectors.search(POOL[0], 6)[0].tolist() == list(range(6))
    assert index.chunk_terms.search(["甲"], 6)[0].tolist() == list(range(6))
    less = index.without(*shelf.ranges([0, 3, 4]))
    assert less.chunk_vectors.search(POOL[0], 6)[0].tolist() == [1, 2, 5, 6, 7, 8]
    assert less.chunk_terms.search(["甲"], 6)[0].tolist() == [1, 2, 5, 6, 7, 8]


def test_dead_rows_do_not_starve_a_search() -> None:
    # The best 4,000 of 6,000 rows die: more than is fetched for any k, and too many left to score one by one.
    close = POOL[0] + 0.001 * unit_rows(4000, DIM)
    close = (close / np.linalg.norm(close, axis=1, keepdims=True)).astype(np.float32)
    far = unit_rows(2000, DIM, 5)
    matrix = np.vstack([close, far])
    rows = IndexRows(
        {"chunk": matrix, "sentence": matrix[:0], "window": matrix[:0]},
        {"chunk": [[]] * len(matrix), "sentence": []},
    )
    index = LiveIndex.empty(DIM).extended(rows)
    plain = VectorIndex.build(far)
    for smaller in (index.without([range(4000)], []), index.only([range(4000, 6000)], [])):
        for k in (1, 50, 300, 2000):
            found, scores = smaller.chunk_vectors.search(POOL[0], k)
            expected, values = plain.search(POOL[0], k)
            assert (found - 4000).tolist() == expected.tolist()
            assert scores.tobytes() == values.tobytes()
    few = index.only([range(5990, 6000)], [])
    assert sorted(few.chunk_vectors.search(POOL[0], 50)[0].tolist()) == list(range(5990, 6000))


def test_equal_to_bm25s_over_the_live_rows() -> None:
    import bm25s

    random = np.random.default_rng(5)
    words = [f"词{i}" for i in range(60)]
    texts = [random.choice(words, size=random.integers(1, 40)).tolist() for _ in range(200)]
    index = LiveIndex.empty(DIM)
    for start in range(0, 200, 7):
        part = texts[start : start + 7]
        nothing = np.empty((0, DIM), np.float32)
        matrix = POOL[:1].repeat(len(part), axis=0)
        vectors = {"chunk": matrix, "sentence": nothing, "window": nothing}
        index = index.extended(IndexRows(vectors, {"chunk": part, "sentence": []}))
    index = index.without([range(13, 40), range(100, 101)], [])
    live = [*range(13), *range(40, 100), *range(101, 200)]
    other = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
    other.index([texts[at] for at in live], show_progress=False)
    for _ in range(20):
        terms = random.choice(words, size=5, replace=False).tolist()
        found = index.chunk_terms.scores(terms)
        np.testing.assert_allclose(found[live], other.get_scores(terms), rtol=1e-5, atol=1e-6)
        assert not found[13:40].any()


def test_a_view_leaves_statistics_as_they_are_and_is_never_changed() -> None:
    index, shelf = held(A, B, A)
    view = index.only(*shelf.ranges([1]))
    assert view.chunk_terms.idf("甲") == index.chunk_terms.idf("甲")
    assert view.chunk_vectors.background(POOL[2]) == index.chunk_vectors.background(POOL[2])
    assert view.chunk_terms.scores(["甲"])[1] == index.chunk_terms.scores(["甲"])[1]
    assert (view.is_view, index.is_view, view.dead) == (True, False, 0)
    masks = np.ones(index.chunks, np.bool_), np.ones(index.sentences, np.bool_)
    for change in (
        lambda: view.extended(index_rows([A])),
        lambda: view.without([], []),
        lambda: view.kept(*masks),
        view.compacted,
        view.parts,
    ):
        with pytest.raises(ValueError, match="this is a view"):
            change()


def test_scores_are_given_of_dead_rows_too_but_of_no_others() -> None:
    index, shelf = held(A, B)
    less = index.without(*shelf.ranges([0]))
    assert less.chunk_vectors.scores(POOL[0], np.array([1, 0, 1])).tolist() == [0.5, 1.0, 0.5]
    assert less.chunk_vectors.scores(POOL[0], np.array([], np.int64)).tolist() == []
    for wrong in ([3], [-1]):
        with pytest.raises(ValueError, match="expected 0 to 2"):
            less.chunk_vectors.scores(POOL[0], np.array(wrong))


def test_parts_do_not_depend_on_how_the_rows_came_in() -> None:
    many = [A, B, B, A, Essay((), ()), A, B]
    one_by_one, _ = held(*many)
    at_once = LiveIndex.empty(DIM).extended(index_rows(many))
    longer, shelf = held(B, *many, A)
    shortened = longer.without(*shelf.ranges([0, 8])).compacted()
    stored = [
        {kind: part.to_parts() for parts in index.parts() for kind, part in parts.items()}
        for index in (one_by_one, at_once, shortened)
    ]
    assert stored[0] == stored[1] == stored[2]
    assert at_once.parts()[0]["chunk"] is at_once.parts()[0]["chunk"]  # one segment: nothing is copied
    assert at_once.compacted() is at_once


def test_parts_of_an_index_with_dead_rows_are_refused() -> None:
    index, _ = held(A, B)
    with pytest.raises(ValueError, match="1 dead chunks and 0 dead sentences"):
        index.without([range(1)], []).parts()
    with pytest.raises(ValueError, match="0 dead chunks and 2 dead sentences"):
        index.without([], [range(2)]).parts()


def test_a_small_addition_leaves_the_large_segments_alone() -> None:
    index = LiveIndex.empty(DIM).extended(index_rows([A] * 50))
    large = index.chunk_vectors.part()
    longer = index.extended(index_rows([B])).extended(index_rows([B])).extended(index_rows([A]))
    assert longer.chunk_vectors._segments[0] is large
    assert longer.without([range(50, 51)], []).chunk_vectors.live.parts[0] is None
    sizes = longer.chunk_vectors.live.sizes
    assert sizes[0] == 50
    assert sum(sizes) == 55


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (unit_rows(1, DIM + 1), "5 维，索引里的是 4 维"),
        (2 * unit_rows(1, DIM), "不是单位长度"),
        (unit_rows(1, DIM).astype(np.float64), "float64"),
        (np.full((1, DIM), np.nan, np.float32), "长度是 nan"),
    ],
)
def test_vectors_that_do_not_fit_are_refused(vectors: Any, message: str) -> None:
    index, shelf = held(A, B)
    fine = index_rows([Essay(A.chunks, A.sentences[:1])])
    for kind in ("chunk", "sentence", "window"):
        wrong = IndexRows({**fine.vectors, kind: vectors}, fine.terms)
        with pytest.raises(EncoderError, match=message):
            index.extended(wrong)
    compare(index, shelf, 5, 0, ["甲"])


def test_rows_that_contradict_themselves_are_refused() -> None:
    fine = index_rows([A])
    with pytest.raises(ValueError, match=r"expected \('chunk', 'sentence', 'window'\)"):
        IndexRows({"chunk": fine.vectors["chunk"]}, fine.terms)
    with pytest.raises(ValueError, match="1 window vectors, expected 2 as there are terms"):
        IndexRows({**fine.vectors, "window": fine.vectors["window"][:1]}, fine.terms)
    with pytest.raises(TypeError, match="row of terms is a str"):
        LiveIndex.empty(DIM).extended(IndexRows(fine.vectors, {**fine.terms, "chunk": ["甲乙"]}))


def test_parts_that_contradict_each_other_are_refused() -> None:
    vectors, terms = held(A, B)[0].parts()
    with pytest.raises(ValueError, match="3 chunk vectors, expected 0"):
        LiveIndex.from_parts(vectors, {**terms, "chunk": Postings.build([])})
    with pytest.raises(ValueError, match="expected one dim"):
        LiveIndex.from_parts({**vectors, "window": VectorIndex.build(unit_rows(3, 7))}, terms)


@pytest.mark.parametrize("rows", [range(2, 9), range(-1, 2), range(0, 3, 2)])
@pytest.mark.parametrize("change", [LiveIndex.without, LiveIndex.only])
def test_ranges_that_are_no_rows_are_refused(rows: range, change: Change) -> None:
    index, _ = held(A, B)
    with pytest.raises(ValueError, match="expected a range without gaps within 0 to 3"):
        change(index, [rows], [])
    with pytest.raises(ValueError, match="expected a range without gaps within 0 to 3"):
        change(index, [], [rows])
    assert index.without([range(7, 7)], [range(0)]).dead == 0


def test_masks_that_do_not_fit_are_refused() -> None:
    index, _ = held(A, B)
    fine = np.ones(3, np.bool_)
    wrongs: list[Any] = [np.ones(2, np.bool_), np.ones(3, np.int64)]
    for wrong in wrongs:
        with pytest.raises(ValueError, match=r"expected bool \(3,\)"):
            index.kept(wrong, fine)


@given(st.sampled_from([0.0, 0.9, 2.0]), st.sampled_from([0.0, 0.4, 1.0]), st.lists(essays, max_size=5))
def test_parameters_of_bm25_stay(k1: float, b: float, added: list[Essay]) -> None:
    index = LiveIndex.empty(DIM, k1=k1, b=b)
    for essay in added:
        index = index.extended(index_rows([essay]))
    plain = LexicalIndex.build(index_rows(added).terms["chunk"], k1=k1, b=b)
    opened = LiveIndex.from_parts(*index.parts(), k1=k1, b=b)
    emptied = index.without([range(index.chunks)], [range(index.sentences)]).compacted()
    for same in (index, index.compacted(), opened, emptied.extended(index_rows(added))):
        assert same.chunk_terms.scores(["甲", "丙"]).tobytes() == plain.scores(["甲", "丙"]).tobytes()


def test_parameters_out_of_range_are_refused() -> None:
    with pytest.raises(ConfigError, match="k1 是 -1"):
        LiveIndex.empty(DIM, k1=-1)
    with pytest.raises(ConfigError, match="b 是 2"):
        LiveIndex.from_parts(*held(A)[0].parts(), b=2)


@pytest.mark.parametrize("essays", [(), (A,), (A, B)])
def test_an_unusable_question_is_refused(essays: tuple[Essay, ...]) -> None:
    index, _ = held(*essays)
    with pytest.raises(ValueError, match=r"expected float32 \(4,\)"):
        index.chunk_vectors.search(np.zeros(3, np.float32), 1)
    with pytest.raises(ValueError, match="not finite"):
        index.chunk_vectors.background(np.full(DIM, np.inf, np.float32))
    with pytest.raises(ValueError, match="k is -1"):
        index.chunk_vectors.search(POOL[0], -1)
    with pytest.raises(ValueError, match="k is -1"):
        index.chunk_terms.search(["甲"], -1)
    with pytest.raises(TypeError, match="terms is a str"):
        index.chunk_terms.search("甲", 1)
