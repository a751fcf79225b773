"""Sentences that state nothing by themselves: questions that a text goes on to answer, headings, bare names.

What they lead to is what answers: the rest of their paragraph or, where they are all of it, the opening of
the next one. Pages of questions and answers are printed so, and pages of short headings. Form alone decides.
"""

from __future__ import annotations

import re

from rag.context import is_question, is_table_head
from rag.corpus import Corpus
from rag.question import Question
from rag.records import Sentence
from rag.text.enumeration import item_mark

_BRACKETED = re.compile(r"[【〖［\[][^】〗］\]]*[】〗］\]]|[（(][^）)。！？]{1,24}[）)]")
_LABEL_CHARS = 16
_STATES = re.compile(r"[\d，,；;。！!|]")
"""What a bare label has none of: a figure, a clause, a cell of a table."""
_NAME = re.compile(r"叫什么|叫啥|名字|姓名|称呼|谁|哪位|标题|题目|\bname\b|\bwho\b")
_BULLET = re.compile(r"[-*+•·]\s")
_FULL_CHARS = 20
_MOST_FOLLOWING = 3
_EMPHASIS = "*_ 　\t\n"


def asks(text: str) -> bool:
    """Whether it ends as a question, emphasised or not."""
    return is_question(text.rstrip(_EMPHASIS))


def announces(text: str) -> bool:
    """Whether it ends with a colon, emphasised or not: what it says comes after it."""
    return text.rstrip(_EMPHASIS).endswith(("：", ":"))


def asks_for_name(question: Question) -> bool:
    """Whether a bare name or heading may be what a question asks for."""
    return question.kind == "person" or _NAME.search(question.folded) is not None


class Leads:
    """Tells what leads and finds what is led to, in one corpus.

    Args:
        corpus: The rows.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus

    def is_label(self, sentence: Sentence) -> bool:
        """Whether it is all of its paragraph and no sentence: a heading, a name, a line in brackets."""
        text = sentence.text.strip()
        if len(self._paragraph(sentence)) != 1:
            return False
        if _BRACKETED.fullmatch(text) or self._is_table_head(sentence):
            return True
        bare = len(text) <= _LABEL_CHARS and not _STATES.search(text) and not _BULLET.match(text)
        return bare and item_mark(text) is None and ("：" not in text[:-1]) and not asks(text)

    def heads(self, sentence: Sentence) -> bool:
        """Whether it surely belongs to what follows: a question, an announcement or a line in brackets."""
        text = sentence.text.strip()
        return asks(text) or announces(text) or (self.is_label(sentence) and text[0] in "【〖［[")

    def _is_table_head(self, sentence: Sentence) -> bool:
        paragraphs = self._corpus.document_by_id[sentence.document_id].paragraphs
        return is_table_head(paragraphs, sentence.paragraph - 1)

    def below(self, sentence: Sentence) -> Sentence | None:
        """The opening of the next paragraph, if this sentence is the last of its own."""
        if sentence.ordinal != self._paragraph(sentence)[-1]:
            return None
        rows = self._rows(sentence.document_id, sentence.paragraph + 1)
        return self._corpus.sentences[rows[0]] if rows else None

    def led_to(self, sentence: Sentence) -> list[Sentence]:
        """What a sentence leads to, up to one full sentence; nothing if it is a question or heading too."""
        rest = [row for row in self._paragraph(sentence) if row > sentence.ordinal]
        if not rest:
            rest = list(self._rows(sentence.document_id, sentence.paragraph + 1))
        found: list[Sentence] = []
        for row in rest[:_MOST_FOLLOWING]:
            other = self._corpus.sentences[row]
            if asks(other.text) or self.is_label(other):
                break
            found.append(other)
            if len(other.text) > _FULL_CHARS:
                break
        return found

    def _paragraph(self, sentence: Sentence) -> tuple[int, ...]:
        return self._rows(sentence.document_id, sentence.paragraph)

    def _rows(self, document_id: str, paragraph: int) -> tuple[int, ...]:
        return tuple(self._corpus.sentences_of_paragraph.get((document_id, paragraph), ()))
