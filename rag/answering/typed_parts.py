"""Answer questions about a document itself (who wrote it, where they work, its title) from its typed parts.

These answers are not prose of the corpus, so the sentence is put together here; what it says is the text
of the byline, note or title, and that is what it cites. What only an uploader says of a document is no
proof: it may be told, not cited.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rag.names import DocumentNames, bare_text
from rag.question import Question
from rag.question_patterns import Metadata
from rag.records import Block, Document
from rag.text.folding import fold
from rag.text.numbers import chinese_count

_ABOUT_TEXT = re.compile(
    r"文章|这篇|那篇|本文|该文|此文|一文|篇|作者|笔者|文中|论文|标题|题目|essay|article|author|piece|wrote|written"
)
_METADATA_WORDS = re.compile(
    r"第?[一二三四五六七八九十两几\d]+[篇位个名]|作者|笔者|文章|论文|本文|该文|这篇|那篇|一文|标题|题目|题名|篇名|是谁|谁|哪位|哪些人|哪几位|写的?|撰写|执笔|单位|机构|学校|大学|工作|任职|供职|来自|"
    r"哪个|哪家|哪里|哪儿|哪篇|几篇|叫什么|名字|姓名|什么|分别|请问|告诉我|关于|有关|讨论|论述|谈论|谈到|谈|讲|讲到|提到|说|是|的|了|在|都|有|个|吗|呢|"
    r"课题|项目|编号|身份|职务|职称|供职|上班|出自|谁手|各自|各|位|篇|里|中|这|那|who|wrote|is|the|are|author|authors|of|essay|article|about|on|title|what|which|where|does|work|written|by|for|in|this|that|a|an|did"
)
_NTH_DOCUMENT = re.compile(r"第([一二三四五六七八九十]{1,3}|\d{1,2})篇")
_NAMED_WORK = re.compile(r"[《]([^《》]{1,40})[》]")
_ALL_MAX = 12
_NOTE_SHARE = 0.5


@dataclass(frozen=True, slots=True)
class TypedSentence:
    """A sentence about a document, and the typed blocks that prove it."""

    text: str
    document: Document
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class TypedAnswer:
    """Sentences that answer; or, when the page does not print what is asked, a message that says so."""

    sentences: tuple[TypedSentence, ...]
    missing: str = ""


def asks_about_text(question: Question, documents: Sequence[Document]) -> bool:
    """Whether a metadata question is about a document of this corpus rather than about its subject.

    "《红楼梦》的作者是谁" asks about a book that a document may speak of; it counts only if a document has
    that title.
    """
    if question.metadata is None:
        return False
    work = _NAMED_WORK.search(question.text)
    if work:
        return any(
            work.group(1) in (title or "")
            for document in documents
            for title in (document.title, document.printed_title)
        )
    return bool(_ABOUT_TEXT.search(question.folded)) or not topic_of(question.folded)


def topic_of(folded: str) -> str:
    """What is left of a metadata question when its metadata words are taken out: the topic, or ""."""
    if folded.isascii():
        return " ".join(word for word in re.findall(r"\w+", folded) if not _METADATA_WORDS.fullmatch(word))
    return re.sub(r"[\W_]+", "", _METADATA_WORDS.sub("", folded))


def document_by_place(question: Question, documents: Sequence[Document]) -> tuple[str, ...]:
    """The document that "第二篇" means: the second in corpus order."""
    found = _NTH_DOCUMENT.search(question.folded)
    number = chinese_count(found.group(1)) if found else None
    return (documents[number - 1].document_id,) if number and number <= len(documents) else ()


def documents_by_title(question: Question, names: Mapping[str, DocumentNames]) -> tuple[str, ...]:
    """Documents whose title, however short, stands in a question about documents."""
    bare = bare_text(question.folded)
    return tuple(
        document_id
        for document_id, called in names.items()
        if any(len(title) >= 2 and title in bare for title in called.titles)
    )


def documents_by_note(question: Question, documents: Sequence[Document]) -> tuple[str, ...]:
    """Documents whose author note holds what a question about affiliations names, e.g. an institution.

    Only a note that holds at least `_NOTE_SHARE` of the question's longer words counts, and of those
    the notes that hold the most.
    """
    if question.metadata != "affiliation":
        return ()
    words = [word for word in question.words if len(word) >= 2 and not _METADATA_WORDS.fullmatch(word)]
    shares = {
        document.document_id: sum(word in fold(document.affiliation or "") for word in words) / len(words)
        for document in documents
        if words
    }
    best = max(shares.values(), default=0.0)
    return tuple(i for i, share in shares.items() if share == best) if best >= _NOTE_SHARE else ()


def answer_typed(metadata: Metadata, documents: Sequence[Document]) -> TypedAnswer | None:
    """Answer for these documents, or None where their typed parts cannot say anything."""
    if not documents or len(documents) > _ALL_MAX:
        return None
    made = [_MAKERS[metadata](document) for document in documents]
    sentences = tuple(sentence for sentence in made if sentence is not None)
    if sentences:
        return TypedAnswer(sentences)
    given = [(document, said) for document in documents if (said := _given(metadata, document))]
    if not given and not any(document.typed_blocks for document in documents):
        return None
    name = {"authors": "作者", "affiliation": "作者单位", "title": "标题", "documents": "标题"}[metadata]
    labels = "、".join(f"“{document.label}”" for document in documents)
    missing = f"原文没有印出{labels}的{name}。"
    if given:  # said as what it is: there is no place to cite
        missing += f"添加文章的人注明的{name}："
        missing += "；".join(f"{said}（“{document.label}”）" for document, said in given) + "。"
    return TypedAnswer((), missing)


def _given(metadata: Metadata, document: Document) -> str:
    """What only the uploader says of what is asked for, or ""."""
    if metadata == "authors":
        return "" if document.printed_authors else "、".join(document.authors)
    if metadata in ("title", "documents"):
        return "" if document.printed_title else document.title or ""
    return ""


def _called(document: Document) -> str:
    """How a sentence refers to a document."""
    if document.printed_title:
        return f"《{document.printed_title}》"
    return f"以“{document.paragraphs[0].text[:16]}…”开头的文章（原文未印标题）"


def _authors(document: Document) -> TypedSentence | None:
    block = document.typed_block("byline")
    if block is None:
        return None
    blocks = [found for kind in ("title",) if (found := document.typed_block(kind))]
    text = f"{_called(document)}的作者是{'、'.join(document.printed_authors)}。"
    return TypedSentence(text, document, (block, *blocks))


def _affiliation(document: Document) -> TypedSentence | None:
    block = document.typed_block("note")
    if block is None or not document.affiliation:
        return None
    byline = document.typed_block("byline")
    who = f"{'、'.join(document.printed_authors)}：" if document.printed_authors else ""
    return TypedSentence(f"{who}{document.affiliation}。", document, (block, byline) if byline else (block,))


def _title(document: Document) -> TypedSentence | None:
    block = document.typed_block("title")
    if block is None:
        return None
    byline = document.typed_block("byline")
    who = f"{'、'.join(document.printed_authors)}的文章" if document.printed_authors else "这篇文章的"
    return TypedSentence(
        f"{who}标题是《{document.printed_title}》。", document, (block, byline) if byline else (block,)
    )


def _document(document: Document) -> TypedSentence | None:
    block = document.typed_block("title") or document.typed_block("byline")
    if block is None:
        return None
    byline = document.typed_block("byline")
    who = f"{'、'.join(document.printed_authors)}的" if document.printed_authors else ""
    blocks = (block,) if byline is None or byline is block else (block, byline)
    return TypedSentence(f"是{who}{_called(document)}。", document, blocks)


_MAKERS = {"authors": _authors, "affiliation": _affiliation, "title": _title, "documents": _document}
