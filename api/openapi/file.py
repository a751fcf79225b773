"""Write the OpenAPI document to `api/openapi.json`: `python -m api.openapi`.

The file is committed, and a test compares it with what the service says, so that no change of the public
interface goes unnoticed. It is not read at run time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from api.app import create_app
from api.ports import Engine
from api.settings import ApiSettings

OPENAPI_FILE = Path(__file__).parent.with_name("openapi.json")


def openapi_text() -> str:
    """The document of an app with default settings, as the file holds it."""
    document = create_app(_no_engine, ApiSettings(max_concurrent=1)).openapi()
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def _no_engine() -> Engine:
    raise NotImplementedError("describing the interface needs no engine")


def main() -> None:
    """Write the file and name it."""
    OPENAPI_FILE.write_text(openapi_text(), encoding="utf-8")
    sys.stdout.write(f"{OPENAPI_FILE.name}\n")
