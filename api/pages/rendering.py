"""Templates to HTML. Every value is escaped; the CSP allows no inline script or style, so none has any."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse
from starlette.types import Scope

PAGES_DIR = Path(__file__).parent
STATIC_DIR = PAGES_DIR / "static"

_IMPORT = re.compile(r'^import [^"]*"\./([\w.]+)";$', re.MULTILINE)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(PAGES_DIR, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def root_of(scope: Scope) -> str:
    """The path prefix the service is reached under behind a proxy ("" for none), for links in pages."""
    # A mounted application sees its own mount point in `root_path`; Starlette keeps the outer one aside.
    root: str = scope.get("app_root_path", scope.get("root_path", ""))
    return root.rstrip("/")


def render(name: str, scope: Scope, *, status: int = 200, **values: Any) -> HTMLResponse:
    """Fill the template `name`; it also gets `root` for its links."""
    html = _environment().get_template(name).render(root=root_of(scope), **values)
    return HTMLResponse(html, status_code=status)


@lru_cache
def modules_of(script: str) -> tuple[str, ...]:
    """What a script imports, directly or not. A page that names them all gets them in one round trip."""
    found: dict[str, None] = {}
    unread = [script]
    while unread:
        source = (STATIC_DIR / unread.pop()).read_text("utf-8")
        new = [name for name in _IMPORT.findall(source) if name not in found]
        found.update(dict.fromkeys(new))
        unread.extend(new)
    return tuple(sorted(found))
