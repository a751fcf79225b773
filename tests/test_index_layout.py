from __future__ import annotations

import pytest

from index.layout import FILE_NAMES, Current, generation_name, generation_number


def test_a_generation_is_named_by_its_number_finished_or_not() -> None:
    assert generation_name(7) == "gen-000007"
    assert generation_number("gen-000007") == 7
    assert generation_number("gen-000007.tmp") == 7
    assert generation_number(generation_name(12_345_678)) == 12_345_678


@pytest.mark.parametrize("name", ["gen-7", "gen-00000７", "gen-000007.bak", "gen-000007/..", "CURRENT", ""])
def test_other_names_are_no_generation(name: str) -> None:
    assert generation_number(name) is None


def test_the_pointer_is_one_line_and_reads_back() -> None:
    current = Current("gen-000007", "0f" * 32)
    assert current.to_line() == b"gen-000007 " + b"0f" * 32 + b"\n"
    assert Current.from_line(current.to_line()) == current


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"gen-000007 " + b"0f" * 32,
        b"gen-000007 " + b"0F" * 32 + b"\n",
        b"gen-000007 " + b"0f" * 31 + b"\n",
        b"gen-000007.tmp " + b"0f" * 32 + b"\n",
        b"../gen-000007 " + b"0f" * 32 + b"\n",
        b"gen-000007 " + b"0f" * 32 + b"\n\n",
    ],
)
def test_any_other_line_is_no_pointer(line: bytes) -> None:
    assert Current.from_line(line) is None


def test_the_files_of_a_generation_are_these() -> None:
    assert sorted(FILE_NAMES) == [
        "chunk_terms.json",
        "chunk_terms.npz",
        "chunk_vectors.f32",
        "chunk_vectors.npz",
        "sentence_terms.json",
        "sentence_terms.npz",
        "sentence_vectors.f32",
        "sentence_vectors.npz",
        "window_vectors.f32",
        "window_vectors.npz",
    ]
