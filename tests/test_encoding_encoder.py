"""The bundled encoder: unit vectors, the same in any company and on any number of threads."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rag.encoding.encoder import BUNDLED_ENCODER, SentenceTransformerEncoder, Vectors
from rag.errors import EncoderError
from tests.conftest import default_cache_dir

TEXTS = [
    "采茶人清晨上山，把嫩芽摘进竹篓。",
    "船",
    "彗星每七十年来一次，观测站记下了它的轨道，人们在山顶守了整整一夜，直到天亮才下山回家。",
    "The old lighthouse stood on the northern cape.",
    "ＡＩ 賦能茶園",
]


def lengths(vectors: Vectors) -> list[float]:
    return [float(length) for length in np.linalg.norm(vectors.astype(np.float64), axis=1)]


@pytest.fixture(scope="module")
def passages(bundled_encoder: SentenceTransformerEncoder) -> Vectors:
    return bundled_encoder.encode_passages(TEXTS)


def test_names_and_sizes(bundled_encoder: SentenceTransformerEncoder) -> None:
    assert bundled_encoder.name == BUNDLED_ENCODER
    assert bundled_encoder.dimension == 384
    assert len(bundled_encoder.revision) == 16


def test_vectors_are_of_unit_length(bundled_encoder: SentenceTransformerEncoder, passages: Vectors) -> None:
    queries = bundled_encoder.encode_queries(TEXTS)
    for vectors in (passages, queries):
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(TEXTS), 384)
        assert lengths(vectors) == pytest.approx([1.0] * len(TEXTS), abs=1e-5)


def test_questions_and_passages_are_encoded_differently(
    bundled_encoder: SentenceTransformerEncoder, passages: Vectors
) -> None:
    queries = bundled_encoder.encode_queries(TEXTS)
    same = (queries * passages).sum(axis=1)
    assert (same < 0.999).all()
    assert (same > 0.8).all()


def test_one_by_one_and_in_a_batch(bundled_encoder: SentenceTransformerEncoder, passages: Vectors) -> None:
    single = np.concatenate([bundled_encoder.encode_passages([text]) for text in TEXTS])
    assert np.abs(single - passages).max() < 1e-4


def test_questions_do_not_depend_on_their_company(bundled_encoder: SentenceTransformerEncoder) -> None:
    together = bundled_encoder.encode_queries(TEXTS[:3])
    alone = np.concatenate([bundled_encoder.encode_queries([text]) for text in TEXTS[:3]])
    assert (together == alone).all()


def test_the_number_of_threads_changes_nothing(passages: Vectors) -> None:
    two = SentenceTransformerEncoder(BUNDLED_ENCODER, default_cache_dir(), threads=2)
    assert (two.encode_passages(TEXTS) == passages).all()


def test_spelling_of_width_and_script_changes_nothing(bundled_encoder: SentenceTransformerEncoder) -> None:
    wide, plain = bundled_encoder.encode_queries(["ＡＩ 賦能茶園", "AI 赋能茶园"])
    assert (wide == plain).all()


def test_what_is_near_in_meaning_is_near(
    bundled_encoder: SentenceTransformerEncoder, passages: Vectors
) -> None:
    question = bundled_encoder.encode_queries(["谁在早上去摘茶叶？"])[0]
    assert int(np.argmax(passages @ question)) == 0


def test_progress_is_told_in_rows(bundled_encoder: SentenceTransformerEncoder) -> None:
    told: list[tuple[int, int]] = []
    bundled_encoder.encode_passages(["茶"] * 40, lambda done, total: told.append((done, total)))
    assert told == [(32, 40), (40, 40)]


def test_nothing_gives_no_rows(bundled_encoder: SentenceTransformerEncoder) -> None:
    assert bundled_encoder.encode_passages([]).shape == (0, 384)
    assert bundled_encoder.encode_queries([]).shape == (0, 384)


def test_odd_text_is_encoded_too(bundled_encoder: SentenceTransformerEncoder) -> None:
    vectors = bundled_encoder.encode_queries(["", "\u200b", "😀", "茶" * 2000])
    assert lengths(vectors) == pytest.approx([1.0] * 4, abs=1e-5)


def test_a_folder_without_a_model_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="CEWEN_ENCODER"):
        SentenceTransformerEncoder(str(tmp_path), tmp_path, threads=1)


def test_a_model_that_is_nowhere_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="CEWEN_ENCODER"):
        SentenceTransformerEncoder("nobody/no-such-model", tmp_path, threads=1)


@pytest.mark.parametrize("name", ["0" * 500, "a\0b", "~nobody-of-that-name/x", "/", "\ud800", "灯塔"])
def test_a_name_that_cannot_be_one_is_a_clear_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(EncoderError, match="CEWEN_ENCODER"):
        SentenceTransformerEncoder(name, tmp_path, threads=1)


def test_offline_nothing_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sentence_transformers

    asked: list[tuple[str, bool]] = []

    def load(path: str, *, local_files_only: bool, **_: object) -> None:
        asked.append((path, local_files_only))
        raise OSError("not here")

    monkeypatch.setattr(sentence_transformers, "SentenceTransformer", load)
    for offline in (False, True):
        with pytest.raises(EncoderError, match="not here"):
            SentenceTransformerEncoder("nobody/no-such-model", tmp_path, threads=1, offline=offline)
    assert asked == [("nobody/no-such-model", False), ("nobody/no-such-model", True)]
