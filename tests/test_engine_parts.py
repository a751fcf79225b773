"""What engines share: models opened once, whatever they are called, and let go when nobody uses them."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from api.engine_parts import EngineParts
from api.library.library import Library
from api.library.opening import open_library
from api.library.snapshots import encoder_key
from rag.encoding.e5_folder import e5_folder
from rag.encoding.encoder import (
    BUNDLED_ENCODER,
    SentenceTransformerEncoder,
    model_place,
    shown_name,
    stored_revision,
)
from rag.errors import EncoderError, NotFoundError
from tests.conftest import default_cache_dir
from tests.counting_encoder import CountingEncoder
from tests.library_samples import added, done, settings_of, upload
from tests.tiny_model import write_tiny_model

WAIT_SECONDS = 60.0


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_tiny_model(tmp_path / "models" / "small")


def weights(parts: EngineParts, name: str | None) -> object:
    encoder = parts.model(name).encoder
    assert isinstance(encoder, SentenceTransformerEncoder)
    return encoder._model


def test_spellings_of_one_model_share_what_is_loaded_and_keep_their_names(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link"
    link.symlink_to(small)
    monkeypatch.chdir(tmp_path)
    spellings = [str(small), "models/small", str(small / ".." / "small"), str(link)]
    settings = settings_of(tmp_path, encoder=spellings[0])
    parts = EngineParts(settings)
    assert len({id(weights(parts, name)) for name in (None, *spellings)}) == 1
    other = write_tiny_model(tmp_path / "other" / "small", seed=1)
    assert weights(parts, str(other)) is not weights(parts, None)
    for name in (*spellings, str(other)):
        alone = SentenceTransformerEncoder(name, tmp_path, threads=1)
        assert encoder_key(parts.model(name).encoder) == encoder_key(alone)
        assert (shown_name(name), stored_revision(name, tmp_path)) == (alone.name, alone.revision)
        same = parts.model(name).encoder.encode_queries(["茶树"]) == alone.encode_queries(["茶树"])
        assert np.all(same)
    assert parts.model(str(link)).encoder.name == "link"


def test_the_bundled_model_is_the_same_by_its_name_and_by_its_folder(
    tmp_path: Path, bundled_encoder: SentenceTransformerEncoder
) -> None:
    cache = default_cache_dir()
    parts = EngineParts(settings_of(tmp_path, cache_dir=cache, reader="bundled"))
    folder = str(e5_folder(cache))
    assert weights(parts, folder) is weights(parts, BUNDLED_ENCODER)
    assert parts.model(folder).reader is parts.model(BUNDLED_ENCODER).reader is not None
    assert parts.model(folder).encoder.name == Path(folder).name
    assert stored_revision(BUNDLED_ENCODER, cache) == bundled_encoder.revision
    # Another model is read with the same reader, whose layers are loaded.
    small = write_tiny_model(tmp_path / "small")
    assert parts.model(str(small)).reader is parts.model(BUNDLED_ENCODER).reader


def test_what_a_name_means_is_known_without_loading_anything(tmp_path: Path) -> None:
    assert model_place("nobody/model", tmp_path) == "nobody/model"
    assert (shown_name("nobody/model"), stored_revision("nobody/model", tmp_path)) == (
        "model",
        "nobody/model",
    )
    assert stored_revision(BUNDLED_ENCODER, tmp_path) is None  # not unpacked there
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(EncoderError, match="没有编码模型"):
        stored_revision(str(tmp_path), tmp_path)


def test_what_no_collection_uses_is_opened_anew_unless_somebody_works_with_it(
    tmp_path: Path, small: Path
) -> None:
    other = write_tiny_model(tmp_path / "models" / "other")
    parts = EngineParts(settings_of(tmp_path, encoder=str(small)))
    held = parts.model(None)
    gone = weakref.ref(parts.model(str(other)))
    parts.keep_only([str(other)])
    assert parts.model(None) is held  # a job goes on with it
    parts.keep_only([None])
    assert gone() is None
    assert parts.model(str(other)).encoder.name == "other"


def test_a_model_that_was_handed_in_is_never_forgotten(tmp_path: Path, small: Path) -> None:
    encoder = CountingEncoder()
    parts = EngineParts(settings_of(tmp_path), encoder=encoder)
    parts.model(str(small))
    parts.keep_only([str(small)])
    assert parts.model().encoder is encoder


@pytest.fixture
def frozen() -> Iterator[None]:
    """As in a service: what was there at the start is passed over by the collector."""
    yield
    gc.unfreeze()


def test_after_a_reindex_the_memory_of_the_old_model_is_given_back(
    tmp_path: Path, small: Path, frozen: None
) -> None:
    other = write_tiny_model(tmp_path / "models" / "other", width=24)
    with open_library(settings_of(tmp_path, encoder=str(small))) as library:
        added(library, upload(1))
        old = threading.Event()
        model = library.live().snapshot.model.encoder
        assert isinstance(model, SentenceTransformerEncoder)
        weakref.finalize(model.transformer, old.set)
        del model
        gc.freeze()
        done(library, library.reindex("default", str(other)))
        assert old.wait(WAIT_SECONDS)
        kept = library.live().snapshot.model
        done(library, library.reindex("default", f"{other.parent}/./other"))
        now = library.live().snapshot.model
        assert (kept.encoder.dimension, now.encoder.dimension) == (24, 24)
        assert isinstance(kept.encoder, SentenceTransformerEncoder)
        assert isinstance(now.encoder, SentenceTransformerEncoder)
        assert now.encoder.transformer is kept.encoder.transformer
        assert gc.get_freeze_count() > 0


def leaving(*libraries: Library) -> list[threading.Event]:
    """For each library what is set when nobody holds the model of its collection "sky" any more."""
    events = [threading.Event() for _ in libraries]
    for library, event in zip(libraries, events, strict=True):
        weakref.finalize(library.live("sky").snapshot.model, event.set)
        assert not event.is_set()
    return events


def test_a_reader_and_who_removes_the_collection_let_go_of_its_model_too(tmp_path: Path, small: Path) -> None:
    other = write_tiny_model(tmp_path / "models" / "other", width=24)
    settings = settings_of(tmp_path, encoder=str(small))
    with open_library(settings) as writer:
        writer.create_collection("sky")
        done(writer, writer.reindex("sky", str(other)))
        with open_library(settings, writable=False) as reader:
            left = leaving(writer, reader)
            done(writer, writer.reindex("sky", None))
            assert reader.live("sky").snapshot.model.encoder.dimension == 16
            assert all(event.wait(WAIT_SECONDS) for event in left)
            done(writer, writer.reindex("sky", str(other)))
            left = leaving(writer, reader)
            writer.remove_collection("sky")
            with pytest.raises(NotFoundError):
                reader.live("sky")
            assert all(event.wait(WAIT_SECONDS) for event in left)
