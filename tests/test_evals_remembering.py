from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from evals.remembering import RememberingEncoder, Vectors


class CountingEncoder:
    """A text's vector is its length; `encoded` keeps what was really encoded."""

    name, revision, dimension = "counting", "1", 1

    def __init__(self) -> None:
        self.encoded: list[str] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.encoded += texts
        return np.array([[len(text)] for text in texts], np.float32)

    def encode_passages(
        self, texts: Sequence[str], progress: Callable[[int, int], None] | None = None
    ) -> Vectors:
        if progress:
            progress(len(texts), len(texts))
        return self.encode_queries(texts)

    def count_tokens(self, text: str) -> int:
        return len(text)


@pytest.mark.parametrize(
    ("keep", "encoded"),
    [(1, ["a", "bb", "a", "ccc", "a"]), (2, ["a", "bb", "ccc", "a"]), (None, ["a", "bb", "ccc"])],
)
def test_the_latest_texts_are_remembered(keep: int | None, encoded: list[str]) -> None:
    inner = CountingEncoder()
    encoder = RememberingEncoder(inner, keep)
    for text in ("a", "a", "bb", "a", "ccc", "a"):
        assert encoder.encode_queries([text]).tolist() == [[len(text)]]
    assert inner.encoded == encoded


def test_several_texts_keep_their_order_and_passages_pass_through() -> None:
    inner, told = CountingEncoder(), list[tuple[int, int]]()
    encoder = RememberingEncoder(inner)
    assert encoder.encode_queries(["ccc", "a"]).tolist() == [[3.0], [1.0]]
    assert encoder.encode_passages(["bb"], lambda done, total: told.append((done, total))).tolist() == [[2.0]]
    assert told == [(1, 1)]
    assert (encoder.name, encoder.revision, encoder.dimension) == ("counting", "1", 1)
