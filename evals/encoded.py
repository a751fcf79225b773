"""Encode the sample corpus where tests and evaluation look for it, if that has not been done.

    python -m evals.encoded

`make test` does it first, because afterwards tests and evaluation run side by side.
"""

from __future__ import annotations

from api.assembly import open_engine
from evals.paths import settings_for
from rag.settings import read_settings


def main() -> None:
    """Open it once."""
    open_engine(settings_for(read_settings(), None))


if __name__ == "__main__":
    main()
