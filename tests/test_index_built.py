from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from index.build import write_built
from index.built import BuiltIndex, open_built, read_stored_sources, self_test
from index.files import sha256
from index.layout import FILE_NAMES, Current
from index.lexical import LexicalIndex
from index.manifest import FORMAT_VERSION, FileStamp, Manifest
from index.recipe import EncoderStamp, RowsStamp
from rag.errors import IndexFileError, IndexMismatchError
from tests.index_disk import Disk, Folder
from tests.index_samples import corpus_of, grams, recipe_of, terms_of, unit_rows, vectors_of

BUILT = Path("built")
GENERATION = BUILT / "gen-000001"
CORPUS = corpus_of()
RECIPE = recipe_of(CORPUS)


def fresh() -> Disk:
    disk = Disk()
    write_built(BUILT, RECIPE, CORPUS.sources, vectors_of(CORPUS), terms_of(CORPUS), files=disk)
    return disk


DISK = fresh()
PATHS = [BUILT / "CURRENT", GENERATION / "manifest.json", *(GENERATION / name for name in sorted(FILE_NAMES))]


def opened(disk: Disk = DISK, **change: float) -> BuiltIndex:
    return open_built(BUILT, RECIPE, files=disk, **change)


def test_every_part_comes_back_with_its_own_rows() -> None:
    built, rows, query = opened(), vectors_of(CORPUS), unit_rows(1, 4, 50)[0]
    assert built.sources == CORPUS.sources
    assert built.manifest.recipe == RECIPE
    assert built.fingerprint == built.manifest.fingerprint
    for kind, vectors in (
        ("chunk", built.chunk_vectors),
        ("sentence", built.sentence_vectors),
        ("window", built.window_vectors),
    ):
        assert vectors.scores(query, np.arange(4)) == pytest.approx(rows[kind] @ query, abs=1e-6)
    for terms in (built.chunk_terms, built.sentence_terms):
        assert terms.search(grams("防线"), 5)[0].tolist() == [1]


def test_the_parameters_of_bm25_are_set_when_opening() -> None:
    plain, flat = opened().chunk_terms, opened(k1=0.0, b=0.0).chunk_terms
    assert flat.scores(["城"])[0] == np.float32(flat.idf("城"))
    assert plain.scores(["城"])[0] < flat.scores(["城"])[0]


def test_the_folder_holds_exactly_the_named_files() -> None:
    assert set(DISK.names(GENERATION)) == FILE_NAMES | {"manifest.json"}


def damaged_variants(data: bytes) -> list[bytes]:
    """A dozen single-byte changes at random places and eight truncations, the shortest among them."""
    source, variants = np.random.default_rng(len(data)), []
    for at in source.choice(len(data), size=12, replace=False).tolist():
        flipped = data[at] ^ int(source.integers(1, 256))
        variants.append(data[:at] + bytes([flipped]) + data[at + 1 :])
    lengths = {0, 1, len(data) // 2, len(data) - 1, *source.integers(len(data), size=4).tolist()}
    return [*variants, *(data[:length] for length in lengths), data + b"\n"]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.name)
def test_every_changed_byte_and_every_truncation_is_noticed(path: Path) -> None:
    disk, data = fresh(), DISK.read(path)
    for variant in damaged_variants(data):
        disk.write(path, variant)
        with pytest.raises(IndexFileError, match=r"已损坏.*cewen index --rebuild") as caught:
            opened(disk)
        assert caught.value.code == "index_damaged"
    disk.write(path, data)
    assert opened(disk).fingerprint == opened().fingerprint


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
    one, two = "sentence_vectors.faiss", "window_vectors.faiss"
    entries[one], entries[two] = entries[two], entries[one]
    with pytest.raises(IndexFileError, match=r"sentence_vectors\.faiss 已损坏：SHA-256 是"):
        opened(disk)


@pytest.mark.parametrize("folder", [Path("nowhere"), Path("empty")])
def test_no_index_at_all_is_called_missing(folder: Path) -> None:
    disk = Disk()
    disk.make_folder(Path("empty"))
    with pytest.raises(IndexFileError, match=f"{folder.name}.*里没有索引.*cewen index") as caught:
        open_built(folder, RECIPE, files=disk)
    assert caught.value.code == "index_missing"


def test_a_file_that_cannot_be_read_is_named() -> None:
    disk = fresh()
    disk.folder(GENERATION).entries["sources.json"] = Folder()
    with pytest.raises(IndexFileError, match=r"sources.json 已损坏：读不出来：.*Is a directory"):
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
    disk.write(GENERATION / "extra.faiss", b"garbage")
    disk.write(BUILT / "gen-000009", b"garbage")
    watched = Watched(disk)
    opened(watched)
    assert sorted(watched.seen) == sorted(path.name for path in PATHS)
    assert watched.seen[:2] == ["CURRENT", "manifest.json"]


def sealed(manifest: Manifest, **contents: bytes) -> Disk:
    """A disk whose checksums are all right but which holds this manifest and these files."""
    disk = fresh()
    stamps = [FileStamp.of(s.name, contents[s.name]) if s.name in contents else s for s in manifest.files]
    for name, content in contents.items():
        disk.write(GENERATION / name, content)
    data = replace(manifest, files=tuple(stamps)).to_json()
    disk.write(GENERATION / "manifest.json", data)
    disk.write(BUILT / "CURRENT", Current("gen-000001", sha256(data)).to_line())
    return disk


def test_a_manifest_that_names_other_files_is_refused() -> None:
    manifest = opened().manifest
    escaping = FileStamp.of("../../etc/passwd", b"")
    for stamps in (
        manifest.files[1:],
        (*manifest.files, escaping),
        (escaping, *manifest.files[1:]),
        (*manifest.files, manifest.files[0]),
    ):
        with pytest.raises(IndexFileError, match=r"manifest\.json 已损坏：列出的文件是"):
            opened(sealed(replace(manifest, files=stamps)))


def test_parts_whose_rows_disagree_with_the_manifest_are_refused() -> None:
    manifest = opened().manifest
    for rows, message in (
        (RowsStamp(5, 4, RECIPE.rows.sha256), "chunk_vectors 已损坏：有 4 行 4 维，清单记的是 5 行 4 维"),
        (RowsStamp(4, 3, RECIPE.rows.sha256), "sentence_vectors 已损坏：有 4 行 4 维，清单记的是 3 行 4 维"),
    ):
        recipe = replace(RECIPE, rows=rows)
        with pytest.raises(IndexFileError, match=message):
            open_built(BUILT, recipe, files=sealed(replace(manifest, recipe=recipe)))
    recipe = replace(RECIPE, encoder=EncoderStamp("四维", "r1", 8))
    with pytest.raises(IndexFileError, match="有 4 行 4 维，清单记的是 4 行 8 维"):
        open_built(BUILT, recipe, files=sealed(replace(manifest, recipe=recipe)))


def test_well_sealed_nonsense_is_refused_part_by_part() -> None:
    manifest = opened().manifest
    for name, message in (
        ("chunk_vectors.faiss", "chunk_vectors 已损坏：FAISS 读不懂它"),
        ("window_vectors.npz", "window_vectors 已损坏：不是 .npz 文件"),
        ("chunk_terms.json", "chunk_terms 已损坏：Expecting value"),
        ("sources.json", "sources.json 已损坏：1 validation error"),
    ):
        with pytest.raises(IndexFileError, match=message):
            opened(sealed(manifest, **{name: b"?"}))


def test_lexical_rows_and_texts_must_fit_the_manifest_too() -> None:
    manifest = opened().manifest
    terms = {
        f"chunk_terms.{suffix}": data for suffix, data in LexicalIndex.build([["甲"]]).to_parts().items()
    }
    with pytest.raises(IndexFileError, match="chunk_terms 已损坏：有 1 行，清单记的是 4 行"):
        opened(sealed(manifest, **terms))
    texts = DISK.read(GENERATION / "sources.json").replace("防线".encode(), "阵线".encode())
    with pytest.raises(IndexFileError, match="其中文本的名称或 SHA-256 与清单不符"):
        opened(sealed(manifest, **{"sources.json": texts}))


def test_a_mismatch_names_everything_that_differs_and_the_next_step() -> None:
    expected = replace(RECIPE, encoder=EncoderStamp("四维", "r2", 4), terms_version=2)
    with pytest.raises(IndexMismatchError, match="不符") as caught:
        open_built(BUILT, expected, files=DISK)
    assert caught.value.code == "index_mismatch"
    assert caught.value.message == (
        "索引 'built' 与现在的语料或设置不符：编码器版本：索引里是 'r1'，现在是 'r2'；"
        "分词版本：索引里是 1，现在是 2。请运行 `cewen index --rebuild` 重新建立索引。"
    )


def test_another_format_is_a_mismatch() -> None:
    with pytest.raises(IndexMismatchError, match=f"格式版本是 {FORMAT_VERSION + 1}"):
        opened(sealed(replace(opened().manifest, format_version=FORMAT_VERSION + 1)))


def test_the_stored_texts_can_be_read_alone() -> None:
    assert read_stored_sources(BUILT, files=DISK) == CORPUS.sources
    with pytest.raises(IndexFileError, match="里没有索引"):
        read_stored_sources(Path("nowhere"), files=DISK)


def test_the_self_test_finds_a_known_phrase() -> None:
    built = opened()
    self_test(built, grams("第一道防线"), 1)
    self_test(built, grams("。"), 3, k=1)  # all four tie: none is ahead


@pytest.mark.parametrize(
    ("terms", "row", "message"),
    [
        ([], 1, "它的得分是 0"),
        (["第一道防线"], 1, "它的得分是 0"),
        (grams("第一道防线"), 0, "它的得分是 0"),
        (grams("防线。"), 0, "有 2 块排在它前面，应在前 1 名之内"),  # row 1, and row 3 for its shortness
    ],
)
def test_the_self_test_notices_terms_made_differently(terms: list[str], row: int, message: str) -> None:
    with pytest.raises(IndexFileError, match=rf"索引自检失败：用第 {row} 块.*{message}.*--rebuild"):
        self_test(opened(), terms, row, k=1)
