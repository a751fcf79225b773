from __future__ import annotations

import pytest

from api.pages.links import linker_to


@pytest.mark.parametrize(
    ("address", "url", "absolute"),
    [
        ("http://127.0.0.1:8000", "/documents/a#L1", "http://127.0.0.1:8000/documents/a#L1"),
        ("https://x.example/qa/", "/documents/a?chars=1-2", "https://x.example/qa/documents/a?chars=1-2"),
        ("http://127.0.0.1:8000", "https://y.example/documents/a", "https://y.example/documents/a"),
    ],
)
def test_links_become_absolute(address: str, url: str, absolute: str) -> None:
    assert linker_to(address)(url) == absolute
    assert linker_to(address)(absolute) == absolute
