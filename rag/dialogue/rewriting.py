"""Put a leaning question and what it leans on together, in place where that reads well, else side by side.

Each maker returns the resolved question, or "" when the conversation has nothing that fits, or the bare
question itself when it turns out to stand alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.dialogue.antecedents import Exchange, pair_of
from rag.dialogue.ellipsis import about_article, is_clause, with_subject
from rag.dialogue.leaning import Kind, Lean
from rag.dialogue.phrase import Phrase
from rag.dialogue.substitution import substitute
from rag.dialogue.wording import ACTIONS, GENERIC, QUESTION_WORD, SAYING, tokens

_SHORT_ITEM_CHARS = 6
_ELABORATE = re.compile(r"(?:是|指的?是?)?(?:什么|啥)|(?:怎么|如何)说|具体(?:说说|讲讲)?")
_SIDE_BY_SIDE = re.compile("不同|区别|异同|差别|关系|相同|一样")
_LIST_TURNS = 3
_LISTED_MAX_CHARS = 90
_IN_PLACE_MAX_CHARS = 48


def resolved_text(lean: Lean, bare: Phrase, exchanges: list[Exchange]) -> str:
    """The resolved question, or "" if nothing in the conversation fits."""
    made = _MAKERS[lean.kind](lean, bare, exchanges)
    return _asked(made) if made else ""


def prefixed(question: str, exchanges: list[Exchange]) -> str:
    """The last subject, a comma and the question."""
    subject = exchanges[-1].subject or exchanges[-1].thing
    return _asked(f"{subject}，{question.strip()}") if subject else ""


def _asked(text: str) -> str:
    return text if text.endswith(("？", "?", "。", "！")) else f"{text}？"


def _ordinal(lean: Lean, bare: Phrase, exchanges: list[Exchange]) -> str:
    # "那第一点呢？", then "第二点呢？": both count in the list before, not in the first answer's "A、B和C".
    last = next((each for each in reversed(exchanges[-_LIST_TURNS:]) if each.explicit_items), exchanges[-1])
    items = last.items
    at = lean.number - 1 if lean.number > 0 else len(items) + lean.number
    if not 0 <= at < len(items):
        return ""
    item, rest = items[at], bare.part(lean.end)
    if len(item) <= _SHORT_ITEM_CHARS and last.subject and item not in last.subject:
        joint = "，" if is_clause(last.subject) else "里的"
        item = f"{'关于' if joint == '，' else ''}{last.subject}{joint}“{item.strip('“”')}”"
    tail = _without_noun(rest.part(len("呢")) if rest.plain.startswith("呢") else rest).stripped()
    if not tail.plain or _ELABORATE.fullmatch(tail.plain):
        return f"{item}具体指什么？"
    return (
        f"关于“{item}”，{tail.text}"
        if "，" in item and "“" not in item
        else f"{item}{_joint(rest, tail)}{tail.text}"
    )


def _joint(rest: Phrase, tail: Phrase) -> str:
    """A comma before a second question, nothing before a predicate."""
    return "，" if tail.plain and re.match(r"呢?[,。?!]", rest.plain) else ""


def _without_noun(rest: Phrase) -> Phrase:
    """What follows "第二个" without a noun for the list's items ("第二个原则是…")."""
    words = tokens(rest.plain)
    if (
        words
        and words[0].text in GENERIC
        and words[0].text != "具体"
        and not QUESTION_WORD.match(words[0].text)
    ):
        return rest.part(words[0].end)
    return rest


def _pair(lean: Lean, bare: Phrase, exchanges: list[Exchange]) -> str:
    two = pair_of(exchanges)
    if len(two) != 2:
        return ""
    words = bare.plain
    if "前者" in words or "后者" in words:
        text = bare.text.replace("前者", two[0]).replace("後者", two[1]).replace("后者", two[1])
        return substitute(text, exchanges[-1]) if text in two else text
    return bare.put(lean.start, lean.end, f"{two[0]}和{two[1]}")


def _set(lean: Lean, bare: Phrase, exchanges: list[Exchange]) -> str:
    last = exchanges[-1]
    listed = _listed(last.items)
    words = bare.text[lean.start : lean.end]
    if lean.start == lean.end or words == "其中":
        subject = last.subject
        return (
            f"{listed or subject}之中，{bare.text[lean.end :].lstrip('的，, ')}" if listed or subject else ""
        )
    if listed:
        return bare.put(lean.start, lean.start, listed)
    return bare.put(lean.start, lean.start, f"{last.subject}，" if last.subject else "")


def _listed(items: tuple[str, ...]) -> str:
    """Each item up to its first comma, as "甲、乙和丙"; "" if there is no list or it is too long."""
    heads = [re.split("[，,；]", item, maxsplit=1)[0] for item in items]
    text = f"{'、'.join(heads[:-1])}和{heads[-1]}" if len(heads) >= 2 else ""
    return text if len(text) <= _LISTED_MAX_CHARS else ""


def _person(lean: Lean, bare: Phrase, exchanges: list[Exchange]) -> str:
    who = next((last.persons for last in reversed(exchanges) if last.persons), "")
    if not who:
        last = exchanges[-1]
        who = f"{last.article}的作者" if SAYING.search(bare.plain) and last.article else last.thing
    return _in_place(lean, bare, who)


def _thing(lean: Lean, bare: Phrase, exchanges: list[Exchange]) -> str:
    last = exchanges[-1]
    if bare.plain[lean.start : lean.end] == "它们":
        two = pair_of(exchanges)
        if len(two) == 2 and _SIDE_BY_SIDE.search(bare.plain):
            return bare.put(lean.start, lean.end, f"{two[0]}和{two[1]}")
    words = last.thing
    if bare.plain[lean.start : lean.end] == "其":
        words += "的"
    return _in_place(lean, bare, words)


def _in_place(lean: Lean, bare: Phrase, words: str) -> str:
    return bare.put(lean.start, lean.end, words) if words and len(words) <= _IN_PLACE_MAX_CHARS else ""


def _this(lean: Lean, bare: Phrase, exchanges: list[Exchange]) -> str:
    last = exchanges[-1]
    words, plain = bare.text[lean.start : lean.end], bare.plain[lean.start : lean.end]
    noun = next(
        (token.text for token in reversed(tokens(plain)) if token.is_noun or token.text in GENERIC), ""
    )
    thing, subject = last.thing, last.subject
    if not subject or len(subject) > _IN_PLACE_MAX_CHARS or plain[-1] in "样么":
        return ""
    if plain in {"这", "那"}:
        return bare.put(lean.start, lean.end, subject)
    if plain in {"这个", "那个"} or (noun and noun in Phrase.of(thing).plain):
        return bare.put(lean.start, lean.end, thing)
    if noun in ACTIONS or not noun:
        return bare.put(lean.start, lean.end, f"{subject}{words}")
    spoken = "".join(f"{each.question}{each.answer}" for each in exchanges)
    if noun not in GENERIC and not set(noun) & set(Phrase.of(spoken).plain):
        return bare.text  # "那座灯塔" that nobody spoke of names its thing itself.
    proper = thing[:1] in "“《" or any(
        t.tag in {"ns", "nr", "nt", "nz"} for t in tokens(Phrase.of(thing).plain)
    )
    return bare.put(
        lean.start, lean.end, f"{thing}{words}" if proper or noun in GENERIC else f"{thing}的{words}"
    )


_MAKERS: dict[Kind, Callable[[Lean, Phrase, list[Exchange]], str]] = {
    "ordinal": _ordinal,
    "pair": _pair,
    "set": _set,
    "about": lambda lean, _, exchanges: substitute(lean.name, exchanges[-1]),
    "person": _person,
    "thing": _thing,
    "this": _this,
    "article": lambda _, bare, exchanges: about_article(bare, exchanges),
    "bare": lambda _, bare, exchanges: with_subject(bare, exchanges),
}
