"""Whether a draft reads as a question that a person would ask out of the blue, and how well."""

from __future__ import annotations

import re

from rag.examples.clauses import Text, Token, subject_end
from rag.examples.drafts import Kind
from rag.examples.words import ASKING, DANGLING, LEADING, SURNAMES
from rag.text.folding import to_simplified
from rag.text.places import PLACES

MIN_CHARS, MAX_CHARS = 6, 30
_BEST = (11, 24)
_PAIRS = ("“”", "‘’", "《》", "（）", "「」", "『』", "()")
_UNFIT = re.compile(r"[\n\r\t;；：:。!！…—/\\|<>{}=#*@^~■●◆▲※\ue000-\uf8ff]|https?|[，,、](?:？|$)|，.*，")
_ABOUT_SOMETHING = frozenset({"number", "date", "list", "person", "place"})
_NAMELESS, _BARE, _VAGUE = 0.35, 0.6, 0.15
_BARE_CHARS = 3
_PLACE = re.compile(
    r"(?:\d{4}年)?[\u3400-\u9fff]{2,4}(?<![城都农乡山社园小景地灾海港群半矿火高江河湖冰雪心林牧库校厂片辖老新每各])"
    "[省市县区镇乡村州岛湾港山河湖江縣區鎮鄉灣島]"
)
_HAN = re.compile("[\u3400-\u9fff]")


def reads_well(question: str) -> bool:
    """Whether nothing about a question's form speaks against it."""
    plain = to_simplified(question)
    if not MIN_CHARS <= len(question) <= MAX_CHARS or not question.endswith("？"):
        return False
    if _UNFIT.search(plain) or question.count("？") != 1 or len(_HAN.findall(question)) < len(question) / 2:
        return False
    if any(not _balanced(question, pair) for pair in _PAIRS):
        return False
    bare = re.sub("“[^”]*”|「[^」]*」|《[^》]*》", "“”", plain)
    asked = ASKING.match(bare)
    if not asked and (LEADING.match(bare) or DANGLING.match(bare)):
        return False
    return ASKING.search(bare) is not None and not DANGLING.search(bare)


def _balanced(text: str, pair: str) -> bool:
    depth = 0
    for char in text:
        depth += (char == pair[0]) - (char == pair[1])
        if depth not in (0, 1):
            return False
    return depth == 0


def appeal(question: str, kind: Kind, topic_words: frozenset[str]) -> float:
    """How well a question that reads well does, from about -1 to 1: its names, its subject, its length.

    Args:
        question: It.
        kind: What it asks for. A fact about something that has no name could be about anything.
        topic_words: What its document is about.
    """
    tokens = Text(question).tokens(0, len(question)) if len(to_simplified(question)) == len(question) else []
    placed = _opens_with_place(question, tokens)
    named = placed or any(_is_name(token, topic_words) for token in tokens)
    nouns = {token.word for token in tokens if token.is_noun and len(token.word) >= 2}
    known = sum(word in topic_words for word in nouns)
    verbs = sum(token.tag == "v" for token in tokens)
    short = 0 if kind == "definition" else max(0, _BEST[0] - len(question))
    made = 0.3 * named + min(0.3, 0.15 * known) - 0.1 * max(0, verbs - 3)
    made -= 0.05 * short + 0.03 * max(0, len(question) - _BEST[1])
    made -= 0.15 * ("，" in question) + 0.08 * max(0, question.count("的") - 1)
    if kind == "means":
        return made - _VAGUE
    if kind not in _ABOUT_SOMETHING:
        return made
    bare = not placed and _has_bare_subject(tokens, topic_words)
    return made - _BARE * bare - _NAMELESS * (not named)


def _opens_with_place(question: str, tokens: list[Token]) -> bool:
    """Whether a county, an island or the like is named first, and not by a word for any such place."""
    found = _PLACE.match(question)
    return found is not None and not (tokens and tokens[0].tag == "n" and tokens[0].end >= found.end())


def _has_bare_subject(tokens: list[Token], topic_words: frozenset[str]) -> bool:
    """Whether a question is about "the hospital" or "the shop": a short subject that is no name."""
    place = subject_end(tokens, plain=True)
    if place is None or any(_is_name(token, topic_words) for token in tokens[:place]):
        return False
    return tokens[place - 1].end - tokens[0].start <= _BARE_CHARS


def _is_name(token: Token, topic_words: frozenset[str]) -> bool:
    """Whether a word names one thing; the segmenter alone is not believed, it calls many words names."""
    import rjieba

    if token.tag in ("quote", "eng"):
        return token.end - token.start >= 2
    if token.word in PLACES:
        return True
    if token.is_noun and token.word in topic_words and not rjieba.has_word(token.word):
        return True  # in no dictionary, and the document comes back to it
    if token.tag in ("nr", "nrt"):
        return len(token.word) == 3 and token.word[0] in SURNAMES
    return token.tag in ("ns", "nt") and len(token.word) >= 3
