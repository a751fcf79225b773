"""Groups of a review as questions of an evaluation, for a person to fill in.

Each is written as `unanswerable`, the one type that needs nothing more, so that the file loads as it stands;
what is known of the question is in comments above it. Which type it has, and where the texts answer it, only
a person can say.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

from api.feedback.review import Group
from rag.inputs import MAX_QUESTION_CHARS

_OPENING = (
    "由 cewen review 写出。每一题先写成 unanswerable（文库没有说）；真是这样，就不用改。",
    "文库有答案的：type 改成 number、name、list、definition、how、why、comparison 或 authorship，",
    "evidence 写原文里的依据（去掉全部空白），key_facts 写答案一定要有的事实，例如：",
    '"type": "number", "evidence": [["依据的原文"]], "key_facts": [["三十二米", "32米"]]',
    "不改就评测，答对了的题会算成“不该答而答”。格式见项目里的 evals/README.md。",
)


def exported(groups: Sequence[Group]) -> list[Group]:
    """The groups that say something of the whole corpus.

    Of what was asked with filters alone nobody knows whether the rest has an answer.
    """
    return [group for group in groups if group.asked > group.filtered]


def question_file(groups: Sequence[Group]) -> str:
    """The content of a question file, one question an `exported` group, JSONL in UTF-8 with comments."""
    lines = [_comment(line) for line in _OPENING]
    for group in exported(groups):
        lines += ["", *map(_comment, _told(group)), json.dumps(_line(group), ensure_ascii=False)]
    return "\n".join(lines) + "\n"


def _line(group: Group) -> dict[str, object]:
    question = group.question[:MAX_QUESTION_CHARS]
    name = hashlib.sha256(f"{group.collection}\n{question}".encode()).hexdigest()[:12]
    kinds = {"abstained": group.abstained, "disliked": group.disliked}
    return {
        "id": f"review-{name}",
        "question": question,
        "type": "unanswerable",
        "slices": ["review", *(kind for kind, count in kinds.items() if count)],
        "history": [],
        "evidence": [],
        "key_facts": [],
        "reference": "",
    }


def _told(group: Group) -> Iterator[str]:
    """What a person wants to know before filling in: how often, since when, in which other words."""
    counts = f"问过 {group.asked} 次，弃答 {group.abstained} 次，“没帮助” {group.disliked} 次"
    if group.filtered:
        counts += f"（弃答的有 {group.filtered} 次是加了筛选条件问的）"
    yield f"{counts}；最近 {group.last_asked}；文库 {group.collection}"
    if group.documents:
        yield f"引过的文档：{'、'.join(group.documents)}"
    for other in group.others:
        yield f"也这样问：{other.text}"
    for note in group.notes:
        yield f"留言：{note}"


def _comment(text: str) -> str:
    """One line, whatever stands in the text."""
    return f"// {' '.join(text.split())}"
