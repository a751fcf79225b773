"""Words of what was removed leave the disk with the next index, also those in the index before it."""

from __future__ import annotations

import shutil
from pathlib import Path

from api.library.generations import GenerationKeeper
from api.library.library import Library
from rag.text.terms import index_terms
from tests.library_samples import added, opened, source_id, upload, word


def generations(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "index" / "default").iterdir() if path.is_dir())


def on_disk(folder: Path, number: int) -> bool:
    """Whether any file of any generation holds the word of an essay."""
    (term,) = (one for one in index_terms(word(number)) if word(number).lower() in one.lower())
    files = [path for path in (folder / "index" / "default").rglob("*") if path.is_file()]
    assert files
    return any(term.encode() in path.read_bytes() for path in files)


def written(library: Library) -> None:
    library.live("default").write_generation(always=True)


def test_after_the_next_index_no_file_holds_a_removed_word(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1), upload(2))
        written(library)
        added(library, upload(3))
        written(library)
        assert len(generations(tmp_path)) == 2  # the one before, for whoever is just opening it
        assert on_disk(tmp_path, 1)
        library.remove("default", source_id(1))
        written(library)
        assert not on_disk(tmp_path, 1)
        assert len(generations(tmp_path)) == 1
        added(library, upload(4), replaces=source_id(2))
        written(library)
        assert not on_disk(tmp_path, 2)
        added(library, upload(3, tags=["茶"]))  # nothing goes by this
        written(library)
        assert len(generations(tmp_path)) == 2
    with opened(tmp_path) as library:
        assert [on_disk(tmp_path, number) for number in (1, 2, 3, 4)] == [False, False, True, True]


def test_what_goes_while_an_index_is_written_goes_with_the_one_after_it(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1), upload(2))
        live = library.live("default")
        before = live.snapshot
        library.remove("default", source_id(1))
        keeper = GenerationKeeper("default", tmp_path / "index" / "default")
        keeper.lost(live.snapshot.sequence)
        assert keeper.write(before)  # as if it had begun before the removal
        assert on_disk(tmp_path, 1)
        assert keeper.lags_after_loading(live.snapshot)
        assert keeper.write(live.snapshot)
        assert not on_disk(tmp_path, 1)
        assert not keeper.lags_after_loading(live.snapshot)


def test_a_process_that_is_killed_after_writing_leaves_the_rest_to_the_next(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1), upload(2))
        written(library)
        (name,) = generations(tmp_path)
        place = tmp_path / "index" / "default" / name
        shutil.copytree(place, tmp_path / name)
        library.remove("default", source_id(1))
        written(library)
        assert not on_disk(tmp_path, 1)
    shutil.copytree(tmp_path / name, place)  # as if it had not come to remove it
    assert on_disk(tmp_path, 1)
    with opened(tmp_path) as library:
        library.close()
        assert not on_disk(tmp_path, 1)
