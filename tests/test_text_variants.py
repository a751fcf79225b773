"""Variant characters: a closed table whose pairs fold to one form, once and for all."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from rag.text.folding import fold, fold_for_encoder, to_simplified
from rag.text.terms import index_terms
from rag.text.variants import VARIANTS

TODAY = set(VARIANTS.values())
OLD = {chr(code) for code in VARIANTS}


def test_each_is_one_character_for_one_of_today() -> None:
    assert len(OLD) > 100
    assert not OLD & TODAY
    for old, today in zip(OLD, map(fold, OLD), strict=True):
        assert len(today) == 1
        assert today in TODAY
        # Only what `t2s` leaves needs an entry, and what it makes of the entry must be the entry.
        assert to_simplified(old) == unicodedata.normalize("NFKC", old) == old
    assert all(to_simplified(today) == today for today in TODAY)


def test_the_script_conversion_never_makes_a_variant() -> None:
    every = (chr(code) for low, high in ((0x3400, 0xA000), (0x20000, 0x30000)) for code in range(low, high))
    made = [char for char in every if char not in OLD and OLD.intersection(to_simplified(char))]
    assert [char for char in made if unicodedata.normalize("NFKC", char) == char] == []


@given(st.text(st.sampled_from(sorted(OLD | TODAY)) | st.sampled_from("乾著後隆茶採Ａ "), max_size=12))
def test_folding_text_with_variants_again_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once
    assert not OLD.intersection(once)


def test_what_tells_words_or_names_apart_is_left() -> None:
    for char in "喆堃甯埽柁淼祇":
        assert fold(char) == char


def test_terms_of_either_spelling_are_the_same() -> None:
    assert index_terms("築隄不如疎導，槩畧如此") == index_terms("筑堤不如疏导，概略如此")


def test_the_encoder_reads_what_is_printed() -> None:
    # Its vectors are kept, and the model knows these characters.
    assert fold_for_encoder("隄") == "隄"
