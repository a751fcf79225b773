"""The characters of a web page: by its byte-order mark, by what it says of itself, by what its bytes allow.

Pages say "gb2312" and mean GB18030, so the wider encoding of a family is used. What a page says is believed
only if its bytes bear it out; after that the same rules hold as for text files (`rag.reading.decoding`).
"""

from __future__ import annotations

import codecs
import re

from rag.converting.faults import unreadable
from rag.errors import ConfigError
from rag.reading.decoding import read_source

_MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SAID = re.compile(
    rb"""<(?:meta|\?xml)\b[^>]{0,400}?(?:charset|encoding)\s*=\s*["']?\s*([\w-]{2,30})""", re.IGNORECASE
)
_SAID_WITHIN = 4096
_FAMILIES = {
    **dict.fromkeys(("gb2312", "gb_2312-80", "gbk", "gb18030", "x-gbk", "gb2312-80"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs", "cn-big5", "x-x-big5"), "big5hkscs"),
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **dict.fromkeys(("shift_jis", "shift-jis", "x-sjis"), "cp932"),
    # Latin-1 is not here: it fits any bytes, and it is what editors write who know no better.
}


def decode_page(data: bytes) -> str:
    """The characters of a page.

    Raises:
        InputError: If its bytes fit no encoding that is known here.
    """
    said = _SAID.search(data[:_SAID_WITHIN])
    encoding = _FAMILIES.get(said[1].decode("ascii").lower(), "") if said else ""
    if encoding and not data.startswith(_MARKS):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            pass
    try:
        return read_source("", data).text
    except ConfigError as error:
        raise unreadable(
            "的编码认不出来（不是 UTF-8、GB18030 或网页自己写明的编码）。请另存为 UTF-8。"
        ) from error
