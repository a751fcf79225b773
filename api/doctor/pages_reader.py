"""What a browser shows of a page, as far as the doctor looks: numbered lines, marked characters, scripts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

_LINE = re.compile(r"L([0-9]{1,9})")


@dataclass(slots=True)
class Page:
    """A page as it was read.

    Attributes:
        ids: All anchors.
        lines: Text of each printed line, by number.
        marked: What is marked within printed lines, put together.
        assets: Addresses of scripts and styles.
        scripts: Those of scripts alone.
        inline_scripts: How many scripts stand in the page itself.
    """

    ids: set[str] = field(default_factory=set)
    lines: dict[int, str] = field(default_factory=dict)
    marked: str = ""
    assets: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    inline_scripts: int = 0


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.page = Page()
        self._line: int | None = None
        self._marks = 0
        self._in_number = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.page.ids.add(given["id"])
        if tag == "script":
            if given.get("src"):
                self.page.assets.append(given["src"])
                self.page.scripts.append(given["src"])
            else:
                self.page.inline_scripts += 1
        if tag == "link" and given.get("rel", "") in {"stylesheet", "modulepreload"}:
            self.page.assets.append(given.get("href", ""))
        found = _LINE.fullmatch(given.get("id", "")) if tag == "li" else None
        if found:
            self._line, self._marks = int(found[1]), 0
            self.page.lines[self._line] = ""
        elif self._line is not None:
            self._marks += tag == "mark"
            self._in_number = self._in_number or tag == "a"

    def handle_endtag(self, tag: str) -> None:
        if self._line is None:
            return
        if tag == "li":
            self._line = None
            return
        self._marks -= tag == "mark"
        if tag == "a":
            self._in_number = False

    def handle_data(self, data: str) -> None:
        if self._line is None or self._in_number:
            return
        self.page.lines[self._line] += data
        if self._marks > 0:
            self.page.marked += data


def read_page(html: str) -> Page:
    """Read a page."""
    reader = _Reader()
    try:
        reader.feed(html)
        reader.close()
    except AssertionError:  # how Python 3.11's parser ends at some broken declarations
        pass
    return reader.page
