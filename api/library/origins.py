"""Marks of folders that are synced: which documents of a collection came from which folder.

A mark is shown to every reader, so it says the folder's last part and not where it lies. What tells two such
folders apart, also on two machines that sync the same path into one service, is a checksum over the place and
over a random name that this machine has given itself.
"""

from __future__ import annotations

import hashlib
import logging
import os
import platform
import secrets
from pathlib import Path

from api.library_records import SYNCED
from rag.errors import InputError
from rag.inputs import CONTROL, excerpt
from rag.labels import label_of, readable, without_turning

_MACHINE_FILE = "machine"
_MACHINE_CHARS = 32
_DIGEST_CHARS = 10
_MAX_ORIGIN_CHARS = 200  # as a service takes it
_MAX_PART_CHARS = 60

_log = logging.getLogger(__name__)


def origin_of(folder: Path, machine: str) -> str:
    """The mark of what is synced from a folder: the same for every way to write its path.

    Args:
        folder: The folder.
        machine: What `machine_of` gives.
    """
    place = folder.resolve()
    digest = hashlib.sha256(f"{machine}\0".encode() + os.fsencode(place)).hexdigest()
    part = label_of(readable(place.name))[:_MAX_PART_CHARS].rstrip() if place.name else "root"
    return f"{SYNCED}{part}-{digest[:_DIGEST_CHARS]}"


def former_origins(folder: Path) -> frozenset[str]:
    """Marks that earlier versions gave the same folder: its whole path."""
    place = folder.resolve()
    origin = f"{SYNCED}{readable(str(place))}"
    if len(origin) > _MAX_ORIGIN_CHARS:
        origin = f"{SYNCED}{hashlib.sha256(os.fsencode(place)).hexdigest()}"
    return frozenset({origin})


def chosen_origin(name: str) -> str:
    """The mark of a name that somebody has chosen for what he syncs.

    Raises:
        InputError: If it cannot be one.
    """
    chosen = without_turning(name).strip()
    if not chosen or not chosen.isprintable() or CONTROL.search(chosen) or len(chosen) > _MAX_PART_CHARS:
        raise InputError(
            f"--origin 是{excerpt(name)}：要写一行可见的字，最多 {_MAX_PART_CHARS} 个字符。请换一个名称。"
        )
    return f"{SYNCED}{chosen}"


def machine_of(data_dir: Path) -> str:
    """A random name of this machine, kept in a folder; where that cannot be done, its name in the network."""
    path = data_dir / _MACHINE_FILE
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_name(f"{_MACHINE_FILE}.{secrets.token_hex(4)}.new")
        if not path.exists():
            beside.write_text(secrets.token_hex(_MACHINE_CHARS // 2) + "\n", "ascii")
            try:
                os.link(beside, path)  # never over the one that another command has just made
            except FileExistsError:
                pass
            except OSError:  # a file system without links
                beside.replace(path)
            finally:
                beside.unlink(missing_ok=True)
        found = path.read_text("ascii").strip()
        if len(found) >= _MACHINE_CHARS:
            return found
        _log.warning("%s holds no name of a machine; that of the network is used", path)
    except (OSError, UnicodeDecodeError) as error:
        _log.warning("%s cannot be used, the machine's name in the network is: %s", path, error)
    return platform.node()
