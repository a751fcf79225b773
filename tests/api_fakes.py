"""An engine a person can compute, over an invented newspaper page of two articles.

Asked something, it answers with the first sentence that contains the question's own words and abstains
if there is none. Searching, the score of a paragraph is the share of the query's different characters
that occur in it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from starlette.testclient import TestClient

from api.app import create_app
from api.engine_slot import EngineSlot
from api.settings import ApiSettings
from rag.errors import NotFoundError
from rag.records import (
    Answer,
    AnswerEvent,
    AnswerSentence,
    Block,
    BlockKind,
    Chunk,
    Citation,
    CitationsKnown,
    Document,
    OffsetMap,
    Paragraph,
    Passage,
    Source,
    SourceSpan,
    TextAdded,
    Turn,
)

PAGE = """ 灯塔日报 第三版
■周望潮 林听雨
望海角灯塔建于一九零七年，塔高三十
二米，由本地石匠用花岗岩砌成。守塔人每
天傍晚点灯，清晨熄灯。

“灯要亮到最后一条船进港。”守塔人𠮷
田 常 这 样 说 。
（作者单位：望海角航标处）
茶山笔记<初稿>
■何采薇
清明前三天采的茶叫“明前茶”，一斤鲜
叶只能制二两干茶。
"""
SHA256 = hashlib.sha256(PAGE.encode()).hexdigest()
LIGHTHOUSE = f"{SHA256[:12]}-1"
TEA = f"{SHA256[:12]}-2"
FINGERPRINT = "fake-1"
EXAMPLES = ("清晨熄灯", "一斤鲜叶只能制二两干茶")


def block(kind: BlockKind, first_line: int, last_line: int) -> Block:
    """The block on these printed lines, reflowed by dropping white space."""
    lines = PAGE.split("\n")
    start = sum(len(line) + 1 for line in lines[: first_line - 1])
    end = sum(len(line) + 1 for line in lines[:last_line]) - 1
    kept = [offset for offset in range(start, end) if not PAGE[offset].isspace()]
    offsets = OffsetMap(tuple(range(len(kept))), tuple(kept), len(kept))
    span = SourceSpan(kept[0], kept[-1] + 1, first_line, last_line)
    return Block(kind, "".join(PAGE[offset] for offset in kept), offsets, span)


def documents() -> tuple[Document, ...]:
    source = Source("page.txt", PAGE, SHA256)
    lighthouse = Document(
        document_id=LIGHTHOUSE,
        source=source,
        title=None,
        label="周望潮、林听雨：望海角灯塔…",
        authors=("周望潮", "林听雨"),
        affiliation="作者单位：望海角航标处",
        typed_blocks=(block("byline", 2, 2), block("note", 9, 9)),
        paragraphs=(Paragraph(1, block("paragraph", 3, 5)), Paragraph(2, block("paragraph", 7, 8))),
    )
    tea = Document(
        document_id=TEA,
        source=source,
        title="茶山笔记<初稿>",
        label="茶山笔记<初稿>",
        authors=("何采薇",),
        affiliation=None,
        typed_blocks=(block("title", 10, 10), block("byline", 11, 11)),
        paragraphs=(Paragraph(1, block("paragraph", 12, 13), heading="采制"),),
    )
    return lighthouse, tea


def page_url(document_id: str, span: SourceSpan) -> str:
    chars, lines = f"{span.start_char}-{span.end_char}", f"L{span.start_line}-L{span.end_line}"
    return f"/documents/{document_id}?chars={chars}#{lines}"


class FakeEngine:
    """See the module. `asked` keeps the arguments of every call; `before` runs at the start of each."""

    fingerprint = FINGERPRINT

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self._documents = documents()
        self._before = before
        self.asked: list[dict[str, object]] = []

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        top_k: int = 8,
        generator: str | None = None,
        explain: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Answer:
        assert not cancelled()
        self.asked.append(
            {"question": question, "history": tuple(history), "top_k": top_k, "generator": generator}
        )
        self._before()
        if generator not in {None, "fake"}:
            raise NotFoundError("没有这个生成器，可用的有 fake。", code="generator_not_found")
        words = question.strip("？?。 ")
        found = next((hit for hit in self._sentences() if words in hit[2]), None)
        citation = self._citation(*found) if found else None
        return Answer(
            answer_id="answer-1",
            status="answered" if citation else "abstained",
            answer=f"{citation.quote}[1]" if citation else "文库里没有说到这件事。",
            reason=None if citation else "not_stated",
            confidence=1.0 if citation else 0.0,
            sentences=(AnswerSentence(citation.quote, (1,), "exact"),) if citation else (),
            citations=(citation,) if citation else (),
            related=() if citation else self._passages(question, top_k, None),
            resolved_question=question,
            generator="fake",
            fingerprint=FINGERPRINT,
            timings_ms={"total": 0.5},
            explain={"words": words} if explain else None,
        )

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        top_k: int = 8,
        generator: str | None = None,
        explain: bool = False,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Iterator[AnswerEvent]:
        """The text of `ask` in two parts. Like the real engine it refuses at once, not at the first event."""
        answer = self.ask(
            question, history=history, top_k=top_k, generator=generator, explain=explain, cancelled=cancelled
        )
        middle = len(answer.answer) // 2
        parts = [TextAdded(answer.answer[:middle]), TextAdded(answer.answer[middle:])]
        return iter([CitationsKnown(answer.citations), *parts, answer])

    def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        score_threshold: float | None = None,
        keep: Callable[[Passage], bool] | None = None,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> tuple[Passage, ...]:
        assert not cancelled()
        self._before()
        kept = [passage for passage in self._passages(query, 50, None) if keep is None or keep(passage)]
        return tuple(
            replace(passage, rank=rank)
            for rank, passage in enumerate(kept[:top_k], 1)
            if passage.score >= (score_threshold or 0.0)
        )

    def examples(self) -> tuple[str, ...]:
        return EXAMPLES

    def count_tokens(self, text: str) -> int:
        return len(text)

    def documents(self) -> tuple[Document, ...]:
        return self._documents

    def document(self, document_id: str) -> Document:
        for document in self._documents:
            if document.document_id == document_id:
                return document
        raise NotFoundError(f"没有文档 {document_id}。", code="document_not_found")

    def _sentences(self) -> Iterator[tuple[Document, Paragraph, str, int]]:
        for document in self._documents:
            for paragraph in document.paragraphs:
                for found in re.finditer(r"[^。]*。”?", paragraph.text):
                    yield document, paragraph, found[0], found.start()

    def _citation(self, document: Document, paragraph: Paragraph, quote: str, start: int) -> Citation:
        first, last = paragraph.block.offsets.source_range(start, start + len(quote))
        span = SourceSpan(first, last, PAGE.count("\n", 0, first) + 1, PAGE.count("\n", 0, last - 1) + 1)
        return Citation(
            number=1,
            document_id=document.document_id,
            title=document.label,
            authors=document.authors,
            paragraph=paragraph.number,
            start_char=span.start_char,
            end_char=span.end_char,
            start_line=span.start_line,
            end_line=span.end_line,
            quote=quote,
            source_sha256=SHA256,
            match="exact",
            url=page_url(document.document_id, span),
            score=1.0,
        )

    def _passages(self, query: str, top_k: int, threshold: float | None) -> tuple[Passage, ...]:
        rows = [(document, paragraph) for document in self._documents for paragraph in document.paragraphs]
        scored = [
            (len(set(query) & set(paragraph.text)) / len(set(query)), ordinal)
            for ordinal, (_, paragraph) in enumerate(rows)
        ]
        best = sorted(scored, key=lambda row: (-row[0], row[1]))[:top_k]
        return tuple(
            self._passage(rank, score, ordinal, *rows[ordinal])
            for rank, (score, ordinal) in enumerate(best, 1)
            if score >= (threshold or 0.0)
        )

    def _passage(
        self, rank: int, score: float, ordinal: int, document: Document, paragraph: Paragraph
    ) -> Passage:
        span = paragraph.block.span
        chunk_id = f"{document.document_id}:{span.start_char}-{span.end_char}"
        text = paragraph.text
        chunk = Chunk(ordinal, chunk_id, document.document_id, paragraph.number, text, 0, len(text), span)
        return Passage(rank, score, chunk, document, page_url(document.document_id, span))


@contextmanager
def client_for(engine: FakeEngine | None = None, settings: ApiSettings | None = None) -> Iterator[TestClient]:
    """A client of an app whose engine is open."""
    app = create_app(lambda: engine or FakeEngine(), settings or ApiSettings())
    with TestClient(app) as client:
        slot: EngineSlot = app.state.engine_slot
        assert slot.wait(10)
        yield client
