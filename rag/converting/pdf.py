"""The text layer of a PDF: its printed lines as they stand, a blank line between pages.

Lines stay lines, since joining them into paragraphs is the reader's business (`rag.reading`). Page numbers
and repeated running heads go (`furniture`). No recognition of scanned pages; a text layer that only a font
without a table of characters could explain is refused rather than stored as noise.
"""

from __future__ import annotations

from collections import Counter
from io import BytesIO

from rag.converting.faults import too_large, unreadable
from rag.converting.furniture import without_furniture
from rag.converting.glyphs import true_characters
from rag.converting.limits import Limits

_MOST_PAGES_NAMED = 10
_NOISE_SHARE = 0.3
_NOISE_BLOCKS = 5
_LOCKED = "加了密码，读不了。请去掉密码后再试。"


def pdf_text(data: bytes, limits: Limits) -> tuple[str, tuple[str, ...]]:
    """The text of a PDF and notes about pages that have none.

    Raises:
        InputError: If it needs a password, has too many pages, no text, or none that can be told.
    """
    from pypdf import PasswordType, PdfReader
    from pypdf.errors import DependencyError, FileNotDecryptedError, LimitReachedError

    try:
        reader = PdfReader(BytesIO(data))
        # Many are encrypted with no password at all, only to discourage changes; any viewer opens them.
        if reader.is_encrypted and reader.decrypt("") == PasswordType.NOT_DECRYPTED:
            raise unreadable(_LOCKED)
        count = len(reader.pages)
        if count > limits.pages:
            raise too_large(f"有 {count} 页，最多 {limits.pages} 页。请拆成几个文件。")
        pages = [reader.pages[number].extract_text().split("\n") for number in range(count)]
    except (DependencyError, FileNotDecryptedError) as error:
        raise unreadable(_LOCKED) from error
    except LimitReachedError as error:
        raise unreadable("里有展开后过大的内容，不予读取。请重新导出，或另存为 .txt。") from error
    bare = [number for number, lines in enumerate(pages, 1) if not any(map(str.strip, lines))]
    if len(bare) == len(pages):
        raise unreadable("没有文字层（多半是扫描件）。请先做文字识别（OCR），再导出带文字的 PDF 或 .txt。")
    text = "\n\n".join("\n".join(lines) for lines in without_furniture(pages) if any(map(str.strip, lines)))
    if _is_noise(text):
        raise unreadable("的文字层是乱码：字体没有附带字符对照表。请从原稿重新导出，或先做文字识别（OCR）。")
    return true_characters(text), (_note(bare),) if bare else ()


def _note(bare: list[int]) -> str:
    named = "、".join(map(str, bare[:_MOST_PAGES_NAMED])) + (" 等" if len(bare) > _MOST_PAGES_NAMED else "")
    return f"第 {named} 页没有文字层，未读入（共 {len(bare)} 页）"


def _is_noise(text: str) -> bool:
    """Whether glyph numbers were taken for characters.

    They spread over the scripts between Hebrew and the Greek extensions, over private use and controls, where
    a real text has one script at most.
    """
    solid = [char for char in text if not char.isspace()]
    strange = [char for char in solid if _is_strange(char)]
    blocks = Counter(ord(char) // 128 for char in strange)
    spread = len(blocks) >= _NOISE_BLOCKS or all(not char.isprintable() for char in strange)
    return len(strange) > _NOISE_SHARE * max(1, len(solid)) and spread


def _is_strange(char: str) -> bool:
    return "\u0590" <= char <= "\u1fff" or "\ue000" <= char <= "\uf8ff" or char == "\ufffd" or char < " "
