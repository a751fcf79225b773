"""`cewen add`, `rm`, `ls` and `sync`: what a collection holds, changed from files.

Each file is one change that is there or not there; whoever interrupts a command leaves nothing half done, and
what is being added then is cancelled.
A file that cannot be used is said, and the others go on.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.console import counting_bar, harmless, stderr_console, stdout_console, write_json
from api.cli.interrupting import explaining_interruption
from api.cli.opening import holdings, service
from api.cli.options import (
    Authors,
    Collection,
    DateFrom,
    DateTo,
    Json,
    Names,
    OneLine,
    OtherUrl,
    Seeds,
    SourceUrl,
    Tags,
    Titles,
    Url,
    check_range,
    filters_of,
    piped_text,
)
from api.cli.service import Where
from rag.errors import ConfigError, InputError, NotFoundError

if TYPE_CHECKING:
    from api.library.mirroring import Loaded
    from rag.records import Metadata

ADD_HELP = "添加文档：.txt、.md、.html、.docx、.pdf，或标准输入里的文字。"
RM_HELP = "删除文档，或一份文稿的各篇；不能恢复。各篇都删了，文字才从文库文件里擦去。"
LS_HELP = "列出文库中的文档，先添加的在前。"
SYNC_HELP = "让文库里属于一个文件夹的文档与文件夹一致：新的添加，改了的替换，没了的删除。"

_MAX_STDIN_BYTES = 20 * 1024 * 1024
_STDIN_NAME = "标准输入.txt"
_FAILED = 1


def add(  # noqa: PLR0913, PLR0917 -- the options of a command line
    context: typer.Context,
    files: Annotated[list[str], typer.Argument(metavar="FILE", help="文件；写 - 则从标准输入读文字")],
    as_json: OneLine = False,
    title: Annotated[str | None, typer.Option(metavar="TITLE", help="标题；只能用于一个文件")] = None,
    author: Annotated[list[str] | None, typer.Option(metavar="NAME", help="作者，可重复")] = None,
    date: Annotated[str | None, typer.Option(metavar="DATE", help="YYYY、YYYY-MM 或 YYYY-MM-DD")] = None,
    source_url: Annotated[
        str | None, typer.Option(metavar="URL", help="出处的网址，只作记录，不会去访问")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="标签，可重复")] = None,
    collection: Collection = "default",
    url: OtherUrl = None,
) -> None:
    """Add files."""
    from rag.metadata import check_metadata

    if title is not None and len(files) > 1:
        raise InputError("--title 只能用于一个文件。请分几次添加，或不写 --title。")
    metadata = check_metadata(
        title=title, authors=author or (), date=date, source_url=source_url, tags=tag or ()
    )
    loaded, failures = _loaded(files, metadata)
    added: list[dict[str, Any]] = []
    if loaded:
        with (
            explaining_interruption(
                "已添加的都在。", "正在收下的那一个，收下了就会在下次打开文库时接着做完。"
            ),
            holdings(context, url, encodes=True) as library,
            counting_bar(stderr_console(), "添加") as told,
        ):
            for done, (name, each) in enumerate(loaded):
                told(name, done, len(loaded))
                try:
                    brought = library.add(collection, each)
                except NotFoundError:
                    raise  # the collection
                except InputError as error:
                    failures.append({"name": name, "code": error.code, "message": error.message})
                    continue
                added.append({"name": name, **brought.model_dump(exclude={"job"})})
    if as_json:
        write_json(json.dumps({"added": added, "failed": failures}, ensure_ascii=False))
    else:
        from api.cli.show_library import show_added

        show_added(stdout_console(), stderr_console(), added, failures)
    if failures:
        raise typer.Exit(_FAILED)


def rm(
    context: typer.Context,
    identifiers: Annotated[
        list[str], typer.Argument(metavar="ID", help="文档或文稿的编号，见 cewen ls；可以写几个")
    ],
    as_json: OneLine = False,
    collection: Collection = "default",
    url: OtherUrl = None,
) -> None:
    """Remove documents or sources."""
    from api.cli.show_library import show_removed

    removed: list[dict[str, Any]] = []
    try:
        with holdings(context, url) as library:
            for identifier in identifiers:
                removed.append(library.remove(collection, identifier).model_dump())  # noqa: PERF401 -- said below
    finally:
        # What is gone is said also where the next one could not be removed.
        if as_json and removed:
            write_json(json.dumps({"removed": removed}, ensure_ascii=False))
        elif removed:
            show_removed(stdout_console(), removed)


def ls(  # noqa: PLR0913, PLR0917 -- the options of a command line
    context: typer.Context,
    as_json: Json = False,
    limit: Annotated[int | None, typer.Option(metavar="N", help="最多列出几篇；默认全部")] = None,
    title: Titles = None,
    author: Authors = None,
    tag: Tags = None,
    name: Names = None,
    date_from: DateFrom = None,
    date_to: DateTo = None,
    source_url: SourceUrl = None,
    collection: Collection = "default",
    url: Url = None,
    seeds: Seeds = None,
) -> None:
    """List the documents; needs neither model nor index."""
    from api.cli.show import show_documents
    from cewen import Document

    if limit is not None:
        check_range("--limit", limit, 1, 1_000_000)
    filters = filters_of(
        titles=title,
        authors=author,
        tags=tag,
        names=name,
        date_from=date_from,
        date_to=date_to,
        source_url=source_url,
    )
    with service(context, url, seeds, None) as listing:
        body = listing.documents_json(Where(collection, filters), limit)
    if as_json:
        write_json(body)
        return
    reply = harmless(json.loads(body))
    documents = [Document.model_validate(document) for document in reply["documents"]]
    show_documents(stdout_console(), documents, total=reply.get("total") or len(documents))


def sync(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="放有文章的文件夹，含其中的文件夹")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只说会怎样做，什么也不改")] = False,
    empty: Annotated[
        bool, typer.Option("--allow-empty", help="文件夹空了也照做：删除从它来的全部文档")
    ] = False,
    origin: Annotated[
        str | None, typer.Option("--origin", metavar="NAME", help="这批文档的名号；默认由文件夹和本机得出")
    ] = None,
    as_json: OneLine = False,
    collection: Collection = "default",
    url: OtherUrl = None,
) -> None:
    """Make what came from a folder what the folder holds now."""
    from api.cli.holdings import CollectionTarget
    from api.cli.parts import settings_for
    from api.library.folders import files_of_folder
    from api.library.mirroring import sync_files
    from api.library.origins import chosen_origin, former_origins, machine_of, origin_of

    if folder.is_file():
        raise InputError(f"{str(folder)!r} 是文件，不是文件夹。只添加这一个文件，请用 cewen add。")
    chosen = None if origin is None else chosen_origin(origin)
    reading = files_of_folder(folder)
    if not reading.files and not empty:
        raise InputError(
            f"文件夹 {str(folder)!r} 里没有能读的文档，照此会删去从它来的全部文档。请检查路径和磁盘；"
            "真的要这样，请加上 --allow-empty。"
        )
    with (
        explaining_interruption("已完成的文件都在，没有做了一半的；再运行一次就接着做。"),
        holdings(context, url) as library,
        counting_bar(stderr_console(), "同步") as told,
    ):
        report = sync_files(
            CollectionTarget(library, collection),
            chosen or origin_of(folder, machine_of(settings_for(None, None).data_dir)),
            reading.files,
            complete=reading.complete,
            former=former_origins(folder),
            dry_run=dry_run,
            told=told,
        )
    report.failed[:0] = reading.unreadable
    if as_json:
        write_json(json.dumps({"dry_run": dry_run, **asdict(report)}, ensure_ascii=False))
    else:
        from api.cli.show_library import show_sync

        show_sync(stdout_console(), stderr_console(), report, dry_run=dry_run)
    if report.failed:
        raise typer.Exit(_FAILED)


def _loaded(
    files: Sequence[str], metadata: Metadata
) -> tuple[list[tuple[str, Loaded]], list[dict[str, str]]]:
    """The files that could be read, and what is wrong with the others."""
    loaded: list[tuple[str, Loaded]] = []
    failures: list[dict[str, str]] = []
    for name in files:
        try:
            each = _load(name)
        except (InputError, ConfigError) as error:
            failures.append({"name": name, "code": error.code, "message": error.message})
            continue
        source = replace(each.upload.source, metadata=metadata)
        loaded.append((name, replace(each, upload=replace(each.upload, source=source))))
    return loaded, failures


def _load(name: str) -> Loaded:
    from api.library.folders import load_file
    from api.library.mirroring import Loaded
    from api.library_records import Upload
    from rag.reading.decoding import read_source

    if name == "-":
        data = piped_text(_MAX_STDIN_BYTES, "一篇文字").encode("utf-8")
        return Loaded(Upload(read_source(_STDIN_NAME, data)), data)
    if Path(name).is_dir():
        raise InputError(f"{name!r} 是文件夹。请用 cewen sync 同步整个文件夹。")
    return load_file(Path(name))
