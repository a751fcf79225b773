"""Syncing: the plan as a function of names and checksums, and carrying it out over a collection in memory."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.library.folders import files_of_folder, load_file
from api.library.mirroring import Loaded, SyncFile, sync_files
from api.library.origins import chosen_origin, former_origins, machine_of, origin_of
from api.library.syncing import Present, SyncPlan, SyncReport, Wanted, plan_sync
from api.library_records import Upload
from rag.corpus import read_folder
from rag.errors import ConfigError, InputError, NotFoundError, UnavailableError
from rag.records import Source
from tests.converting_files import docx, paragraph

NAMES = st.sampled_from(["a", "b", "c", "d"])
TEXTS = st.sampled_from(["s", "t", "u", "v", "w"])
FOLDERS = st.dictionaries(NAMES, TEXTS, max_size=4)
HERE, THERE = "sync:here", "upload"


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def wanted(files: dict[str, str]) -> list[Wanted]:
    return [Wanted(name, sha(text)) for name, text in files.items()]


def present(files: dict[str, str], origin: str = HERE) -> list[Present]:
    """The files as sources: one for each content."""
    unique: dict[str, str] = {}
    for name, text in files.items():
        unique.setdefault(text, name)
    return [Present(name, sha(text)[:12], sha(text), "", origin) for text, name in unique.items()]


def after(before: Sequence[Present], plan: SyncPlan) -> set[str]:
    """What texts (checksums) there are once a plan is carried out."""
    gone = {source.sha256 for source in plan.removes} | {old.sha256 for old, _ in plan.replaces}
    new = {file.sha256 for file in plan.adds} | {file.sha256 for _, file in plan.replaces}
    return {source.sha256 for source in before} - gone | new


# The plan.


@given(FOLDERS, FOLDERS)
def test_afterwards_there_is_what_the_folder_holds(old: dict[str, str], new: dict[str, str]) -> None:
    plan = plan_sync(present(old), wanted(new))
    assert after(present(old), plan) == {sha(text) for text in new.values()}
    again = plan_sync(present(new), wanted(new))
    assert (again.adds, again.replaces, again.removes) == ((), (), ())


@given(FOLDERS, FOLDERS, st.sets(TEXTS), st.sets(TEXTS), st.booleans())
def test_every_file_and_every_source_is_accounted_for_once(
    old: dict[str, str], new: dict[str, str], deleted: set[str], elsewhere: set[str], complete: bool
) -> None:
    plan = plan_sync(
        present(old),
        wanted(new),
        elsewhere={sha(text) for text in elsewhere},
        deleted={sha(text) for text in deleted},
        complete=complete,
    )
    files = [
        *plan.adds,
        *(file for _, file in plan.replaces),
        *plan.unchanged,
        *plan.elsewhere,
        *plan.duplicates,
        *plan.deleted,
    ]
    assert sorted(file.name for file in files) == sorted(new)
    gone = [source.sha256 for source in (*plan.removes, *plan.withheld, *(old for old, _ in plan.replaces))]
    assert len(gone) == len(set(gone))
    assert set(gone) == {sha(text) for text in old.values()} - {sha(text) for text in new.values()}
    added = {file.sha256 for file in (*plan.adds, *(file for _, file in plan.replaces))}
    assert added == {sha(text) for text in new.values() if text not in {*old.values(), *deleted, *elsewhere}}
    assert all(source.name == file.name for source, file in plan.replaces)
    assert not (plan.withheld if complete else plan.removes)


@given(FOLDERS, FOLDERS, st.sets(TEXTS))
def test_what_was_deleted_comes_back_only_when_it_is_wished(
    old: dict[str, str], new: dict[str, str], deleted: set[str]
) -> None:
    stays_out = {sha(text) for text in deleted}
    kept_out = after(present(old), plan_sync(present(old), wanted(new), deleted=stays_out))
    assert kept_out == {sha(text) for text in new.values() if text in old.values() or text not in deleted}
    plan = plan_sync(present(old), wanted(new), deleted=stays_out, restore_deleted=True)
    assert plan == plan_sync(present(old), wanted(new))


@given(st.permutations(["a", "b", "c"]))
def test_renaming_is_no_change(names: list[str]) -> None:
    texts = ["s", "t", "u"]
    plan = plan_sync(
        present(dict(zip("abc", texts, strict=True))), wanted(dict(zip(names, texts, strict=True)))
    )
    assert (plan.adds, plan.replaces, plan.removes) == ((), (), ())
    assert len(plan.unchanged) == 3


@given(FOLDERS, FOLDERS)
def test_a_source_is_called_as_one_of_its_files(old: dict[str, str], new: dict[str, str]) -> None:
    plan = plan_sync(present(old), wanted(new))
    held = {source.sha256: source.name for source in present(old)}
    names = {sha(text): {name for name in new if new[name] == text} for text in new.values()}
    wrong = {text for text, name in held.items() if text in names and name not in names[text]}
    assert {source.sha256 for source, _ in plan.renames} == wrong
    for source, file in plan.renames:
        assert (source.sha256, source.name) == (file.sha256, held[file.sha256])
        assert file in plan.unchanged


def test_a_converted_file_is_known_by_its_bytes_before_it_is_converted() -> None:
    held = [Present("a.pdf", "1", sha("text"), sha("bytes"), HERE)]
    same = plan_sync(held, [Wanted("b.pdf", "", sha("bytes")), Wanted("c.pdf", "", sha("bytes"))])
    assert [file.name for file in same.unchanged] == ["b.pdf"]
    assert [file.name for file in same.duplicates] == ["c.pdf"]
    changed = plan_sync(held, [Wanted("a.pdf", "", sha("other bytes"))])
    assert [(old.source_id, file.name) for old, file in changed.replaces] == [("1", "a.pdf")]


def test_a_changed_file_takes_the_place_of_the_old_one_under_any_of_its_names() -> None:
    plan = plan_sync(present({"b": "s"}), wanted({"a": "t", "b": "t"}))
    assert [(old.name, file.name) for old, file in plan.replaces] == [("b", "b")]
    assert [file.name for file in plan.duplicates] == ["a"]


# Carrying it out.


class Shelf:
    """A collection in memory; notes what is done, in order."""

    def __init__(self, *held: Present) -> None:
        self.sources = {source.source_id: source for source in held}
        self.done: list[tuple[str, ...]] = []
        self.refuses: dict[str, Exception] = {}
        self.before_add: Callable[[], None] = lambda: None

    def held(self) -> list[Present]:
        return list(self.sources.values())

    def add(self, loaded: Loaded, *, replaces: str | None) -> str:
        self.before_add()
        upload = loaded.upload
        if upload.source.name in self.refuses:
            raise self.refuses[upload.source.name]
        if replaces is not None and replaces not in self.sources:
            raise NotFoundError("没有。", code="document_not_found")
        self.done.append(("add", upload.source.name, replaces or ""))
        source_id = upload.source.sha256[:12]
        self.sources.pop(replaces or "", None)
        self.sources[source_id] = Present(
            upload.source.name,
            source_id,
            upload.source.sha256,
            upload.source.original_sha256,
            upload.origin,
        )
        return source_id

    def remove(self, source_id: str) -> None:
        if source_id not in self.sources:
            raise NotFoundError("没有。", code="document_not_found")
        self.done.append(("remove", source_id))
        del self.sources[source_id]

    @property
    def texts(self) -> set[str]:
        return {source.sha256 for source in self.sources.values()}


def file(name: str, text: str, *, original: str = "", fault: Exception | None = None) -> SyncFile:
    """A file of this text; with `original`, one that has to be converted."""

    def load(origin: str) -> Loaded:
        if fault:
            raise fault
        source = Source(name, text, sha(text), "utf-8", sha(original) if original else "")
        return Loaded(Upload(source, origin, ("第一页没有文字。",) if original else ()), text.encode())

    known = Wanted(name, "", sha(original)) if original or fault else Wanted(name, sha(text))
    return SyncFile(known, load)


def synced(shelf: Shelf, *files: SyncFile, **options: object) -> SyncReport:
    return sync_files(shelf, HERE, files, **options)  # type: ignore[arg-type]


@given(FOLDERS, FOLDERS, FOLDERS, st.sets(NAMES), st.booleans())
def test_the_collection_becomes_the_folder_and_nothing_else_moves(
    old: dict[str, str], others: dict[str, str], new: dict[str, str], converted: set[str], preview: bool
) -> None:
    theirs = present(others, THERE)
    held = {source.sha256 for source in theirs}
    ours = [source for source in present(old) if source.sha256 not in held]
    shelf = Shelf(*theirs, *ours)
    files = [
        file(name, text, original=f"pdf of {name}" if name in converted else "") for name, text in new.items()
    ]
    if preview:
        synced(shelf, *files, dry_run=True)
        assert (shelf.done, shelf.held()) == ([], [*theirs, *ours])
    report = synced(shelf, *files)
    assert shelf.texts == held | {sha(text) for text in new.values()}
    assert [source for source in shelf.held() if source.origin == THERE] == theirs
    named = [
        *report.added,
        *report.replaced,
        *report.unchanged,
        *report.elsewhere,
        *report.duplicates,
    ]
    assert sorted(named) == sorted(new)
    again = synced(shelf, *files)
    assert (again.changed, again.renamed) == (False, [])
    called = {source.sha256: source.name for source in shelf.held() if source.origin == HERE}
    assert all(new[name] in new.values() and sha(new[name]) == text for text, name in called.items())


def test_new_content_comes_before_old_content_goes() -> None:
    shelf = Shelf(*present({"a": "s", "b": "t"}))
    report = synced(shelf, file("b", "u"), file("c", "v"))
    assert [step[0] for step in shelf.done] == ["add", "add", "remove"]
    assert (report.added, report.replaced, report.removed) == (["c"], ["b"], ["a"])


def test_nothing_goes_when_the_folder_could_not_be_read_to_its_end() -> None:
    shelf = Shelf(*present({"a": "s", "b": "t"}))
    report = synced(shelf, file("b", "t"), complete=False)
    assert (report.removed, report.withheld) == ([], ["a"])
    assert shelf.texts == {sha("s"), sha("t")}


def test_a_file_that_cannot_be_used_is_reported_and_the_others_go_on() -> None:
    shelf = Shelf(*present({"a": "s", "b": "t"}))
    shelf.refuses["c"] = InputError("没有正文。", code="document_without_text")
    report = synced(
        shelf,
        file("a", "x", fault=InputError("坏了。", code="unreadable_document")),
        file("c", "u"),
        file("d", "v"),
    )
    assert [(failure.name, failure.code) for failure in report.failed] == [
        ("a", "unreadable_document"),
        ("c", "document_without_text"),
    ]
    assert report.added == ["d"]
    assert report.removed == ["b"]
    assert sha("s") in shelf.texts  # what stood there before is better than nothing


@pytest.mark.parametrize(
    "fault",
    [
        NotFoundError("没有这个文库。", code="collection_not_found"),
        UnavailableError("磁盘满了。"),
        ConfigError("密钥不对。"),
    ],
)
def test_what_is_no_fault_of_a_file_ends_it(fault: Exception) -> None:
    shelf = Shelf(*present({"a": "s"}))
    shelf.refuses["b"] = fault
    with pytest.raises(type(fault)):
        synced(shelf, file("b", "t"))
    assert shelf.texts == {sha("s")}


def test_whoever_interrupts_it_can_sync_again() -> None:
    shelf = Shelf(*present({"a": "s", "b": "t"}))
    files = [file("a", "u"), file("c", "v"), file("d", "w")]
    count = iter(range(9))

    def interrupt() -> None:
        if next(count) == 1:
            raise KeyboardInterrupt

    shelf.before_add = interrupt
    with pytest.raises(KeyboardInterrupt):
        synced(shelf, *files)
    assert shelf.texts == {sha("u"), sha("t")}
    synced(shelf, *files)
    assert shelf.texts == {sha("u"), sha("v"), sha("w")}


def test_a_file_saved_anew_with_the_same_text_stays() -> None:
    shelf = Shelf(Present("a.pdf", sha("s")[:12], sha("s"), sha("first save"), HERE))
    for name in ("a.pdf", "b.pdf"):
        report = synced(shelf, file(name, "s", original=f"second save of {name}"))
        assert (report.unchanged, report.changed) == ([name], False)
        assert not synced(shelf, file(name, "s", original=f"second save of {name}")).changed
        assert [step[0] for step in shelf.done] == ["add"]
        shelf.done.clear()


def test_a_source_that_another_file_turns_out_to_be_does_not_give_way() -> None:
    shelf = Shelf(Present("a.pdf", sha("s")[:12], sha("s"), sha("pdf"), HERE))
    synced(shelf, file("a.pdf", "t", original="other pdf"), file("b.docx", "s", original="docx"))
    assert shelf.texts == {sha("s"), sha("t")}


def test_files_that_are_saved_anew_under_each_others_names_both_stay() -> None:
    shelf = Shelf(
        Present("a.pdf", sha("s")[:12], sha("s"), sha("1"), HERE),
        Present("b.pdf", sha("t")[:12], sha("t"), sha("2"), HERE),
    )
    files = [file("a.pdf", "t", original="3"), file("b.pdf", "s", original="4")]
    report = synced(shelf, *files)
    assert (report.unchanged, report.changed) == (["a.pdf", "b.pdf"], False)
    assert {one.name: one.sha256 for one in shelf.held()} == {"a.pdf": sha("t"), "b.pdf": sha("s")}
    again = synced(shelf, *files)
    assert (again.unchanged, again.renamed) == (["a.pdf", "b.pdf"], [])


def test_what_was_deleted_is_noticed_after_converting_too() -> None:
    shelf = Shelf()
    files = [file("a.pdf", "s", original="pdf")]
    assert synced(shelf, *files, deleted={sha("s")}).deleted == ["a.pdf"]
    assert shelf.texts == set()
    assert synced(shelf, *files, deleted={sha("s")}, restore_deleted=True).added == ["a.pdf"]


def test_a_source_that_somebody_removed_meanwhile_is_no_obstacle() -> None:
    shelf = Shelf(*present({"a": "s", "b": "t"}))
    shelf.before_add = shelf.sources.clear
    report = synced(shelf, file("a", "u"))
    assert report.replaced == ["a"]
    assert shelf.texts == {sha("u")}


def test_it_tells_how_far_it_is_and_what_converting_noted() -> None:
    told: list[tuple[str, int, int]] = []
    shelf = Shelf(*present({"a": "s"}))
    report = synced(shelf, file("b.pdf", "t", original="pdf"), told=lambda *step: told.append(step))
    assert told == [("b.pdf", 0, 2), ("a", 1, 2)]
    assert report.notes == [("b.pdf", "第一页没有文字。")]


# Names.


def called(shelf: Shelf) -> dict[str, str]:
    """By name the beginning of the text's checksum."""
    assert len({source.name for source in shelf.held()}) == len(shelf.held())
    return {source.name: source.source_id for source in shelf.held()}


def test_a_file_that_is_renamed_is_called_so_and_nothing_goes() -> None:
    shelf = Shelf(*present({"甲": "s", "乙": "t"}))
    preview = synced(shelf, file("丙", "s"), file("乙", "t"), dry_run=True)
    assert (preview.renamed, shelf.done) == ([("甲", "丙")], [])
    report = synced(shelf, file("丙", "s"), file("乙", "t"))
    assert (report.renamed, report.unchanged, report.changed) == ([("甲", "丙")], ["丙", "乙"], False)
    assert called(shelf) == {"丙": sha("s")[:12], "乙": sha("t")[:12]}
    edited = synced(shelf, file("丙", "u"), file("乙", "t"))
    assert (edited.replaced, edited.added, edited.removed) == (["丙"], [], [])


def test_two_files_that_change_their_names_are_called_as_they_are() -> None:
    shelf = Shelf(*present({"甲": "s", "乙": "t"}))
    report = synced(shelf, file("甲", "t"), file("乙", "s"))
    assert sorted(report.renamed) == [("乙", "甲"), ("甲", "乙")]
    assert called(shelf) == {"甲": sha("t")[:12], "乙": sha("s")[:12]}


def test_a_new_file_under_the_old_name_is_another() -> None:
    shelf = Shelf(*present({"旧": "s"}))
    report = synced(shelf, file("旧", "t"), file("新", "s"))
    assert (report.added, report.renamed) == (["旧"], [("旧", "新")])
    assert called(shelf) == {"新": sha("s")[:12], "旧": sha("t")[:12]}


def test_one_of_several_names_is_enough_and_others_say_nothing() -> None:
    shelf = Shelf(*present({"caf\u00e9": "s"}), *present({"丁": "t"}, THERE))
    report = synced(shelf, file("a", "s"), file("cafe\u0301", "s"), file("b", "t"))
    assert (report.renamed, report.duplicates, report.elsewhere) == ([], ["cafe\u0301"], ["b"])
    assert shelf.done == []


def test_a_renamed_file_that_cannot_be_read_keeps_its_old_name() -> None:
    shelf = Shelf(Present("甲.pdf", sha("s")[:12], sha("s"), sha("pdf"), HERE))
    shelf.refuses["乙.pdf"] = InputError("坏了。", code="unreadable_document")
    report = synced(shelf, file("乙.pdf", "s", original="pdf"))
    assert (report.renamed, [one.name for one in report.failed]) == ([], ["乙.pdf"])
    assert set(called(shelf)) == {"甲.pdf"}


def test_a_renamed_file_that_is_converted_to_another_text_by_now_is_not_there_twice() -> None:
    shelf = Shelf(Present("甲.pdf", sha("s")[:12], sha("s"), sha("pdf"), HERE))
    synced(shelf, file("乙.pdf", "s, converted better", original="pdf"))
    assert shelf.texts == {sha("s, converted better")}


def test_what_somebody_removes_before_it_is_renamed_does_not_come_back() -> None:
    shelf = Shelf(*present({"甲": "s"}))
    shelf.before_add = shelf.sources.clear
    report = synced(shelf, file("乙", "s"))
    assert (report.renamed, shelf.held()) == ([], [])


# The folder.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b.txt").write_text("灯塔建于一九二三年。", "utf-8")
    (tmp_path / "gbk.txt").write_bytes("守塔人每天傍晚点灯，清晨熄灯。".encode("gb18030") * 9)
    (tmp_path / "README.md").write_text("说明", "utf-8")
    (tmp_path / ".hidden.txt").write_text("藏", "utf-8")
    (tmp_path / "table.xlsx").write_bytes(b"x")
    for name in ("a", ".git"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "c.MD").write_text(f"在 {name} 里。", "utf-8")
    (tmp_path / "page.docx").write_bytes(docx(paragraph("茶山的春天很早。")))
    return tmp_path


def test_it_is_the_files_that_the_reader_of_folders_takes(folder: Path) -> None:
    reading = files_of_folder(folder)
    assert reading.complete
    read = {source.name: source for source in read_folder(folder)}
    assert [each.wanted.name for each in reading.files] == list(read)
    for each in reading.files:
        loaded = each.load(HERE)
        source = loaded.upload.source
        assert source == read[each.wanted.name]
        assert loaded.upload.origin == HERE
        assert loaded.data == (folder / source.name).read_bytes()
        assert each.wanted.keys <= {source.sha256, source.original_sha256}


def test_a_file_named_by_somebody_is_read_in_the_same_way(folder: Path) -> None:
    loaded = load_file(folder / "gbk.txt")
    assert (loaded.upload.source.encoding, loaded.upload.origin) == ("gb18030", "upload")
    for name, code in (("table.xlsx", "unsupported_document"), ("none.txt", "unreadable_document")):
        with pytest.raises(InputError) as caught:
            load_file(folder / name)
        assert caught.value.code == code


def test_a_damaged_file_is_a_file_until_it_is_its_turn(folder: Path) -> None:
    (folder / "b.txt").write_bytes("灯塔".encode()[:-1])
    reading = files_of_folder(folder)
    assert reading.complete
    shelf = Shelf()
    report = sync_files(shelf, HERE, reading.files)
    assert [failure.name for failure in report.failed] == ["b.txt"]
    assert len(report.added) == 3


def test_what_cannot_be_read_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "gone.txt").symlink_to(folder / "unmounted" / "gone.txt")
    os.mkfifo(folder / "pipe.txt")
    reading = files_of_folder(folder)
    assert [failure.name for failure in reading.unreadable] == ["gone.txt"]
    assert not reading.complete
    (folder / "gone.txt").unlink()
    listed = os.scandir

    def closed(place: str) -> object:
        if Path(place).name == "a":
            raise PermissionError(13, "Permission denied", place)
        return listed(place)

    monkeypatch.setattr(os, "scandir", closed)
    assert [failure.name for failure in files_of_folder(folder).unreadable] == ["a"]


def test_a_name_that_is_no_text_becomes_one(tmp_path: Path) -> None:
    Path(os.fsdecode(bytes(tmp_path) + b"/\xc3\x28.txt")).write_text("文", "utf-8")
    (each,) = files_of_folder(tmp_path).files
    assert each.wanted.name == "\ufffd(.txt"
    assert each.load(HERE).upload.source.name == "\ufffd(.txt"


def test_names_are_labels(tmp_path: Path) -> None:
    for name in ("e\u0301.txt", "灯\x1b[31m塔\n.txt", "甲\u202e.txt"):
        (tmp_path / "a\u2066b").mkdir(exist_ok=True)
        (tmp_path / "a\u2066b" / name).write_text(name, "utf-8")
    names = [each.wanted.name for each in files_of_folder(tmp_path).files]
    assert sorted(names) == ["ab/\u00e9.txt", "ab/灯[31m塔.txt", "ab/甲.txt"]
    assert [each.load(HERE).upload.source.name for each in files_of_folder(tmp_path).files] == names


def test_a_file_keeps_its_place_whichever_way_its_name_is_spelt() -> None:
    held = present({"caf\u00e9": "s"})
    (pair,) = plan_sync(held, wanted({"cafe\u0301": "t"})).replaces
    assert pair[0] is held[0]


# Links.


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    inside, outside = tmp_path / "in", tmp_path / "out"
    for place in (inside, outside):
        place.mkdir()
        (place / "a.txt").write_text(f"写在 {place.name} 里。", "utf-8")
    (inside / "alias.txt").symlink_to("a.txt")
    (inside / "leak.txt").symlink_to(outside / "a.txt")
    (inside / "twice.txt").symlink_to("leak.txt")
    (tmp_path / "in-side").mkdir()
    (tmp_path / "in-side" / "b.txt").write_text("隔壁。", "utf-8")
    (inside / "next.txt").symlink_to("../in-side/b.txt")
    (tmp_path / "link").symlink_to(inside)
    for folder in (inside, tmp_path / "link"):
        reading = files_of_folder(folder)
        assert [each.wanted.name for each in reading.files] == ["a.txt", "alias.txt"]
        assert [failure.name for failure in reading.unreadable] == ["leak.txt", "next.txt", "twice.txt"]
        assert all("之外" in failure.message for failure in reading.unreadable)
        assert {each.load(HERE).upload.source.text for each in reading.files} == {"写在 in 里。"}


def test_a_link_that_is_put_in_the_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.txt").write_text("里面。", "utf-8")
    (tmp_path / "b.txt").write_text("外面。", "utf-8")
    (each,) = files_of_folder(folder).files
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(tmp_path / "b.txt")
    with pytest.raises(ConfigError, match="之外"):
        each.load(HERE)


def test_a_folder_that_is_moved_away_and_linked_back_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.txt", "sub/b.txt"):
        (folder / name).write_text(f"文 {name}。", "utf-8")
    shelf = Shelf()
    assert sync_files(shelf, HERE, files_of_folder(folder).files).added == ["a.txt", "sub/b.txt"]
    (folder / "sub").rename(tmp_path / "elsewhere")
    (folder / "sub").symlink_to(tmp_path / "elsewhere")
    reading = files_of_folder(folder)
    assert [failure.name for failure in reading.unreadable] == ["sub"]
    report = sync_files(shelf, HERE, reading.files, complete=reading.complete)
    assert (report.removed, report.withheld) == ([], ["sub/b.txt"])


# Marks of folders.


def test_a_folder_has_one_mark_however_it_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    (folder / "link").symlink_to(folder / "a")
    mark = origin_of(folder, "m")
    assert origin_of(Path("a/.."), "m") == mark
    assert origin_of(Path("link"), "m") == origin_of(Path("a"), "m") != mark
    far = [origin_of(folder / ("x" * 200) / name / ("y" * 250), "m") for name in ("a", "b")]
    assert len(set(far)) == 2
    assert all(len(origin) <= 200 for origin in far)
    assert origin_of(Path("/"), "m").startswith("sync:root-")


def test_a_mark_says_the_folders_last_part_and_nothing_of_where_it_lies(folder: Path) -> None:
    place = folder / "文\u202e稿"
    marks = [origin_of(place, machine) for machine in ("here", "there")]
    assert len(set(marks)) == 2  # two machines that sync the same path into one service
    for mark in marks:
        assert re.fullmatch("sync:文稿-[0-9a-f]{10}", mark)
    assert former_origins(folder) == {f"sync:{folder.resolve()}"}


def test_a_machine_keeps_its_name(tmp_path: Path) -> None:
    first = machine_of(tmp_path / "one")
    assert machine_of(tmp_path / "one") == first
    assert machine_of(tmp_path / "two") != first
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["machine"]
    (tmp_path / "file").write_text("", "utf-8")
    assert machine_of(tmp_path / "file") == platform.node()  # where no file can be made


@pytest.mark.parametrize("name", ["", " ", "\u202e", "a\nb", "a\x1bb", "字" * 61])
def test_not_every_name_is_a_mark(name: str) -> None:
    assert chosen_origin(" 法规库 ") == "sync:法规库"
    with pytest.raises(InputError, match="--origin"):
        chosen_origin(name)


def test_what_has_an_earlier_mark_of_the_folder_is_taken_over() -> None:
    shelf = Shelf()
    sync_files(shelf, "sync:/old", [file("a", "s"), file("b", "t"), file("c", "u")])
    shelf.sources |= {one.source_id: one for one in present({"d": "v"}, "sync:/other")}
    again = [file("a", "s"), file("b", "w")]
    report = sync_files(shelf, HERE, again, former={"sync:/old"}, dry_run=True)
    assert (report.unchanged, report.replaced, report.removed) == (["a"], ["b"], ["c"])
    report = sync_files(shelf, HERE, again, former={"sync:/old"})
    assert (report.unchanged, report.replaced, report.removed) == (["a"], ["b"], ["c"])
    assert {one.name: one.origin for one in shelf.held()} == {"a": HERE, "b": HERE, "d": "sync:/other"}
    assert not sync_files(shelf, HERE, again, former={"sync:/old"}).changed


def test_there_has_to_be_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="不存在"):
        files_of_folder(tmp_path / "none")
