"""Rows kept beside the index: used only by the program that wrote them, for the texts they were cut from."""

from __future__ import annotations

import ast
import errno
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import rag
from api.library import cuts
from api.library.cuts import DECIDING, FILE_NAME, LIBRARIES, cutting_stamp, read_cuts, write_cuts
from index.files import Files
from rag.reading.decoding import read_source
from rag.records import Metadata, Source
from rag.rows import DocumentRows, rows_of_source

CHARS = 60
RAG = Path(__file__).parent.parent / "rag"
TWO = read_source(
    "两篇.txt", "●王伟\n\n一篇说茶山的文章，说得很长。\n\n●李敏\n\n另一篇说水，也不短。\n".encode()
)
ONE = read_source("一篇.txt", "山里的茶树长得很慢。\n\n采茶要等到清明。".encode())


def rows_of(source: Source) -> list[DocumentRows]:
    return list(rows_of_source(source, chunk_max_chars=CHARS))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written = [(rows, rows.sha256) for source in (TWO, ONE) for rows in rows_of(source)]
    write_cuts(tmp_path / "some", CHARS, written)
    return tmp_path / "some"


def kept_of(folder: Path, source: Source, live: tuple[int, ...]) -> list[DocumentRows] | None:
    kept = read_cuts(folder, CHARS)
    return None if kept is None else kept.rows_of(source, live)


def same(found: list[DocumentRows] | None, expected: list[DocumentRows]) -> bool:
    return found is not None and [(one.document, one.chunks, one.sentences, one.sha256) for one in found] == [
        (one.document, one.chunks, one.sentences, one.sha256) for one in expected
    ]


def test_what_was_written_is_read(folder: Path) -> None:
    assert same(kept_of(folder, ONE, (1,)), rows_of(ONE))
    assert same(kept_of(folder, TWO, (1, 2)), rows_of(TWO))
    assert same(kept_of(folder, TWO, (2,)), rows_of(TWO)[1:])
    assert same(kept_of(folder, replace(ONE, name="别名.txt"), (1,)), rows_of(replace(ONE, name="别名.txt")))


def test_another_text_or_other_metadata_is_cut_anew(folder: Path) -> None:
    other = read_source("一篇.txt", (ONE.text + "\n").encode())
    assert kept_of(folder, other, (1,)) is None
    assert kept_of(folder, replace(ONE, metadata=Metadata(title="题")), (1,)) is None
    assert kept_of(folder, ONE, (1, 2)) is None


def test_what_cannot_be_kept_is_known_as_such(tmp_path: Path) -> None:
    (rows,) = rows_of(ONE)
    odd = DocumentRows(replace(rows.document, affiliation="某校"), rows.chunks, rows.sentences)
    write_cuts(tmp_path, CHARS, [(odd, rows.sha256), *((one, one.sha256) for one in rows_of(TWO))])
    kept = read_cuts(tmp_path, CHARS)
    assert kept is not None
    assert kept.rows_of(ONE, (1,)) is None
    assert kept.refuses(ONE, (1,))
    assert same(kept.rows_of(TWO, (1, 2)), rows_of(TWO))
    assert not kept.refuses(TWO, (1, 2))


def test_there_is_no_text_in_the_file(folder: Path) -> None:
    data = (folder / FILE_NAME).read_bytes()
    assert not any(word.encode() in data for word in ("茶", "山", "水", "王伟", "李敏"))
    assert not any(word.encode("utf-16-le") in data for word in ("茶山", "王伟"))


@pytest.mark.parametrize("place", [0, 70, 100, 400, -1])
def test_a_changed_byte_is_noticed(folder: Path, place: int) -> None:
    path = folder / FILE_NAME
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert read_cuts(folder, CHARS) is None


def test_a_short_file_and_none_are_none(folder: Path, tmp_path: Path) -> None:
    path = folder / FILE_NAME
    data = path.read_bytes()
    for length in (0, 10, 140, len(data) - 1):
        path.write_bytes(data[:length])
        assert read_cuts(folder, CHARS) is None
    assert read_cuts(tmp_path / "nowhere", CHARS) is None


def test_another_way_to_cut_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_cuts(folder, CHARS + 1) is None
    monkeypatch.setattr(cuts, "cutting_stamp", lambda: "0" * 64)
    assert read_cuts(folder, CHARS) is None


def test_the_stamp_is_another_one_for_other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for entry in DECIDING:
        (tmp_path / entry).parent.mkdir(exist_ok=True)
        if entry.endswith(".py"):
            (tmp_path / entry).write_bytes((RAG / entry).read_bytes())
        else:
            (tmp_path / entry).mkdir()
            for path in (RAG / entry).glob("*.py"):
                (tmp_path / entry / path.name).write_bytes(path.read_bytes())
    (tmp_path / "__init__.py").write_text("")
    monkeypatch.setattr(rag, "__file__", str(tmp_path / "__init__.py"))
    copied = cutting_stamp.__wrapped__()
    assert copied == cutting_stamp()
    changed = tmp_path / "reading" / "joining.py"
    changed.write_bytes(changed.read_bytes() + b"\n")
    assert cutting_stamp.__wrapped__() not in {copied, None}
    (tmp_path / "rows.py").unlink()
    assert cutting_stamp.__wrapped__() is None


def test_without_code_to_name_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cuts, "cutting_stamp", lambda: None)
    write_cuts(tmp_path, CHARS, [(rows, rows.sha256) for rows in rows_of(ONE)])
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_file_as_it_was(folder: Path) -> None:
    class Full(Files):
        def write(self, path: Path, data: bytes) -> None:
            del path, data
            raise OSError(errno.ENOSPC, "full")

    before = (folder / FILE_NAME).read_bytes()
    with pytest.raises(OSError, match="full"):
        write_cuts(folder, CHARS, [], Full())
    assert (folder / FILE_NAME).read_bytes() == before


def test_all_that_cutting_imports_is_in_the_stamp() -> None:
    """Whoever makes the cutting depend on another module or library must name it here."""
    seen: set[Path] = set()
    foreign: set[str] = set()
    waiting = [RAG / "rows.py", RAG / "kept_rows.py", RAG / "keeping.py"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        for name in _imported(path):
            top, *below = name.split(".")
            if top == "rag":
                waiting.append(RAG.joinpath(*below).with_suffix(".py"))
            elif top not in sys.stdlib_module_names:
                foreign.add(top.replace("_", "-"))
    covered = {RAG / entry for entry in DECIDING}
    assert {path for path in seen if not covered & {path, *path.parents}} == set()
    assert foreign == set(LIBRARIES)


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names
