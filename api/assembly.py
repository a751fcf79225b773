"""The assembly point: settings in, a ready library or engine out.

The REST service, the command line and the evaluation all get their engine here, so what is measured is
what is served. What is missing of an index, damaged or made of something else is made anew, with its reason
in the log; `rebuild="never"` refuses instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from api.engine_parts import EngineParts, load_encoder, open_reader
from api.library.library import Library
from api.library.opening import open_library
from api.library.snapshots import Snapshot
from api.library_records import Upload
from rag.confidence.reader import Reader
from rag.converting.kinds import KIND_OF_SUFFIX
from rag.encoding.encoder import Encoder
from rag.engine import Engine
from rag.errors import ConfigError
from rag.records import Source
from rag.settings import Settings

Rebuild = Literal["never", "if-needed", "always"]
Progress = Callable[[str, int, int], None]
"""Called with (what is being encoded, texts done, texts in all)."""

__all__ = [
    "EngineParts",
    "Library",
    "Progress",
    "Rebuild",
    "Upload",
    "load_encoder",
    "open_engine",
    "open_library",
    "open_reader",
    "open_snapshot",
]


def open_engine(
    settings: Settings,
    *,
    encoder: Encoder | None = None,
    reader: Reader | None = None,
    sources: Sequence[Source] | None = None,
    rebuild: Rebuild = "if-needed",
    progress: Progress | None = None,
) -> Engine:
    """An engine over the settings' corpus as it is now; nothing stays open, and no later change reaches it.

    Args:
        settings: All of them.
        encoder: An encoder to use instead of the one that the settings name.
        reader: A reader to use instead of the one that the settings name.
        sources: Texts to use instead of the seeds folder, and of all else that the library holds.
        rebuild: What to do about texts that are not encoded yet.
        progress: Told of the encoding, where there is any.

    Raises:
        ConfigError: If seeds, model or settings are unusable.
        IndexFileError: If something is not encoded and may not be, or cannot be written.
    """
    snapshot = open_snapshot(
        settings, encoder=encoder, reader=reader, sources=sources, rebuild=rebuild, progress=progress
    )
    return snapshot.engine


def open_snapshot(
    settings: Settings,
    *,
    encoder: Encoder | None = None,
    reader: Reader | None = None,
    sources: Sequence[Source] | None = None,
    rebuild: Rebuild = "if-needed",
    progress: Progress | None = None,
) -> Snapshot:
    """As `open_engine`, with the rows and the index that the engine stands on."""
    if sources is not None and settings.store_dir is None:
        # Beside the index, so that somebody's library never mixes with texts that are given here.
        settings = settings.model_copy(update={"store_dir": settings.index_dir / "store"})
    with open_library(
        settings,
        encoder=encoder,
        reader=reader,
        sources=sources,
        may_encode=rebuild != "never",
        afresh=rebuild == "always",
        told=progress,
    ) as library:
        snapshot = library.live().snapshot
    if not snapshot.stamps:
        raise ConfigError(
            f"语料文件夹 {str(settings.seeds_dir)!r} 里没有 {'、'.join(KIND_OF_SUFFIX)} 文件，"
            "文库里也没有别的文章。请放入文章，或用 CEWEN_SEEDS_DIR 指定别的文件夹。"
        )
    return snapshot
