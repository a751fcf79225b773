"""Recognise bylines and author notes by their form: what a byline line looks like, where a note ends.

A bullet alone proves nothing (mastheads and section heads use bullets too): a byline is one bullet or
one author word and then nothing but personal names. The only vocabulary here is general: bullets,
author words ("作者", "本报记者" …) and family names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.reading.lines import Line
from rag.text.characters import HAN
from rag.text.family_names import FAMILY_NAMES

BULLETS = "■□◆◇●○▲△▼▽★☆▪▫◼◻▌◎"
_NOTE_MAX_LINES = 8
_NOTE_MAX_CHARS = 400

_COMPOUND_NAMES = (
    "欧阳",
    "司马",
    "上官",
    "诸葛",
    "东方",
    "夏侯",
    "皇甫",
    "尉迟",
    "公孙",
    "令狐",
    "慕容",
    "司徒",
    "端木",
    "歐陽",
    "司馬",
)
_ROLE_WORDS = (
    r"(?:本报|本刊|本网|本台|特约|首席|见习|实习)*"
    r"(?:记\s*者|通\s*讯\s*员|评\s*论\s*员|撰\s*稿\s*人|实\s*习\s*生)\s*[:：/／]?"
)
_AUTHOR_WORDS = re.compile(
    rf"^(?:(?:作\s*者|撰\s*文|执\s*笔|采\s*写|口\s*述|文)\s*[:：/／]|{_ROLE_WORDS})\s*"
)
_ROLE = re.compile(rf"^{_ROLE_WORDS}$")
_SEPARATORS = re.compile(r"[\s、，,;；/／&]+")
_HAN_CHAR = re.compile(f"[{HAN}]")
_HAN_NAME = re.compile(rf"^[{HAN}]{{2,4}}$")
_FOREIGN_NAME = re.compile(rf"^(?:[{HAN}]{{1,8}}[·•・])+[{HAN}]{{1,8}}$|^[A-Z][A-Za-z.'-]+$")
_NEVER_IN_NAMES = re.compile(r"[的了吗呢]")
_OPENING, _CLOSING = "（([【〔", "）)]】〕"
_NOTE_CUE = re.compile(r"作者|笔者|单位|本文|供稿|来源|课题|项目|执笔|编辑|译者|稿件|原载|转载|作者簡介|單位")


def byline_authors(content: str, *, needs_mark: bool = True) -> tuple[str, ...]:
    """The authors that a line names, or () if it is no byline.

    Args:
        content: A line without white space around it.
        needs_mark: Whether a bullet or author word must come first. Without it only bare names count.
    """
    rest = content
    marked = False
    if rest[:1] in BULLETS and rest:
        rest, marked = rest[1:].strip(), True
    if any(bullet in rest for bullet in BULLETS):
        return ()
    word = _AUTHOR_WORDS.match(rest)
    if word:
        rest, marked = rest[word.end() :].strip(), True
    if not rest or (needs_mark and not marked):
        return ()
    names = _merge_spaced([token for token in _SEPARATORS.split(rest) if token and not _ROLE.match(token)])
    return tuple(names) if 1 <= len(names) <= 12 and all(map(_is_name, names)) else ()


def _merge_spaced(tokens: Sequence[str]) -> list[str]:
    """Put names that were spaced out together again ("李 白", "司马 光", "宋 嘉禾")."""
    names: list[str] = []
    pending = ""
    for token in tokens:
        if len(token) == 1 and not pending and names and names[-1] in _COMPOUND_NAMES:
            names[-1] += token
            continue
        if len(token) == 1 and _HAN_CHAR.match(token):
            pending += token
            if len(pending) == 2:
                names.append(pending)
                pending = ""
            continue
        if pending in FAMILY_NAMES and len(token) == 2 and _HAN_NAME.match(token):
            # Nobody has a name of one character: it is the family name of the two that follow.
            names.append(pending + token)
        else:
            names += [pending, token] if pending else [token]
        pending = ""
    return [*names, pending] if pending else names


def _is_name(token: str) -> bool:
    if _FOREIGN_NAME.match(token):
        return True
    if not _HAN_NAME.match(token):
        return False
    if token.startswith(_COMPOUND_NAMES):
        return len(token) >= 3
    return token[0] in FAMILY_NAMES and len(token) <= 3 and not _NEVER_IN_NAMES.search(token)


def note_end(lines: Sequence[Line], start: int) -> int | None:
    """Where the parenthesised note that opens line `start` ends.

    Args:
        lines: All printed lines.
        start: Index of a line.

    Returns:
        Index of the line on which the bracket opened first closes, provided it closes at that line's
        end; None if the line opens no such bracket (a numbered paragraph "（一）……" closes early).
    """
    if lines[start].content[:1] not in _OPENING or lines[start].is_blank:
        return None
    depth = chars = 0
    for index in range(start, min(start + _NOTE_MAX_LINES, len(lines))):
        content = lines[index].content
        if not content:
            return None
        chars += len(content)
        for position, char in enumerate(content):
            depth += (char in _OPENING) - (char in _CLOSING)
            if depth == 0:
                return index if position == len(content) - 1 and chars <= _NOTE_MAX_CHARS else None
    return None


def speaks_of_author(text: str) -> bool:
    """Whether a note's words say who wrote or where the text comes from."""
    return bool(_NOTE_CUE.search("".join(text.split())))
