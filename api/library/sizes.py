"""How long a text is: whether it is taken at all, and which lane it waits in."""

from __future__ import annotations

import re

from api.library.lanes import QUICK, SLOW
from rag.errors import TooLargeError
from rag.inputs import excerpt
from rag.records import Source

_MAX_PIECES = 400_000
"""Lines and sentences of a text: what reading it may take of the memory."""
_QUICK_TEXTS = 200
"""Texts that are encoded within seconds; whoever waits behind them hardly notices."""
_QUICK_CHARS = 20_000
"""What is longer is not counted through."""
_CHUNK_CHARS = 200
_ENDS = re.compile(r"[。！？!?…；;]+")


def check_pieces(source: Source) -> None:
    """See whether a text has few enough lines and sentences.

    Raises:
        TooLargeError: With code `document_too_large`.
    """
    if len(source.text) > _MAX_PIECES and _pieces(source.text) > _MAX_PIECES:
        raise TooLargeError(
            f"{excerpt(source.name)}的行和句子超过 {_MAX_PIECES} 个。请拆成几个文件。",
            code="document_too_large",
        )


def lane_of(text: str) -> str:
    """The lane of a text, by how many texts are encoded of it: two for each sentence, one for each chunk."""
    if len(text) > _QUICK_CHARS:
        return SLOW
    return QUICK if 2 * _pieces(text) + len(text) // _CHUNK_CHARS <= _QUICK_TEXTS else SLOW


def _pieces(text: str) -> int:
    # Each line end counts, also of empty lines: a line costs memory although nothing stands in it.
    return text.count("\n") + sum(1 for _ in _ENDS.finditer(text))
