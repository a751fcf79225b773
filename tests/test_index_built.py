from __future__ import annotations

import tracemalloc
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.build import write_generation
from index.built import Generation, open_generation, self_test
from index.check import check_generation
from index.files import Digest, Files, sha256
from index.layout import FILE_NAMES, Current
from index.manifest import FORMAT_VERSION, NEXT_STEP, FileStamp, Manifest
from index.postings import Postings
from index.recipe import DocumentStamp, EncoderStamp, Recipe
from index.segments import LiveIndex
from index.store import Finding
from index.vectors import VectorIndex
from rag.errors import IndexFileError, IndexMismatchError
from tests.index_disk import Disk, Folder
from tests.index_samples import (
    Rows,
    documents_of,
    grams,
    index_of,
    recipe_of,
    terms_of,
    unit_rows,
    vectors_of,
    wanted_of,
)

BUILT = Path("built")
GENERATION = BUILT / "gen-000001"
DOCUMENTS = documents_of()
RECIPE = recipe_of(DOCUMENTS)


def fresh(documents: Sequence[Rows] = DOCUMENTS) -> Disk:
    disk = Disk()
    write_generation(BUILT, recipe_of(documents), index_of(documents), files=disk)
    return disk


DISK = fresh()
PATHS = [BUILT / "CURRENT", GENERATION / "manifest.json", *(GENERATION / name for name in sorted(FILE_NAMES))]


def opened(disk: Disk = DISK) -> Generation:
    return open_generation(BUILT, files=disk)


def holds(index: LiveIndex, documents: Sequence[Rows]) -> None:
    """Prove that an index has these documents' rows, each in its place, and no others."""
    rows, query = vectors_of(documents), unit_rows(1, 4, 50)[0]
    for kind, vectors in (
        ("chunk", index.chunk_vectors),
        ("sentence", index.sentence_vectors),
        ("window", index.window_vectors),
    ):
        assert vectors.count == len(rows[kind])
        expected = rows[kind] @ query
        assert vectors.scores(query, np.arange(vectors.count)) == pytest.approx(expected, abs=1e-6)
    for terms, lists in ((index.chunk_terms, terms_of(documents)["chunk"]),):
        for term in ("第", "线", "跑", "茶"):
            assert (terms.scores([term]) > 0).tolist() == [term in row for row in lists]
    assert (index.chunks, index.sentences, index.dead) == (len(rows["chunk"]), len(rows["sentence"]), 0)


def test_every_part_comes_back_with_its_own_rows() -> None:
    found = opened()
    assert found.recipe == found.manifest.recipe == RECIPE
    assert found.fingerprint == found.manifest.fingerprint
    index, ids = found.index_of(wanted_of(DOCUMENTS))
    assert ids == tuple(document.document_id for document in DOCUMENTS)
    holds(index, DOCUMENTS)


EIGHT = documents_of([*(f"第{n}篇说茶。\n{'第一道防线，' * n}跑" for n in range(1, 8)), ""])


@given(st.sets(st.sampled_from(range(8))), st.sets(st.sampled_from(range(8))), st.randoms())
def test_those_documents_are_kept_whose_rows_are_still_the_same(
    gone: set[int], changed: set[int], chance: object
) -> None:
    found = opened(fresh(EIGHT))
    wanted = wanted_of(EIGHT) | {"0" * 12 + "-1": "0" * 64}
    for number in changed:
        wanted[EIGHT[number].document_id] = "f" * 64
    for number in gone:
        del wanted[EIGHT[number].document_id]
    items = list(wanted.items())
    chance.shuffle(items)  # type: ignore[attr-defined]
    index, ids = found.index_of(dict(items))
    kept = [document for number, document in enumerate(EIGHT) if number not in gone | changed]
    assert ids == tuple(document.document_id for document in kept)
    holds(index, kept)


@given(st.sets(st.sampled_from(range(8))))
def test_documents_that_are_not_marked_are_dead_where_they_are(gone: set[int]) -> None:
    found = opened(fresh(EIGHT))
    ids = [document.document_id for number, document in enumerate(EIGHT) if number not in gone]
    index = found.marked(ids)
    assert (index.chunks, index.sentences) == (found.recipe.count("chunk"), found.recipe.count("sentence"))
    kept = [document for number, document in enumerate(EIGHT) if number not in gone]
    holds(index.compacted(), kept)


def test_an_index_of_no_documents_is_an_index_too() -> None:
    index, ids = opened(fresh(())).index_of(wanted_of(DOCUMENTS))
    assert (ids, index.chunks, index.sentences) == ((), 0, 0)
    assert index.chunk_vectors.search(unit_rows(1, 4)[0], 5)[0].size == 0
    assert index.chunk_terms.scores(["茶"]).size == 0


def test_the_folder_holds_exactly_the_named_files() -> None:
    assert set(DISK.names(GENERATION)) == FILE_NAMES | {"manifest.json"}


def test_rows_are_stored_as_they_stand_in_memory() -> None:
    for kind, rows in vectors_of(DOCUMENTS).items():
        assert DISK.read(GENERATION / f"{kind}_vectors.f32") == rows.astype("<f4").tobytes()


def damaged_variants(data: bytes) -> list[bytes]:
    """Single bits flipped all over it, 120 at most; truncations, 30 at most; and one byte more."""
    variants = []
    for bit in np.unique(np.linspace(0, 8 * len(data) - 1, 120, dtype=int)).tolist():
        flipped = bytes([data[bit // 8] ^ 1 << bit % 8])
        variants.append(data[: bit // 8] + flipped + data[bit // 8 + 1 :])
    lengths = np.unique(np.linspace(0, len(data) - 1, 30, dtype=int)).tolist()
    return [*variants, *(data[:length] for length in lengths), data + b"\n"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_flipped_bit_and_every_truncation_is_noticed(path: Path) -> None:
    disk, data = fresh(), DISK.read(path)
    for variant in damaged_variants(data):
        disk.write(path, variant)
        with pytest.raises(IndexFileError, match=r"已损坏.*cewen index --rebuild") as caught:
            opened(disk)
        assert caught.value.code == "index_damaged"
        (finding,) = check_generation(BUILT, files=disk)
        assert finding.problem + finding.next_step == caught.value.message
    disk.write(path, data)
    assert opened(disk).fingerprint == opened().fingerprint
    assert check_generation(BUILT, files=disk) == []


@pytest.mark.parametrize("path", PATHS[1:], ids=lambda path: path.name)
def test_a_missing_file_is_named(path: Path) -> None:
    disk = fresh()
    del disk.folder(GENERATION).entries[path.name]
    with pytest.raises(IndexFileError, match=f"{path.name} 已损坏：文件夹 gen-000001 里没有它") as caught:
        opened(disk)
    assert caught.value.code == "index_damaged"


def test_two_files_in_each_others_place_are_noticed() -> None:
    disk = fresh()
    entries = disk.folder(GENERATION).entries
    one, two = "sentence_vectors.f32", "window_vectors.f32"
    entries[one], entries[two] = entries[two], entries[one]
    with pytest.raises(IndexFileError, match=r"sentence_vectors\.f32 已损坏：SHA-256 是"):
        opened(disk)


@pytest.mark.parametrize("folder", [Path("nowhere"), Path("empty")])
def test_no_index_at_all_is_called_missing(folder: Path) -> None:
    disk = Disk()
    disk.make_folder(Path("empty"))
    with pytest.raises(IndexFileError, match=f"{folder.name}.*里没有索引.*cewen index") as caught:
        open_generation(folder, files=disk)
    assert caught.value.code == "index_missing"
    assert check_generation(folder, files=disk) == []


def test_a_file_that_cannot_be_read_is_named() -> None:
    disk = fresh()
    for name in ("chunk_terms.json", "chunk_vectors.f32"):
        disk.folder(GENERATION).entries[name] = Folder()
        with pytest.raises(IndexFileError, match=rf"{name} 已损坏：读不出来：.*Is a directory"):
            opened(disk)
    disk.folder(BUILT).entries["CURRENT"] = Folder()
    with pytest.raises(IndexFileError, match="CURRENT 已损坏：读不出来"):
        opened(disk)


class Watched(Disk):
    """Remembers what was read."""

    def __init__(self, disk: Disk) -> None:
        super().__init__()
        self.root = disk.root
        self.seen: list[str] = []

    def read(self, path: Path) -> bytes:
        self.seen.append(path.name)
        return super().read(path)


def test_files_that_the_manifest_does_not_name_are_never_opened_and_none_is_read_twice() -> None:
    disk = fresh()
    disk.write(GENERATION / "chunk_vectors.pkl", b"cos\nsystem\n")
    disk.write(GENERATION / "extra.f32", b"garbage")
    disk.write(BUILT / "gen-000009", b"garbage")
    watched = Watched(disk)
    opened(watched)
    assert sorted(watched.seen) == sorted(path.name for path in PATHS)
    assert watched.seen[:2] == ["CURRENT", "manifest.json"]


class Changing(Disk):
    """Every file is another one as soon as it has been read."""

    def read_into(self, path: Path, buffer: memoryview) -> Digest:
        found = super().read_into(path, buffer)
        self.write(path, b"\x00" * found.length_bytes)
        return found


def test_what_was_verified_is_what_is_searched_whatever_becomes_of_the_file() -> None:
    disk = Changing()
    disk.root = fresh().root
    holds(opened(disk).index_of(wanted_of(DOCUMENTS))[0], DOCUMENTS)
    with pytest.raises(IndexFileError, match=r"chunk_vectors\.f32 已损坏"):
        opened(disk)


def sealed(manifest: Manifest, **contents: bytes) -> Disk:
    """A disk whose checksums are all right but which holds this manifest and these files."""
    disk = fresh()
    stamps = [
        FileStamp.of(s.name, Digest.of(contents[s.name])) if s.name in contents else s for s in manifest.files
    ]
    for name, content in contents.items():
        disk.write(GENERATION / name, content)
    data = replace(manifest, files=tuple(stamps)).to_json()
    disk.write(GENERATION / "manifest.json", data)
    disk.write(BUILT / "CURRENT", Current("gen-000001", sha256(data)).to_line())
    return disk


def test_a_manifest_that_names_other_files_is_refused() -> None:
    manifest = opened().manifest
    escaping = FileStamp.of("../../etc/passwd", Digest.of(b""))
    for stamps in (
        manifest.files[1:],
        (*manifest.files, escaping),
        (escaping, *manifest.files[1:]),
        (*manifest.files, manifest.files[0]),
    ):
        with pytest.raises(IndexFileError, match=r"manifest\.json 已损坏：列出的文件是"):
            opened(sealed(replace(manifest, files=stamps)))


def with_stamp(**change: int) -> Recipe:
    first, second = RECIPE.documents
    return replace(RECIPE, documents=(replace(first, **change), second))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        (with_stamp(chunks=3), r"manifest.json 已损坏：chunk_vectors.f32 记的是 64 字节，按行数应为 80 字节"),
        (with_stamp(sentences=2), r"sentence_vectors.f32 记的是 96 字节，按行数应为 80 字节"),
        (replace(RECIPE, encoder=EncoderStamp("四维", "r1", 8)), "按行数应为 128 字节"),
        (replace(RECIPE, encoder=EncoderStamp("四维", "r1", 0)), r"manifest.json 已损坏：.*0 维"),
        (with_stamp(chunks=-1), "文档 .* 有 -1 块 3 句"),
        (replace(RECIPE, documents=RECIPE.documents * 2), "列出了两次"),
        (replace(RECIPE, documents=(DocumentStamp("a-1", 1 << 60, 1, ""),)), "按行数应为"),
    ],
)
def test_a_manifest_whose_rows_are_not_those_of_the_files_is_refused(recipe: Recipe, message: str) -> None:
    disk = sealed(replace(opened().manifest, recipe=recipe))
    with pytest.raises(IndexFileError, match=message):
        opened(disk)
    assert check_generation(BUILT, files=disk)


def test_well_sealed_nonsense_is_refused_part_by_part() -> None:
    manifest = opened().manifest
    one = Postings.build([["甲"]]).to_parts()
    other = VectorIndex.build(unit_rows(4, 4, 7)).background_bytes()
    for contents, message in (
        ({"chunk_vectors.f32": b"\x00" * 64}, "chunk_vectors 已损坏：4 行不是单位长度的有限值"),
        ({"window_vectors.npz": b"?"}, "window_vectors 已损坏：不是 .npz 文件"),
        ({"chunk_vectors.npz": other}, "chunk_vectors 已损坏：均值和协方差属于别的行"),
        ({"chunk_terms.json": b"?"}, "chunk_terms 已损坏：Expecting value"),
        (
            {f"chunk_terms.{suffix}": data for suffix, data in one.items()},
            "chunk_terms 已损坏：有 1 行，清单记的是 4 行",
        ),
    ):
        disk = sealed(manifest, **contents)
        with pytest.raises(IndexFileError, match=message):
            opened(disk)
        part = min(contents).split(".")[0]
        assert [found.place for found in check_generation(BUILT, files=disk)] == [str(GENERATION / part)]


def test_a_mismatch_names_everything_that_differs_and_the_next_step() -> None:
    expected = replace(RECIPE, encoder=EncoderStamp("四维", "r2", 4), terms_version=2)
    watched = Watched(DISK)
    with pytest.raises(IndexMismatchError, match="不符") as caught:
        open_generation(BUILT, expected=expected, files=watched)
    assert caught.value.code == "index_mismatch"
    assert caught.value.message == (
        "索引 'built' 与现在的设置不符：编码器版本：索引里是 'r1'，现在是 'r2'；"
        "分词版本：索引里是 1，现在是 2。请运行 `cewen index --rebuild` 重新建立索引。"
    )
    assert watched.seen == ["CURRENT", "manifest.json"]
    assert open_generation(BUILT, expected=replace(RECIPE, documents=()), files=DISK).recipe == RECIPE


@pytest.mark.parametrize("version", [1, FORMAT_VERSION + 1])
def test_another_format_is_a_mismatch(version: int) -> None:
    disk = sealed(replace(opened().manifest, format_version=version))
    with pytest.raises(IndexMismatchError, match=f"格式版本是 {version}") as caught:
        opened(disk)
    (finding,) = check_generation(BUILT, files=disk)
    assert finding.place == str(BUILT / "CURRENT")
    assert finding.problem + finding.next_step == caught.value.message


def test_checking_goes_on_after_the_first_fault() -> None:
    disk = fresh()
    length = len(disk.read(GENERATION / "chunk_terms.npz"))
    disk.write(GENERATION / "chunk_terms.npz", b"?")
    disk.write(GENERATION / "window_vectors.f32", b"?")
    assert check_generation(BUILT, files=disk) == [
        Finding(
            str(GENERATION / "window_vectors"),
            "索引文件 window_vectors.f32 已损坏：长度是 1 字节，应为 96 字节。",
            NEXT_STEP,
        ),
        Finding(
            str(GENERATION / "chunk_terms"),
            f"索引文件 chunk_terms.npz 已损坏：长度是 1 字节，应为 {length} 字节。",
            NEXT_STEP,
        ),
    ]


def test_neither_writing_nor_opening_holds_the_rows_a_second_time(tmp_path: Path) -> None:
    vectors = {kind: VectorIndex.build(unit_rows(2000, 256)) for kind in ("chunk", "sentence", "window")}
    terms = {kind: Postings.build([["甲"]] * 2000) for kind in ("chunk", "sentence")}
    recipe = Recipe("x", EncoderStamp("e", "r", 256), {}, 1, (DocumentStamp("a-1", 2000, 2000, "0" * 64),))
    index = LiveIndex.from_parts(vectors, terms)
    tracemalloc.start()
    try:
        write_generation(tmp_path, recipe, index, files=Files())
        written = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        found = open_generation(tmp_path)
        opening = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    # Python's and numpy's memory, not FAISS's: room for one kind's moments (0.5 MB) many times over, but
    # not for one kind's rows (2 MB) beside them.
    assert written < 3_000_000
    assert opening < 6_000_000
    assert np.array_equal(found.vectors["window"].rows, vectors["window"].rows)


def test_the_self_test_finds_a_known_phrase() -> None:
    index, _ = opened().index_of(wanted_of(DOCUMENTS))
    self_test(index, grams("第一道防线"), 1)
    self_test(index, grams("一网通办"), 3, k=1)


@pytest.mark.parametrize(
    ("terms", "row", "message"),
    [
        ([], 1, "它的得分是 0"),
        (["第一道防线"], 1, "它的得分是 0"),
        (grams("第一道防线"), 0, "它的得分是 0"),
        (grams("防线。"), 0, "有 2 块排在它前面，应在前 1 名之内"),
    ],
)
def test_the_self_test_notices_terms_made_differently(terms: list[str], row: int, message: str) -> None:
    index, _ = opened().index_of(wanted_of(DOCUMENTS))
    with pytest.raises(IndexFileError, match=rf"索引自检失败：用第 {row} 块.*{message}.*--rebuild"):
        self_test(index, terms, row, k=1)
