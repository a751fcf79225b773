"""Recognise bylines and author notes by their form: what a byline line looks like, where a note ends.

A bullet alone proves nothing (mastheads and section heads use bullets too): a byline is one bullet or
one author word and then nothing but personal names. The only vocabulary here is general: bullets,
author words ("作者", "本报记者" …) and family names.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.reading.lines import Line

BULLETS = "■□◆◇●○▲△▼▽★☆▪▫◼◻▌◎"
_NOTE_MAX_LINES = 8
_NOTE_MAX_CHARS = 400

# The family names of more than 99 % of the Han population, most frequent first.
_FAMILY_NAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖萧田董潘袁蔡蒋余于杜叶程魏苏吕丁"
    "任卢姚沈钟姜崔谭陆范汪廖石金韦贾夏付傅方邹熊白孟秦邱丘侯江尹薛闫阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴"
    "严莫孔向常汤康易乔赖文洪柯温庄牛葛殷樊兰焦俞祝左裴柳詹凌包冉米阮骆齐聂符梅辛关阳涂路凡岳翟卜单鲁鲍"
    "耿蒲池管司宁申游童舒章华甘项卓麻古艾欧苗成蓝虞季宫解应宗宣瞿冷房欧柏屈缪车娄匡姬费蔺滕蒙边荆晏蔚计尚"
    "时寇翁芦盛栾靳井谷苟褚沙佟戚穆卞党鄢查宿原衡楚景简饶伍曲毕闵桂连车仇占揭敖商晋嵇桑乌盖巫初迟桓刁木"
    "曾强逄练仝那全荣仲宦浦裘燕鹿云水窦封和谈贝支咸籍隗麦庞巩厉贡聂幸牟岑祁臧储狄茅纪喻区岩植"
    "霍闻隋粟丛朴佘冼甄郎郁湛郗郜邬濮雍胥晁訾阚鞠巢蒯竺逯谯笪佴禹縻"
    "張劉陳楊黃趙吳孫馬鄭謝許韓鄧馮葉蘇呂盧鐘譚陸賈傅鄒閻龍賀顧龔萬錢嚴湯喬賴溫莊蘭齊聶關陽塗單魯歐藍應"
)
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
_HAN_NAME = re.compile(r"^[\u3400-\u9fff]{2,4}$")
_FOREIGN_NAME = re.compile(r"^(?:[\u3400-\u9fff]{1,8}[·•・])+[\u3400-\u9fff]{1,8}$|^[A-Z][A-Za-z.'-]+$")
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
    """Put names that were spaced out to three ems ("李 白", "司马 光") together again."""
    names: list[str] = []
    pending = ""
    for token in tokens:
        if len(token) == 1 and not pending and names and names[-1] in _COMPOUND_NAMES:
            names[-1] += token
            continue
        if len(token) == 1 and _is_han(token):
            pending += token
            if len(pending) == 2:
                names.append(pending)
                pending = ""
            continue
        if pending:
            names.append(pending)
            pending = ""
        names.append(token)
    return [*names, pending] if pending else names


def _is_han(char: str) -> bool:
    return "\u3400" <= char <= "\u9fff"


def _is_name(token: str) -> bool:
    if _FOREIGN_NAME.match(token):
        return True
    if not _HAN_NAME.match(token):
        return False
    if token.startswith(_COMPOUND_NAMES):
        return len(token) >= 3
    return token[0] in _FAMILY_NAMES and len(token) <= 3 and not _NEVER_IN_NAMES.search(token)


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
