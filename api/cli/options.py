"""Options that several commands share, as types; and what becomes of them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.errors import InputError, TooLargeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rag.metadata import Filters

Json = Annotated[bool, typer.Option("--json", help="只输出一行 JSON，与 REST 接口的答复相同")]
OneLine = Annotated[bool, typer.Option("--json", help="只输出一行 JSON")]
Seeds = Annotated[Path | None, typer.Option("--seeds", metavar="DIR", help="语料文件夹；默认用设置里的")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="问在别处运行的服务，不在本机打开模型；密钥取自 CEWEN_API_KEY"),
]
OtherUrl = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="由在别处运行的服务来做；密钥取自 CEWEN_API_KEY"),
]
IndexDir = Annotated[
    Path | None,
    typer.Option("--index-dir", metavar="DIR", help="索引放在哪里；给了 --seeds 就默认另放在缓存里"),
]
Collection = Annotated[
    str, typer.Option("--collection", metavar="NAME", help="哪个文库，见 cewen collections list")
]
Documents = Annotated[
    list[str] | None, typer.Option("--document", metavar="ID", help="只要这个编号的文档或文稿，可重复")
]
Titles = Annotated[list[str] | None, typer.Option("--title", metavar="TITLE", help="只要这个标题的，可重复")]
Authors = Annotated[list[str] | None, typer.Option("--author", metavar="NAME", help="只要这位作者的，可重复")]
Tags = Annotated[list[str] | None, typer.Option("--tag", metavar="TAG", help="只要有这个标签的，可重复")]
Names = Annotated[list[str] | None, typer.Option("--name", metavar="FILE", help="只要这个文件名的，可重复")]
DateFrom = Annotated[
    str | None, typer.Option("--date-from", metavar="DATE", help="不早于：YYYY、YYYY-MM 或 YYYY-MM-DD")
]
DateTo = Annotated[
    str | None, typer.Option("--date-to", metavar="DATE", help="不晚于，含；没有日期的文档不算")
]
SourceUrl = Annotated[str | None, typer.Option("--source-url", metavar="URL", help="出处的网址以此开头")]


_OPTIONS = {
    "document_ids": "--document",
    "titles": "--title",
    "authors": "--author",
    "tags": "--tag",
    "names": "--name",
    "date_from": "--date-from",
    "date_to": "--date-to",
    "source_url": "--source-url",
}


def filters_of(
    *,
    documents: Sequence[str] | None = None,
    titles: Sequence[str] | None = None,
    authors: Sequence[str] | None = None,
    tags: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    date_from: str | None = None,
    date_to: str | None = None,
    source_url: str | None = None,
) -> Filters | None:
    """The filters of a command line; None if it has none.

    Raises:
        InputError: With code `invalid_filters`.
    """
    from rag.metadata import check_filters

    filters = check_filters(
        document_ids=tuple(documents or ()),
        titles=tuple(titles or ()),
        authors=tuple(authors or ()),
        tags=tuple(tags or ()),
        names=tuple(names or ()),
        date_from=date_from,
        date_to=date_to,
        source_url=source_url,
        called=_OPTIONS,
    )
    return None if filters.is_empty else filters


def piped_text(most_bytes: int, what: str) -> str:
    """Standard input as UTF-8, without a byte-order mark.

    Args:
        most_bytes: How much is read.
        what: What is expected, for the message.

    Raises:
        InputError: `invalid_text` if it is not UTF-8, `too_large` if there is more.
    """
    data = sys.stdin.buffer.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise TooLargeError(f"标准输入超过 {most_bytes} 字节。请只传{what}。")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            f"标准输入不是 UTF-8（第 {error.start + 1} 字节起无法解码）。请转成 UTF-8 再试。",
            code="invalid_text",
        ) from error


def check_range(option: str, value: float, low: float, high: float) -> None:
    """Refuse a number out of its range.

    Raises:
        InputError: Then.
    """
    if not low <= value <= high:
        raise InputError(f"{option} 是 {value!r}，应在 {low} 到 {high} 之间。")
