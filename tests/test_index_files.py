from __future__ import annotations

import os
from pathlib import Path

import pytest

from index.files import Digest, Files, sha256
from rag.errors import UnavailableError


def test_sha256_of_the_standard_example() -> None:
    # FIPS 180-4, example B.1
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_files_are_written_read_listed_renamed_and_removed(tmp_path: Path) -> None:
    files, folder = Files(), tmp_path / "a" / "b"
    assert files.names(folder) == ()
    files.make_folder(folder)
    files.make_folder(folder)
    files.write(folder / "二", b"\x00\xff")
    files.write(folder / "一", b"")
    assert files.names(folder) == ("一", "二")
    assert files.read(folder / "二") == b"\x00\xff"
    files.sync_folder(folder)
    files.rename(folder, tmp_path / "a" / "c")
    assert files.names(tmp_path / "a") == ("c",)
    files.remove_folder(tmp_path / "a")
    assert files.names(tmp_path) == ()
    with pytest.raises(FileNotFoundError, match="No such file"):
        files.read(folder / "二")


def test_blocks_are_written_in_order_and_hashed_on_their_way(tmp_path: Path) -> None:
    blocks = (b"ab", memoryview(b"c"), b"")
    assert Files().write_blocks(tmp_path / "x", blocks) == Digest(3, sha256(b"abc"))
    assert (tmp_path / "x").read_bytes() == b"abc"
    assert Files().write_blocks(tmp_path / "x", ()) == Digest(0, sha256(b""))
    assert (tmp_path / "x").read_bytes() == b""


@pytest.mark.parametrize("size", [0, 1, 3, (1 << 20) - 1, 1 << 20, (5 << 19) + 1])
def test_a_file_is_read_into_a_buffer_and_hashed_there(tmp_path: Path, size: int) -> None:
    content = (bytes(range(251)) * (size // 251 + 1))[:size]
    (tmp_path / "x").write_bytes(content)
    for length in (size, size + 7):  # a buffer that the file does not fill keeps its end
        buffer = bytearray(b"\xee" * length)
        assert Files().read_into(tmp_path / "x", memoryview(buffer)) == Digest.of(content)
        assert buffer == content + b"\xee" * (length - size)
    if size:  # a file longer than the buffer gives itself away by its length
        short = bytearray(size - 1)
        assert Files().read_into(tmp_path / "x", memoryview(short)) == Digest(size, sha256(content[:-1]))


def test_an_atomic_write_synchronises_content_then_renames_then_synchronises_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "CURRENT"
    target.write_bytes(b"old")
    events: list[str] = []

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        events.append(f"sync {name} while CURRENT is {target.read_bytes().decode()}")

    monkeypatch.setattr(os, "fsync", fsync)
    Files().write_atomically(target, b"new")
    assert events == ["sync CURRENT.tmp while CURRENT is old", f"sync {tmp_path.name} while CURRENT is new"]
    assert Files().names(tmp_path) == ("CURRENT",)


def test_content_is_complete_when_it_is_synchronised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda descriptor: sizes.append(os.fstat(descriptor).st_size))
    Files().write(tmp_path / "x", b"xyz")  # fits into Python's own buffer, which must be emptied first
    assert sizes == [3]


def test_a_write_that_cannot_be_synchronised_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "CURRENT"
    target.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        Files().write_atomically(target, b"new")
    assert target.read_bytes() == b"old"


def test_a_second_writer_is_refused_with_the_first_ones_process_number(tmp_path: Path) -> None:
    with Files().lock(tmp_path):
        with pytest.raises(UnavailableError, match=f"进程号 {os.getpid()}") as caught, Files().lock(tmp_path):
            pass
        assert caught.value.code == "index_busy"
    with Files().lock(tmp_path):
        assert (tmp_path / ".lock").read_text() == str(os.getpid())
