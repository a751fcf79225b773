"""Parts of a zip archive, unpacked under limits. Nothing is written, and inner archives stay closed.

An archive's directory says how large its parts are, and may lie; what counts is what comes out.
"""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO

from rag.converting.faults import too_large, unreadable
from rag.converting.limits import Limits

_PIECE_BYTES = 65_536
_ANY_RATIO_BYTES = 1024 * 1024
_DIRECTORY_ENTRY = b"PK\x01\x02"
_ENCRYPTED = 0x1


class Archive:
    """A zip archive in memory.

    Args:
        data: Its bytes.
        limits: How many entries it may have and how far its parts may unpack, all of those read together.

    Raises:
        InputError: If it is damaged or has too many entries.
    """

    def __init__(self, data: bytes, limits: Limits) -> None:
        # Counted before the directory is read: a million entries are costly even to list.
        if data.count(_DIRECTORY_ENTRY) > limits.zip_entries:
            raise too_large(f"里的条目超过 {limits.zip_entries} 个，不像正常的文档。请重新导出。")
        try:
            self._zip = zipfile.ZipFile(BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise unreadable("已损坏或不完整，打不开。请重新导出或重新上传。") from error
        self.names = frozenset(self._zip.namelist())
        self._limits = limits
        self._left = limits.expanded_bytes

    def read(self, name: str) -> bytes:
        """One part, unpacked.

        Raises:
            InputError: If it is damaged or encrypted, or unpacks to more than is allowed.
        """
        entry = self._zip.getinfo(name)
        if entry.flag_bits & _ENCRYPTED:
            raise unreadable("加了密码，读不了。请去掉密码后再试。")
        if entry.file_size > self._left:
            raise self._bomb()
        most = max(_ANY_RATIO_BYTES, entry.compress_size * self._limits.expansion_ratio)
        unpacked = bytearray()
        try:
            with self._zip.open(entry) as part:
                while piece := part.read(_PIECE_BYTES):
                    unpacked += piece
                    if len(unpacked) > min(most, self._left):
                        raise self._bomb()
        except (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, OSError) as error:
            raise unreadable("已损坏或不完整，解压不了。请重新导出或重新上传。") from error
        self._left -= len(unpacked)
        return bytes(unpacked)

    def _bomb(self) -> Exception:
        return too_large(
            f"展开后过大（最多 {self._limits.expanded_bytes // 1024} KB，每部分最多 "
            f"{self._limits.expansion_ratio} 倍）。请拆成几个文件，或另存为 .txt。"
        )
