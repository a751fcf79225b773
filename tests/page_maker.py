"""Makes newspaper pages of invented essays, with what a reader should find in them.

A page is set the way a paper sets it and then spoiled the way a text extractor spoils it: columns of one
width after another, full-width punctuation squeezed or carried over, indents dropped, a blank line where a
column ends, before a line that opens with a quotation mark, and between paragraphs. A page of the same
seed is always the same. The fields written about have nothing to do with any corpus of ours.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.invented_text import FIELDS, make_note, make_paragraph, make_title

_NAMES_ONE = "伟敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰飞云燕"
_FAMILIES = (
    "王",
    "李",
    "张",
    "刘",
    "陈",
    "杨",
    "赵",
    "黄",
    "周",
    "吴",
    "徐",
    "孙",
    "胡",
    "朱",
    "欧阳",
    "司马",
    "段",
    "覃",
)
_BULLETS = "■□◆●▲"
_NOT_FIRST = set("，。、；：？！”’）》】…—%")
_NOT_LAST = set("“‘（《【")
_SQUEEZABLE = set("，。、；：？！“”‘’（）《》")
_MOST_SQUEEZED = 1.5
_TOKEN = re.compile(r"[A-Za-z0-9.%+]+|\s+|——|……|.")
_LATIN = re.compile(r"[A-Za-z0-9.%+]")


@dataclass(frozen=True)
class MadeDocument:
    """What a reader should find: all white space of the layout is gone from these."""

    title: str | None
    authors: tuple[str, ...]
    note: str | None
    paragraphs: tuple[str, ...]


@dataclass(frozen=True)
class MadePage:
    """A page as the extractor gives it, and the truth about it."""

    text: str
    documents: tuple[MadeDocument, ...]
    masthead: tuple[str, ...]


@dataclass
class _Style:
    """The habits of one page."""

    rng: random.Random
    indent: float = 2.0
    title_place: str = "none"
    bullet: str = "■"
    squeezes: bool = True
    kerns: bool = True
    spaces_near_latin: float = 0.3
    letter_spaced: float = 0.01
    gap_before_quote: float = 1.0
    keeps_indent: bool = False
    width: float = 20.0
    rows_left: int = 30
    new_width: str = "often"
    out: list[str] = field(default_factory=list)


def make_page(seed: int) -> MadePage:
    """One page: two to four essays of one field each."""
    rng = random.Random(seed)  # noqa: S311  (a page of the same seed is always the same)
    style = _Style(
        rng,
        title_place=rng.choice(["before", "after", "none"]),
        bullet=rng.choice(_BULLETS),
        squeezes=rng.random() < 0.7,
        kerns=rng.random() < 0.6,
        spaces_near_latin=rng.choice([0.0, 0.3, 1.0]),
        letter_spaced=rng.choice([0.0, 0.01, 0.05]),
        gap_before_quote=rng.choice([0.0, 0.5, 1.0]),
        keeps_indent=rng.random() < 0.15,
        width=float(rng.randint(14, 30)),
        rows_left=rng.randint(12, 45),
        new_width=rng.choice(["never", "often", "wildly"]),
    )
    some_without_title = rng.random() < 0.4
    some_without_note = rng.random() < 0.15
    documents = []
    for words in rng.sample(FIELDS, rng.randint(2, 4)):
        titled = style.title_place != "none" and not (some_without_title and rng.random() < 0.4)
        documents.append(
            MadeDocument(
                make_title(rng, words) if titled else None,
                _authors(rng),
                None if some_without_note and rng.random() < 0.3 else make_note(rng, words),
                tuple(make_paragraph(rng, words) for _ in range(rng.randint(3, 5))),
            )
        )
    masthead = _masthead(style)
    for line in masthead:
        style.out.append(rng.choice(["", " ", "　"]) + line)
    if masthead:
        style.out.append("")
    for document in documents:
        _set_document(style, document)
    end = rng.choice(["\n", "\r\n"])
    tail = rng.choice(["", " ", end, end * 2 + " "])
    return MadePage(end.join(style.out) + tail, tuple(documents), tuple(masthead))


def _masthead(style: _Style) -> list[str]:
    rng = style.rng
    bullets = " ".join(style.bullet + word for word in ("茶经", "星图", "舟楫")[: rng.randint(2, 3)])
    return rng.choice(
        [[], [f"{bullets} 四海周刊"], ["2031年5月8日 星期四 09"], ["四海周刊", f"{bullets} 第12期"]]
    )


def _authors(rng: random.Random) -> tuple[str, ...]:
    names: list[str] = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        given = "".join(rng.sample(_NAMES_ONE, rng.randint(1, 2)))
        family = rng.choice(_FAMILIES)
        names.append(family + given)
    return tuple(dict.fromkeys(names))


def _byline(style: _Style, authors: tuple[str, ...]) -> str:
    rng = style.rng
    spaced = rng.random() < 0.3
    names = [
        f"{name[0]}{rng.choice(' 　')}{name[1]}" if spaced and len(name) == 2 else name for name in authors
    ]
    word = rng.choice(["", "", "", "本报记者 ", "作者："])
    joined = rng.choice([" ", "　", "  "]).join(names)
    return rng.choice(["", " "]) + style.bullet + rng.choice(["", " "]) + word + joined


def _set_document(style: _Style, document: MadeDocument) -> None:
    rng = style.rng
    if document.title and style.title_place == "before":
        _set_title(style, document.title)
        style.out.append("")
    style.out += [_byline(style, document.authors), ""]
    if style.new_width != "never":
        _turn(style)
    for paragraph in document.paragraphs:
        _set_paragraph(style, paragraph)
        style.out += [""] * rng.choice([1, 1, 1, 2])
    joined_on = False
    if document.note:
        style.out += list(_lines(style, f"（{document.note}）"))
        joined_on = rng.random() < 0.1
    if not joined_on and document.note:
        style.out.append("")
    if document.title and style.title_place == "after":
        if style.out[-1]:
            style.out.append("")
        _set_title(style, document.title)
        style.out.append("")


def _set_title(style: _Style, title: str) -> None:
    half = len(title) // 2
    if len(title) > 14 and style.rng.random() < 0.3:
        style.out += [title[:half], title[half:]]
    else:
        style.out.append(title)


def _turn(style: _Style) -> None:
    """A new column."""
    rng = style.rng
    style.rows_left = rng.randint(12, 45)
    if style.new_width == "wildly":
        style.width = float(rng.randint(14, 30))
    elif style.new_width == "often":
        style.width = min(30.0, max(14.0, style.width + rng.choice([-3, -2, -1, 0, 0, 1, 2, 3])))


def _set_paragraph(style: _Style, text: str) -> None:
    rng = style.rng
    for line in _lines(style, text):
        if line.startswith("“") and style.out[-1] and rng.random() < style.gap_before_quote:
            style.out.append("")
        style.out.append(line)
        style.rows_left -= 1
        if style.rows_left <= 0:
            style.out.append("")
            _turn(style)
    while style.out and not style.out[-1]:
        style.out.pop()


def _lines(style: _Style, text: str) -> Iterator[str]:
    """Printed lines of one paragraph; the width is looked up anew for each."""
    tokens = _TOKEN.findall(text)
    room_taken = style.indent
    first = True
    while tokens:
        count = _fill(tokens, style.width - room_taken, style)
        line, tokens = tokens[:count], tokens[count:]
        while tokens and tokens[0].isspace():
            tokens.pop(0)
        printed = _printed(style, line, last=not tokens)
        yield ("　　" + printed if first and style.keeps_indent else printed)
        room_taken, first = 0.0, False


def _fill(tokens: list[str], room: float, style: _Style) -> int:
    """How many tokens stand on the next line."""
    count, width = 0, 0.0
    while count < len(tokens) and width + _advance(tokens, count, style) <= room:
        width += _advance(tokens, count, style)
        count += 1
    if count == len(tokens):
        return count
    hanging = 0
    while count + hanging < len(tokens) and tokens[count + hanging][0] in _NOT_FIRST:
        width += _advance(tokens, count + hanging, style)
        hanging += 1
    squeezable = sum(token in _SQUEEZABLE for token in tokens[: count + hanging])
    if hanging and style.squeezes and width - room <= min(_MOST_SQUEEZED, 0.5 * squeezable):
        return count + hanging
    while count > 1 and (tokens[count][0] in _NOT_FIRST or tokens[count - 1] in _NOT_LAST):
        count -= 1
    return max(1, count)


def _advance(tokens: list[str], index: int, style: _Style) -> float:
    """Width that a token adds to its line: marks that meet share the white space between them."""
    meets = style.kerns and index and tokens[index] in _SQUEEZABLE and tokens[index - 1] in _SQUEEZABLE
    return _ems(tokens[index]) - (0.5 if meets else 0.0)


def _ems(token: str) -> float:
    return sum(0.5 if char < "\u2000" and char != "·" else 1.0 for char in token)


def _printed(style: _Style, tokens: list[str], *, last: bool) -> str:
    rng = style.rng
    phrase = any(token.isspace() for token in tokens)
    if not phrase and not last and rng.random() < style.letter_spaced:
        chars = "".join(tokens)
        return "".join(char + ("" if rng.random() < 0.05 else " ") for char in chars).strip()
    line = ""
    for token in tokens:
        mixed = line and not line[-1].isspace() and not token.isspace()
        if (
            mixed
            and bool(_LATIN.match(token)) != bool(_LATIN.match(line[-1]))
            and rng.random() < style.spaces_near_latin
        ):
            line += " "
        line += token
    return line.strip() + (" " if rng.random() < 0.02 else "")
