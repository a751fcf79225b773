"""Libraries over an encoder one can compute, and texts of which each has a word that stands nowhere else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from api.engine_parts import EngineParts
from api.library.library import Library
from api.library.opening import open_library
from api.library.preparing import encode
from api.library.snapshots import Snapshot
from api.library_records import CitationClaim, Job, Upload
from rag.encoding.encoder import Progress, Vectors
from rag.engine import Engine
from rag.metadata import check_metadata
from rag.reading.decoding import source_from_text
from rag.records import DEFAULT_COLLECTION, Metadata, Source
from rag.rows import rows_of_source
from rag.settings import Settings
from tests.counting_encoder import CountingEncoder

WAIT_SECONDS = 30.0
QUESTIONS = ("茶树种在哪里", "水井有多深", "灯塔", "QX")


class WatchedEncoder(CountingEncoder):
    """Counts the passages it has encoded, and does what it is told before each call for some."""

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.encoded = 0
        self.before: Callable[[], None] = lambda: None

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.before()
        for done in range(len(texts) if progress else 0):
            assert progress
            progress(done, len(texts))
        self.encoded += len(texts)
        return super().encode_passages(texts, progress)


class Gate:
    """Holds whoever comes to it until it is opened."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.open.wait(WAIT_SECONDS)


def settings_of(folder: Path, **changes: Any) -> Settings:
    """Settings with everything below a folder; the seeds folder is made."""
    (folder / "seeds").mkdir(parents=True, exist_ok=True)
    given: dict[str, Any] = {
        "seeds_dir": folder / "seeds",
        "index_dir": folder / "index",
        "data_dir": folder / "data",
        "reader": "off",  # belongs to the bundled encoder
        "false_answer_rate": 1.0,
    }
    return Settings(**given | changes, _env_file=None)  # type: ignore[call-arg]


def opened(folder: Path, encoder: CountingEncoder | None = None, **options: Any) -> Library:
    """The library of a folder; options beyond those of opening it are settings."""
    known = ("writable", "sources", "may_encode", "afresh", "keep_writing", "told")
    given = {name: options.pop(name) for name in known if name in options}
    return open_library(settings_of(folder, **options), encoder=encoder or WatchedEncoder(), **given)


def word(number: int, essay: int = 1) -> str:
    """What stands in this essay and nowhere else."""
    return f"QX{number:04}Z{essay}"


def page(number: int, essays: int = 1) -> str:
    """A text of some essays."""
    return "\n".join(
        f"第{number}篇之{essay}\n\n■陆青山\n\n{word(number, essay)}是一口水井的名字，守灯塔的人都记得。"
        f"茶树种在山上，井深{number + 3}米，水从山上来。"
        "打水的人清早排队，挑着水桶往山下走，雨天也不例外。\n\n"
        f"{'雨季' if number % 2 else '盐田'}的来历要从船坞说起。{'茶船星水'[number % 4] * (essay + 1)}。\n"
        for essay in range(1, essays + 1)
    )


def source(number: int, essays: int = 1, **said: Any) -> Source:
    made = source_from_text(f"{number}.txt", page(number, essays))
    return replace(made, metadata=check_metadata(**said) if said else Metadata())


def upload(number: int, essays: int = 1, origin: str = "upload", **said: Any) -> Upload:
    return Upload(source(number, essays, **said), origin)


def source_id(number: int, essays: int = 1) -> str:
    return source(number, essays).sha256[:12]


def ids_of(number: int, essays: int = 1) -> tuple[str, ...]:
    return tuple(f"{source_id(number, essays)}-{essay}" for essay in range(1, essays + 1))


def write_seed(folder: Path, number: int, essays: int = 1, name: str = "") -> None:
    (folder / "seeds").mkdir(parents=True, exist_ok=True)
    (folder / "seeds" / (name or f"{number}.txt")).write_text(page(number, essays), "utf-8")


def done(library: Library, job: Job) -> Job:
    """The job at its end, which is a good one."""
    ended = library.wait(job.job_id, WAIT_SECONDS)
    assert ended.state == "done", ended
    return ended


def added(
    library: Library, *uploads: Upload, collection: str = "default", replaces: str | None = None
) -> Job:
    """Add texts one after the other; the last job."""
    for each in uploads:
        job = done(library, library.add(collection, each, replaces=replaces))
    return job


def settled(library: Library) -> list[Job]:
    return [library.wait(job.job_id, WAIT_SECONDS) for job in library.jobs()]


def listed(library: Library, collection: str = "default") -> list[str]:
    return [entry.document.document_id for entry in library.entries(collection)]


def hits(engine: Engine, question: str, top_k: int = 10) -> list[tuple[str, str, float]]:
    return [(hit.chunk.chunk_id, hit.chunk.text, hit.score) for hit in engine.search(question, top_k=top_k)]


def is_found(engine: Engine, number: int, essay: int = 1) -> bool:
    return any(word(number, essay) in text for _, text, _ in hits(engine, word(number, essay)))


def claim(library: Library, number: int, essay: int = 1, collection: str = "default") -> CitationClaim:
    """A citation of what a search for an essay's word finds."""
    hit = library.engine(collection).search(word(number, essay), top_k=1)[0]
    span, text = hit.chunk.span, hit.document.source.text
    quote = text[span.start_char : span.end_char]
    assert word(number, essay) in quote
    return CitationClaim(
        hit.document.document_id, span.start_char, span.end_char, hit.document.source.sha256, quote
    )


def scratch(parts: EngineParts, held: Iterable[tuple[Source, Sequence[int]]]) -> Engine:
    """An engine over these sources' live essays that has never known anything else, nor a store."""
    rows = [
        row
        for one, live in held
        for number, row in enumerate(rows_of_source(one, chunk_max_chars=parts.settings.chunk_max_chars), 1)
        if number in live
    ]
    model = parts.model()
    made = encode(rows, model.encoder) if rows else []
    return Snapshot.empty(parts, DEFAULT_COLLECTION, model).changed(added=made, facts={}, sequence=1).engine


def everything(engine: Engine) -> list[object]:
    """What an engine says, to be compared with what another one says."""
    answers = [engine.ask(question) for question in QUESTIONS[:2]]
    return [
        [document.document_id for document in engine.documents()],
        [hits(engine, question) for question in QUESTIONS],
        [replace(answer, answer_id="", timings_ms={}) for answer in answers],
    ]


def closed_while_encoding(library: Library, gate: Gate) -> None:
    """Close a library whose encoder stands at a gate, and open the gate once it is closing."""
    assert gate.reached.wait(WAIT_SECONDS)
    closing = threading.Thread(target=library.close)
    closing.start()
    while not library._jobs.closing:  # nothing tells of it from outside
        pass
    gate.open.set()
    closing.join(WAIT_SECONDS)
    assert not closing.is_alive()
