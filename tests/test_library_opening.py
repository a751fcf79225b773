"""Opening a library: what a start takes from where, what it must not take, and what a reader sees and may."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from api.engine_parts import EngineParts
from api.library import current, preparing, snapshots
from api.library.maintenance import check
from api.library.opening import open_store
from api.library.snapshots import SourceFacts
from api.library.storing import facts_of
from index.store import StoredSource
from rag.errors import ConfigError, IndexFileError, IndexMismatchError, NotFoundError, UnavailableError
from tests.counting_encoder import CountingEncoder
from tests.library_samples import (
    WatchedEncoder,
    added,
    done,
    everything,
    ids_of,
    is_found,
    listed,
    opened,
    page,
    scratch,
    settings_of,
    settled,
    source,
    source_id,
    upload,
    write_seed,
)


def code_of(use: object) -> str:
    with pytest.raises((IndexFileError, UnavailableError)) as caught:
        use()  # type: ignore[operator]
    return caught.value.code


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The folder of a library with three sources and a generation."""
    write_seed(tmp_path, 1)
    with opened(tmp_path) as library:
        added(library, upload(2, essays=2), upload(3, title="井"))
        library.live().write_generation(always=True)
    return tmp_path


# What a start takes from where.


@pytest.mark.parametrize("loss", ["nothing", "generation", "rows", "both", "damage", "tail"])
def test_a_start_encodes_nothing_and_answers_as_before(
    filled: Path, loss: str, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(filled) as library:
        if loss == "tail":
            added(library, upload(4), upload(2, essays=2, title="后来"))
            library.remove("default", ids_of(2, 2)[0])
        said, order = everything(library.engine()), listed(library)
    generation = (filled / "index" / "default" / "CURRENT").read_text("ascii").split()[0]
    if loss in ("generation", "both"):
        (filled / "index" / "default" / "CURRENT").unlink()
    if loss in ("rows", "both"):
        (filled / "index" / "default" / "rows.kept").unlink(missing_ok=True)
    if loss == "damage":
        path = filled / "index" / "default" / generation / "sentence_vectors.f32"
        path.write_bytes(path.read_bytes()[:-3] + b"\x01\x02\x03")
    with caplog.at_level(logging.WARNING), opened(filled, may_encode=False) as library:
        assert library.encoded == 0
        assert (everything(library.engine()), listed(library)) == (said, order)
    assert bool(caplog.records) == (loss == "damage")
    assert list(check(settings_of(filled))) == []


@pytest.mark.parametrize("many", [False, True])
def test_what_the_index_holds_of_removed_documents_is_dead_or_left_out(
    filled: Path, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(filled) as library:
        library.remove("default", ids_of(2, 2)[0])
        said, order = everything(library.engine()), listed(library)
    if many:  # then holes are closed
        monkeypatch.setattr(snapshots, "_MANY_DEAD_ROWS", 0)
        monkeypatch.setattr(snapshots, "_DEAD_SHARE", 0)
    with opened(filled) as library:
        snapshot = library.live().snapshot
        assert (snapshot.index.dead, snapshot.index.chunks) == (
            snapshot.corpus.dead_rows,
            len(snapshot.corpus.chunks),
        )
        assert bool(snapshot.index.dead) != many
        assert (everything(library.engine()), listed(library)) == (said, order)
        added(library, upload(4))
        assert is_found(library.engine(), 4)
        assert not is_found(library.engine(), 2, essay=1)
    with opened(filled) as library:  # the index was written anew at the start before
        assert library.live().snapshot.index.dead == 0
        assert is_found(library.engine(), 2, essay=2)


@pytest.mark.parametrize("keep_writing", [True, False])
def test_a_large_index_is_written_after_the_start(
    filled: Path, keep_writing: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    current_file = filled / "index" / "default" / "CURRENT"
    current_file.unlink()
    monkeypatch.setattr(current, "_QUICKLY_WRITTEN", 0)
    library = opened(filled, keep_writing=keep_writing)
    assert current_file.exists() or keep_writing
    library.close()  # waits for what is being written
    assert current_file.exists()


def test_an_index_of_another_tokeniser_is_made_anew(
    filled: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(filled) as library:
        said = everything(library.engine())
    with monkeypatch.context() as patch:
        patch.setattr(preparing, "index_terms", lambda text: [f"旧{char}" for char in text])
        (filled / "index" / "default" / "CURRENT").unlink()
        with opened(filled) as library:
            library.live().write_generation(always=True)
            assert everything(library.engine()) != said
    with caplog.at_level(logging.WARNING), opened(filled) as library:
        assert everything(library.engine()) == said
        assert library.encoded == 0
    assert "索引自检失败" in caplog.text


def test_texts_that_look_alike_do_not_make_it_doubt_its_index(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(15):
        text = "■陆青山\n\n" + "本页仅供参考。" * (number + 1) + "\n\n…………\n"
        (tmp_path / "seeds").mkdir(exist_ok=True)
        (tmp_path / "seeds" / f"{number}.txt").write_text(text, "utf-8")
    with opened(tmp_path) as library:
        library.live().write_generation(always=True)
    with caplog.at_level(logging.WARNING), opened(tmp_path):
        pass
    assert caplog.records == []


def test_another_chunk_size_encodes_what_is_cut_otherwise(filled: Path) -> None:
    parts = EngineParts(settings_of(filled, chunk_max_chars=60), encoder=CountingEncoder())
    with pytest.raises(IndexMismatchError):
        opened(filled, may_encode=False, chunk_max_chars=60)
    with opened(filled, chunk_max_chars=60) as library:
        assert library.encoded > 0
        held = [(source(1), (1,)), (source(2, 2), (1, 2)), (source(3, title="井"), (1,))]
        assert everything(library.engine()) == everything(scratch(parts, held))
    with opened(filled, chunk_max_chars=60) as library:
        assert library.encoded == 0


def test_another_encoder_in_the_settings_encodes_all(filled: Path) -> None:
    with opened(filled) as library:
        documents = listed(library)
    other = WatchedEncoder("other")
    with pytest.raises(IndexMismatchError):
        opened(filled, other, may_encode=False)
    with opened(filled, other) as library:
        assert library.encoded == other.encoded > 0
        assert (listed(library), library.collections()[0].encoder) == (documents, "other")
    with opened(filled, other) as library:
        assert library.encoded == 0


def test_afresh_encodes_everything_whatever_there_is(filled: Path) -> None:
    with opened(filled) as library:
        said = everything(library.engine())
    encoder = WatchedEncoder()
    with opened(filled, encoder, afresh=True) as library:
        assert encoder.encoded == library.encoded > 0
        assert everything(library.engine()) == said
    with opened(filled) as library:
        assert library.encoded == 0
    with open_store(settings_of(filled), writable=False) as store:
        key = '["counting", "1", 12]'
        assert [one.document_id for one in store.stamps("default", key)] == list(
            store.live_documents("default")
        )


# The seeds folder.


def test_the_seeds_are_followed_at_each_start(tmp_path: Path) -> None:
    for number in (1, 2):
        write_seed(tmp_path, number)
    with opened(tmp_path) as library:
        assert listed(library) == [*ids_of(1), *ids_of(2)]
        added(library, upload(9))
    write_seed(tmp_path, 3, name="1.txt")  # changed
    (tmp_path / "seeds" / "2.txt").rename(tmp_path / "seeds" / "two.txt")
    write_seed(tmp_path, 4)
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        # What changed last comes last, and a document follows the name of its file.
        assert {*listed(library)} == {*ids_of(2), *ids_of(9), *ids_of(3), *ids_of(4)}
        assert {entry.source_id: entry.document.source.name for entry in library.entries("default")} == {
            source_id(2): "two.txt",
            source_id(9): "9.txt",
            source_id(3): "1.txt",
            source_id(4): "4.txt",
        }
    for path in (tmp_path / "seeds").glob("[1t]*"):
        path.unlink()
    with opened(tmp_path, may_encode=True) as library:
        assert listed(library) == [*ids_of(9), *ids_of(4)]
    (tmp_path / "seeds" / "4.txt").unlink()
    with pytest.raises(ConfigError, match="一篇文章也没有"):
        opened(tmp_path)
    with pytest.raises(ConfigError, match="不存在"):
        opened(tmp_path, seeds_dir=tmp_path / "none")


def test_a_seed_that_somebody_deleted_stays_out_until_it_is_added_again(tmp_path: Path) -> None:
    for number in (1, 2):
        write_seed(tmp_path, number, essays=2)
    with opened(tmp_path) as library:
        library.remove("default", source_id(1, 2))
        library.remove("default", ids_of(2, 2)[0])
    with opened(tmp_path) as library:
        assert (listed(library), library.encoded) == ([ids_of(2, 2)[1]], 0)
        library.remove_collection("default")
    with opened(tmp_path) as library:
        assert listed(library) == []
        added(library, upload(1, essays=2))
    with opened(tmp_path) as library:
        assert listed(library) == list(ids_of(1, 2))
        assert [entry.origin for entry in library.entries("default")] == ["upload", "upload"]


def test_what_would_have_to_be_encoded_is_an_error_where_that_is_not_allowed(filled: Path) -> None:
    with opened(filled, may_encode=False) as library:
        assert library.encoded == 0
    write_seed(filled, 7)
    with pytest.raises(IndexMismatchError):
        opened(filled, may_encode=False)
    (filled / "seeds" / "7.txt").unlink()
    write_seed(filled, 8, name="1.txt")
    with pytest.raises(IndexMismatchError):
        opened(filled, may_encode=False)
    with opened(filled) as library:
        assert is_found(library.engine(), 8)


def test_texts_that_are_given_take_the_place_of_the_seeds(tmp_path: Path) -> None:
    with opened(tmp_path, sources=[source(1), source(2)]) as library:
        assert listed(library) == [*ids_of(1), *ids_of(2)]
        # Another process: the same texts can be read, others cannot be had now.
        with opened(tmp_path, sources=[source(2), source(1)]) as other:
            assert (other.writable, listed(other)) == (False, [*ids_of(1), *ids_of(2)])
        assert code_of(lambda: opened(tmp_path, sources=[source(1), source(3)])) == "library_busy"
    with opened(tmp_path, sources=[source(3)]) as library:
        assert listed(library) == list(ids_of(3))


def test_a_start_that_fails_lets_go_of_the_library(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("api.library.library.Library.take_up", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            opened(filled)
    assert not [one for one in threading.enumerate() if one.name.startswith("library-")]
    with opened(filled, writable=True) as library:
        assert library.writable


# Readers.


def test_a_reader_needs_a_library(tmp_path: Path) -> None:
    assert code_of(lambda: opened(tmp_path, writable=False)) == "library_missing"
    assert not (tmp_path / "data").exists()


def test_one_writes_and_others_read_and_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.engine_parts.load_encoder", lambda _, name=None: WatchedEncoder(str(name)))
    encoder = WatchedEncoder()
    with opened(tmp_path) as writer:
        writer.set_note("http://127.0.0.1:1")
        assert code_of(lambda: opened(tmp_path, writable=True)) == "library_busy"
        with opened(tmp_path, encoder) as reader:
            assert not reader.writable

            def agree() -> None:
                assert reader.collections() == writer.collections()
                for info in writer.collections():
                    ours, theirs = reader.live(info.name).snapshot, writer.live(info.name).snapshot
                    assert everything(ours.engine) == everything(theirs.engine)
                    assert (ours.facts, list(ours.stamps)) == (theirs.facts, list(theirs.stamps))
                    assert reader.entries(info.name) == writer.entries(info.name)

            agree()
            added(writer, upload(1), upload(2, essays=2))
            agree()
            before = reader.engine()
            writer.remove("default", ids_of(2, 2)[0])
            agree()
            assert is_found(before, 2)
            added(writer, upload(1, title="井"))
            agree()
            added(writer, upload(3), replaces=source_id(1))
            agree()
            added(writer, upload(2, essays=2), replaces=ids_of(3)[0])
            agree()
            writer.create_collection("sky")
            added(writer, upload(1), collection="sky")
            agree()
            assert is_found(reader.engine("sky"), 1)
            assert reader.engine_holding(ids_of(1)[0]).documents()
            done(writer, writer.reindex("sky", "other"))
            agree()
            writer.remove_collection("sky")
            agree()
            with pytest.raises(NotFoundError):
                reader.engine("sky")
            assert encoder.encoded == 0
            for use in (
                lambda: reader.add("default", upload(5)),
                lambda: reader.add("nowhere", upload(5)),
                lambda: reader.remove("default", source_id(1)),
                lambda: reader.create_collection("new"),
                lambda: reader.remove_collection("default"),
                lambda: reader.reindex("default", None),
            ):
                assert code_of(use) == "library_read_only"
            reader.set_note("x")
            writer.close()
            assert listed(reader) == listed_after(tmp_path)


def listed_after(folder: Path) -> list[str]:
    with opened(folder) as library:
        return listed(library)


def test_a_reader_that_could_not_load_tries_again(filled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(filled) as writer, opened(filled, writable=False) as reader:
        with monkeypatch.context() as patch:

            def broken(_: object) -> object:
                raise IndexFileError("坏了。", code="library_damaged")

            patch.setattr("api.library.current.Loader.load", broken)
            patch.setattr("api.library.current.followed", lambda *_: None)
            added(writer, upload(6))
            for _ in range(2):
                assert code_of(reader.engine) == "library_damaged"
        assert listed(reader) == listed(writer)


def test_a_reader_does_not_encode_what_changes_while_it_loads(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.engine_parts.load_encoder", lambda _, name=None: WatchedEncoder(str(name)))
    encoder, sources = WatchedEncoder(), iter(range(9))
    with opened(filled) as writer:
        (filled / "index" / "default" / "CURRENT").unlink()

        def while_loading(stored: StoredSource) -> SourceFacts:
            if next(sources) == 0:  # the texts are read, the vectors are not
                done(writer, writer.reindex("default", "other"))
            return facts_of(stored)

        with monkeypatch.context() as patch:
            patch.setattr("api.library.loading.facts_of", while_loading)
            reader = opened(filled, encoder, writable=False)
        with reader:
            assert (reader.encoded, encoder.encoded) == (0, 0)
            assert reader.collections() == writer.collections()


def test_who_lets_others_write_follows_them(filled: Path) -> None:
    with opened(filled, keep_writing=False) as first:
        assert not first.writable
        with opened(filled, writable=True) as second:
            added(second, upload(6))
            assert is_found(first.engine(), 6)
        assert code_of(lambda: first.remove("default", source_id(6))) == "library_read_only"


def test_what_another_had_accepted_is_left_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("api.library.jobs.JobBoard.submit", lambda *_, **__: None)
        with opened(tmp_path) as library:
            library.add("default", upload(1))
    with opened(tmp_path, keep_writing=False) as library:
        assert (library.jobs(), listed(library)) == ((), [])
    with opened(tmp_path) as library:
        (job,) = settled(library)
        assert (job.state, listed(library)) == ("done", list(ids_of(1)))


def test_a_closed_library_says_so(filled: Path) -> None:
    for writable in (True, False):
        library = opened(filled, writable=writable)
        listed(library)
        library.close()
        library.close()
        for use in (
            library.engine,
            library.collections,
            lambda library=library: library.engine_holding("x"),
            lambda library=library: library.entries("default"),
            lambda library=library: library.add("default", upload(5)),
            lambda library=library: library.remove("default", source_id(1)),
            lambda library=library: library.create_collection("new"),
            lambda library=library: library.remove_collection("default"),
            lambda library=library: library.reindex("default", None),
        ):
            assert code_of(use) == "shutting_down"
        assert library.jobs() == ()


def test_a_text_that_is_not_in_the_seeds_is_not_read(filled: Path) -> None:
    (filled / "seeds" / "README.md").write_text(page(5), "utf-8")
    with opened(filled) as library:
        assert not is_found(library.engine(), 5)
