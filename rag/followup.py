"""Resolve a question that leans on the conversation ("那它覆盖了多少个？") by rule.

A question that stands alone is searched exactly as typed. One that is elliptic or points back is searched
together with the subject of the last question that stood alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.records import Turn
from rag.text.folding import fold
from rag.text.terms import content_words

_POINTS_BACK = re.compile(
    r"^(?:然后|还有|另外|此外|其中|具体|继续|再)|[它他她]们?|(?:这|那|该|此)(?:个|些|种|篇|项|样|里|方面|几|两|三|一点|一条)|^其|上述|上面|刚才|前面|前者|后者"
    r"|\b(?:it|its|they|their|them|that|this|those|these|he|she|his|her)\b"
)
_WHAT_ABOUT = re.compile(r"呢[?。!]*$|^(?:and|what about|how about)\b")
_FEW_WORDS = 3
_QUESTION_WORDS = re.compile(
    r"请问|什么是|是什么|为什么|多少|哪些|哪个|哪几个|如何|怎么样?|怎样|什么|谁|吗|呢|有哪些|几个|[?？。!！]"
)


def resolve_followup(question: str, history: Sequence[Turn]) -> str:
    """The question as it is to be searched."""
    asked = [turn.content.strip() for turn in history if turn.role == "user" and turn.content.strip()]
    if not asked or not _leans_back(question):
        return question
    standing = next((text for text in reversed(asked) if not _leans_back(text)), asked[-1])
    subject = _QUESTION_WORDS.sub("", standing).strip(" ，,；;：:")
    return f"{subject}，{question}" if subject else question


def _leans_back(question: str) -> bool:
    """Whether a question points back ("它", "这几点") or leaves out what it asks about ("那工人呢？")."""
    folded = fold(question)
    if _POINTS_BACK.search(folded):
        return True
    own = [word for word in content_words(question) if len(word) >= 2]
    return not own or (len(own) <= _FEW_WORDS and bool(_WHAT_ABOUT.search(folded)))
