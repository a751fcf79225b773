"""An engine a person can compute, over an invented newspaper page of two articles.

Asked something, it answers with the first sentence that contains the question's own words and abstains
if there is none. Searching, the score of a paragraph is the share of the query's different characters
that occur in it.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from copy import copy
from dataclasses import replace
from typing import Any

from starlette.testclient import TestClient

from api.app import create_app
from api.calibration_records import Calibrated, Calibration, CalibrationScores
from api.cited_places import place_of
from api.engine_slot import EngineSlot
from api.library_records import (
    COLLECTION_NAME,
    CitationClaim,
    CollectionInfo,
    Entry,
    Job,
    Removed,
    Resolution,
    Said,
    Upload,
)
from api.ports import InTurn, Library
from api.settings import ApiSettings
from rag.errors import CewenError, InputError, NotFoundError
from rag.metadata import Filters
from rag.reading.documents import read_documents
from rag.records import (
    DEFAULT_COLLECTION,
    Answer,
    AnswerEvent,
    AnswerSentence,
    Block,
    BlockKind,
    Chunk,
    Citation,
    CitationsKnown,
    Document,
    Example,
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
ADDED_AT = "2026-01-01T00:00:00Z"
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

    def __init__(
        self, before: Callable[[], None] = lambda: None, held: Sequence[Document] | None = None
    ) -> None:
        self._documents = documents() if held is None else tuple(held)
        self._before = before
        self.asked: list[dict[str, object]] = []

    def only(self, document_ids: Collection[str]) -> FakeEngine:
        """The same engine over fewer documents; it notes what it is asked in the same list."""
        held = [document for document in self._documents if document.document_id in document_ids]
        narrowed = copy(self)
        narrowed._documents = tuple(held)
        return narrowed

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
        sentence = answer.sentences[-1] if answer.sentences else None
        parts = [TextAdded(answer.answer[:middle]), TextAdded(answer.answer[middle:], sentence)]
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

    def examples(self, in_turn: InTurn = nullcontext) -> tuple[Example, ...]:
        with in_turn():
            return tuple(map(Example, EXAMPLES, (LIGHTHOUSE, TEA)))

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
        page = document.source.text
        span = SourceSpan(first, last, page.count("\n", 0, first) + 1, page.count("\n", 0, last - 1) + 1)
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
            source_sha256=document.source.sha256,
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


class FakeLibrary:
    """Collections in memory, read by the real reader, answered by `FakeEngine`; "default" begins with `PAGE`.

    Args:
        held: Other documents for "default".
        before: Runs at the start of each question.

    Attributes:
        asked: The arguments of every question, of all collections.
        hold: Whether a new job stays queued until `finish` is called.
        fail: The error that the next job ends with.
        closed: Whether `close` was called.
    """

    def __init__(
        self, held: Sequence[Document] | None = None, before: Callable[[], None] = lambda: None
    ) -> None:
        self.asked: list[dict[str, object]] = []
        self.hold = False
        self.fail: CewenError | None = None
        self.closed = False
        self._before = before
        self._sequence = 0
        self._held: dict[str, list[Entry]] = {DEFAULT_COLLECTION: []}
        self._gone: dict[str, tuple[str, ...]] = {}
        self._jobs: dict[str, Job] = {}
        self._calibrations: dict[str, Calibration] = {}
        self._waiting: dict[str, Callable[[], Job]] = {}
        self._changed = threading.Condition()
        for document in documents() if held is None else held:
            self._enter(DEFAULT_COLLECTION, document, "seeds")

    def engine(self, collection: str = DEFAULT_COLLECTION, filters: Filters | None = None) -> FakeEngine:
        engine = FakeEngine(self._before, [entry.document for entry in self.entries(collection, filters)])
        engine.asked = self.asked
        return engine

    def engine_holding(self, document_id: str, collection: str | None = None) -> FakeEngine:
        for name in sorted(self._held, key=lambda each: each != collection):
            if any(entry.document.document_id == document_id for entry in self._held[name]):
                return self.engine(name)
        return self.engine()

    def collections(self) -> tuple[CollectionInfo, ...]:
        names = sorted(self._held, key=lambda name: (name != DEFAULT_COLLECTION, name))
        return tuple(self._info(name) for name in names)

    def create_collection(self, name: str) -> CollectionInfo:
        if not COLLECTION_NAME.fullmatch(name):
            raise InputError("名称不对。", code="invalid_collection_name")
        if name in self._held:
            raise InputError(f"已有名为 {name} 的文库。", code="collection_exists")
        self._held[name] = []
        return self._info(name)

    def remove_collection(self, name: str) -> CollectionInfo:
        self.entries(name)
        info = self._info(name)
        if name == DEFAULT_COLLECTION:
            self._held[name] = []
        else:
            del self._held[name]
        return info

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        entries = self.entries(collection)
        old = [entry for entry in entries if replaces in (entry.source_id, entry.document.document_id)]
        if replaces is not None and not old:
            raise NotFoundError(f"没有文档 {replaces}。", code="document_not_found")
        read = read_documents(upload.source)
        if not read:
            raise InputError("文档里没有正文。", code="document_without_text")
        source_id = upload.source.source_id
        ids = tuple(document.document_id for document in read)
        created = all(entry.source_id != source_id for entry in entries)
        gone = tuple(
            entry.document.document_id
            for entry in entries
            if entry.source_id in {each.source_id for each in old} - {source_id}
        )
        job = Job(
            f"job-{len(self._jobs) + 1}",
            "add",
            collection,
            "queued",
            source_id=source_id,
            document_ids=ids,
            created=created,
            replaced=gone,
            notes=upload.notes,
        )

        def work() -> Job:
            self._drop(collection, gone, ids)
            for document in read if created else ():
                self._enter(collection, document, upload.origin)
            return replace(job, state="done", done=len(read), total=len(read))

        return self._begin(job, work)

    def _begin(self, job: Job, work: Callable[[], Job]) -> Job:
        self._jobs[job.job_id] = job
        self._waiting[job.job_id] = work
        return job if self.hold else self.finish(job.job_id)

    def finish(self, job_id: str) -> Job:
        """End a job that is held."""
        work, error, self.fail = self._waiting[job_id], self.fail, None
        if error is None:
            job = work()
        else:
            failed = self._jobs[job_id]
            job = replace(failed, state="failed", error_code=error.code, error_message=error.message)
            job = replace(job, kept=True)
        with self._changed:
            self._jobs[job_id] = job
            self._changed.notify_all()
        return job

    def cancel(self, job_id: str) -> Job:
        job = self.job(job_id)
        if job.ended and job.state != "cancelled" and not job.kept:
            raise InputError("任务已经结束。", code="job_ended")
        self._waiting.pop(job_id, None)
        with self._changed:
            self._jobs[job_id] = replace(job, state="cancelled", kept=False, notes=(*job.notes, "已取消。"))
            self._changed.notify_all()
        return self._jobs[job_id]

    def retry(self, job_id: str) -> Job:
        job = self.job(job_id)
        if not job.kept:
            raise InputError("没有留下文字。", code="job_ended")
        with self._changed:
            self._jobs[job_id] = replace(job, state="queued", kept=False, error_code=None, error_message=None)
        return self._jobs[job_id] if self.hold else self.finish(job_id)

    def describe(self, collection: str, identifier: str, said: Said) -> tuple[str, ...]:
        meant = [
            entry
            for entry in self.entries(collection)
            if identifier in (entry.source_id, entry.document.document_id)
        ]
        if not meant:
            raise NotFoundError(f"没有文档 {identifier}。", code="document_not_found")
        source_id, source = meant[0].source_id, meant[0].document.source
        source = replace(source, metadata=said(source.metadata))
        ids = {
            entry.document.document_id for entry in self.entries(collection) if entry.source_id == source_id
        }
        read = [document for document in read_documents(source) if document.document_id in ids]
        origin = meant[0].origin
        self._held[collection] = [one for one in self._held[collection] if one.source_id != source_id]
        for document in read:
            self._enter(collection, document, origin)
        return tuple(document.document_id for document in read)

    def jobs(self) -> tuple[Job, ...]:
        return tuple(job for job in self._jobs.values() if not job.ended)

    def job(self, job_id: str) -> Job:
        if job_id not in self._jobs:
            raise NotFoundError(f"没有任务 {job_id}。", code="job_not_found")
        return self._jobs[job_id]

    def wait(self, job_id: str, seconds: float) -> Job:
        with self._changed:
            self._changed.wait_for(lambda: self.job(job_id).ended, seconds)
        return self.job(job_id)

    def remove(self, collection: str, identifier: str) -> Removed:
        gone = [
            entry
            for entry in self.entries(collection)
            if identifier in (entry.source_id, entry.document.document_id)
        ]
        if not gone:
            raise NotFoundError(f"没有文档 {identifier}。", code="document_not_found")
        ids = tuple(entry.document.document_id for entry in gone)
        self._drop(collection, ids, ())
        return Removed(gone[0].source_id, ids)

    def entries(self, collection: str, filters: Filters | None = None) -> tuple[Entry, ...]:
        if collection not in self._held:
            raise NotFoundError(f"没有名为 {collection} 的文库。", code="collection_not_found")
        return tuple(
            entry for entry in self._held[collection] if filters is None or filters.matches(entry.document)
        )

    def resolve(self, collection: str | None, claim: CitationClaim) -> Resolution:
        for name in self._held if collection is None else (collection,):
            for entry in self.entries(name):
                if entry.document.document_id == claim.document_id:
                    return place_of(entry.document, claim)
        if (taken := self._gone.get(claim.document_id)) is None:
            return Resolution("unknown", claim.document_id, "没有这个编号的文档。")
        if taken:
            return Resolution("changed", claim.document_id, "这篇文档已有新的版本。", replaced_by=taken)
        return Resolution("removed", claim.document_id, "这篇文档已从文库删除。")

    def reindex(self, collection: str, encoder: str | None) -> Job:  # noqa: ARG002 -- it has one encoder
        self.entries(collection)
        job = Job(f"job-{len(self._jobs) + 1}", "reindex", collection, "queued")
        return self._begin(job, lambda: replace(job, state="done"))

    def calibrate(self, collection: str, questions: Sequence[Any], *, keep: bool) -> Job:
        """Calibrate by the rule that every question helps; the first one is left out."""
        self.entries(collection)
        if not questions:
            raise InputError("题目太少。", code="invalid_questions")
        good = sum(one.get("type") != "unanswerable" for one in questions)
        bad = len(questions) - good
        scores = CalibrationScores(0.25, 0.5, 0.125, 1, 2, None)
        held = collection in self._calibrations
        made = Calibrated(collection, keep, True, held, good, bad, (1,), 0.5, 0.25, scores, scores)
        job = Job(f"job-{len(self._jobs) + 1}", "calibrate", collection, "queued", total=len(questions))

        def work() -> Job:
            if keep:
                kept = Calibration(collection, True, ADDED_AT, 2, good, bad, 0.5, 0.25)
                self._calibrations[collection] = kept
            return replace(job, state="done", done=len(questions), calibrated=made)

        return self._begin(job, work)

    def calibration(self, collection: str) -> Calibration | None:
        self.entries(collection)
        return self._calibrations.get(collection)

    def forget_calibration(self, collection: str) -> bool:
        self.entries(collection)
        return self._calibrations.pop(collection, None) is not None

    def close(self) -> None:
        self.closed = True

    def _enter(self, collection: str, document: Document, origin: str) -> None:
        self._sequence += 1
        source_id = document.source.source_id
        self._held[collection].append(Entry(document, source_id, origin, ADDED_AT, self._sequence))
        self._gone.pop(document.document_id, None)

    def _drop(self, collection: str, ids: Collection[str], successors: tuple[str, ...]) -> None:
        kept = [entry for entry in self._held[collection] if entry.document.document_id not in ids]
        self._held[collection] = kept
        self._gone |= dict.fromkeys(ids, successors)

    def _info(self, name: str) -> CollectionInfo:
        entries = self._held[name]
        sources = {entry.source_id for entry in entries}
        chunks = sum(len(entry.document.paragraphs) for entry in entries)
        return CollectionInfo(
            name, ADDED_AT, len(entries), len(sources), chunks, "fake", "general", self._sequence
        )


@contextmanager
def client_for(
    engine: FakeEngine | Library | None = None, settings: ApiSettings | None = None
) -> Iterator[TestClient]:
    """A client of an app whose engine, or library, is open."""
    app = create_app(lambda: engine or FakeEngine(), settings or ApiSettings())
    with TestClient(app) as client:
        slot: EngineSlot = app.state.engine_slot
        assert slot.wait(10)
        yield client
