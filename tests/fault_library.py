"""A library for the fault suite: invented texts, quick encoders, small thresholds, and what must hold of it.

`Model` says what a library must hold after a list of operations; `agree` opens the real one and compares. A
text is named by its number alone, so that any process can make it again.
"""

from __future__ import annotations

import copy
import hashlib
import math
import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

import api.engine_parts
from api.engine_parts import EngineParts
from api.library import generations, preparing, snapshots
from api.library.library import Library
from api.library.lookup import rows_of_upload
from api.library.maintenance import check
from api.library.opening import open_library, store_folder
from api.library.preparing import encode, index_rows
from api.library_records import CitationClaim, Upload
from index.check import check_generation
from index.segments import LiveIndex
from rag.corpus import Corpus
from rag.encoding.encoder import Encoder, Progress, Vectors
from rag.engine import Engine
from rag.errors import NotFoundError
from rag.metadata import check_metadata
from rag.reading.decoding import source_from_text
from rag.records import Source
from rag.settings import Settings
from tests.counting_encoder import CHARACTERS, CountingEncoder

Operation = dict[str, Any]
"""What is done to a library: "do" names it, the rest is its arguments; JSON."""

SEEDS = (1, 2, 3)
"""Numbers of the texts in the seeds folder."""
ENCODERS = ("fake-a", "fake-b")
WAIT_SECONDS = 60.0

_AUTHORS = ("陆青山", "周海生", "冯远帆")
_WORDS = ("茶园", "船坞", "星图", "水井", "山路", "灯塔", "书院", "米仓", "盐田", "雨季")


class FakeEncoder(CountingEncoder):
    """Counts the same characters, each with a weight of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        weights = np.frombuffer(hashlib.sha256(name.encode()).digest()[: len(CHARACTERS)], np.uint8)
        self._weights = weights.astype(np.float32) / 256 + 0.5

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        rows = super().encode_queries(texts) * self._weights
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        for done in range(len(texts) if progress else 0):
            assert progress
            progress(done, len(texts))
        return self.encode_queries(texts)


def _fake(_: Settings, name: str | None = None) -> Encoder:
    return FakeEncoder(str(name))


@contextmanager
def small() -> Iterator[None]:
    """Inside, a few documents are many: generations are written, holes closed and batches cut early."""
    changes: tuple[tuple[Any, str, Any], ...] = (
        (generations, "_TAIL_ROWS", 6),
        (snapshots, "_MANY_DEAD_ROWS", 10),
        (preparing, "_BATCH_TEXTS", 12),
        (api.engine_parts, "load_encoder", _fake),
    )
    before = [getattr(module, name) for module, name, _ in changes]
    for module, name, value in changes:
        setattr(module, name, value)
    try:
        yield
    finally:
        for (module, name, _), value in zip(changes, before, strict=True):
            setattr(module, name, value)


@lru_cache(maxsize=8)
def settings_of(folder: Path) -> Settings:
    return Settings(  # type: ignore[call-arg]
        seeds_dir=folder / "seeds",
        index_dir=folder / "index",
        data_dir=folder / "data",
        reader="off",  # belongs to the bundled encoder
        false_answer_rate=1.0,
        _env_file=None,
    )


def make_place(folder: Path) -> Path:
    """A folder with seeds, and nothing else yet."""
    (folder / "seeds").mkdir(parents=True)
    for number in SEEDS:
        (folder / "seeds" / f"{number}.txt").write_text(made_text(number), encoding="utf-8")
    return folder


def opened(folder: Path, *, writable: bool = True) -> Library:
    return open_library(settings_of(folder), encoder=CountingEncoder(), writable=writable)


def documents_in(number: int) -> int:
    """How many documents a text has: one to three."""
    return 1 + number % 3


def token(number: int, document: int) -> str:
    """A word that stands in this document and nowhere else."""
    return f"QX{number:05}Z{document}"


def made_text(number: int) -> str:
    rnd = random.Random(number)  # noqa: S311 - the same for the same number
    parts = []
    for document in range(1, documents_in(number) + 1):
        one, other, third = rnd.sample(_WORDS, 3)
        parts.append(
            f"{one}和{other}第{number}篇\n\n■{rnd.choice(_AUTHORS)}\n\n"
            f"{one}的编号是{token(number, document)}，守{other}的人都记得。"
            f"{third}去年修了{rnd.randint(2, 90)}次，今年还要再修。\n\n"
            f"{other}的来历要从{third}说起。{'水从山上来，' * rnd.randint(1, 6)}人们这样说。\n\n"
            f"（作者单位：{third}学校）\n"
        )
    return "\n".join(parts)


def source_id(number: int) -> str:
    return hashlib.sha256(made_text(number).encode()).hexdigest()[:12]


def upload_of(operation: Operation) -> Upload:
    number = operation["number"]
    source = source_from_text(f"{number}.txt", made_text(number))
    metadata = check_metadata(title=operation.get("title"), tags=operation.get("tags", ()))
    return Upload(Source(source.name, source.text, source.sha256, metadata=metadata))


@dataclass(frozen=True)
class Held:
    """A source that is there."""

    number: int
    title: str | None = None
    tags: tuple[str, ...] = ()
    origin: str = "upload"
    live: tuple[int, ...] = ()

    @classmethod
    def whole(cls, number: int, **said: Any) -> Held:
        return cls(number, live=tuple(range(1, documents_in(number) + 1)), **said)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(f"{source_id(self.number)}-{one}" for one in self.live)


@dataclass
class Model:
    """What a library holds: for each collection its sources in order, and the encoder."""

    sources: dict[str, list[Held]] = field(default_factory=lambda: {"default": []})
    encoders: dict[str, str] = field(default_factory=lambda: {"default": "counting"})
    gone: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)
    cancelled: frozenset[int] = frozenset()

    @classmethod
    def fresh(cls) -> Model:
        made = cls()
        made.sources["default"] = [Held.whole(number, origin="seeds") for number in SEEDS]
        return made

    def applied(self, operation: Operation) -> Model:
        """The next state; this one stays."""
        after = copy.deepcopy(self)
        name = operation.get("collection", "default")
        match operation["do"]:
            case "add":
                after._add(name, operation)
            case "cancel":
                after.cancelled |= {operation["number"]}
            case "remove":
                after._remove(name, operation["id"])
            case "create":
                after.sources[name], after.encoders[name] = [], "counting"
            case "drop" if name == "default":
                for held in list(after.sources[name]):
                    after._remove(name, source_id(held.number))
            case "drop":
                del after.sources[name], after.encoders[name]
                after.gone = {key: place for key, place in after.gone.items() if key[0] != name}
            case "reindex":
                after.encoders[name] = operation["encoder"]
        return after

    def synced(self, *, gone: int, new: int) -> Model:
        """The next state after a start with one text less in the seeds folder, and one more."""
        after = self.applied({"do": "remove", "id": source_id(gone)})
        after.sources["default"].append(Held.whole(new, origin="seeds"))
        return after

    def documents(self) -> Iterator[tuple[str, Held, int]]:
        """Every document: collection, source, number."""
        for name, sources in self.sources.items():
            for held in sources:
                yield from ((name, held, one) for one in held.live)

    def _add(self, name: str, operation: Operation) -> None:
        new = Held.whole(
            operation["number"], title=operation.get("title"), tags=tuple(operation.get("tags", ()))
        )
        replaced = operation.get("replaces")
        here = self.sources[name]
        known = next((one for one in here if one.number == new.number), None)
        if known is not None:  # what nothing is said about stays, and so does whose it is
            said = new if new.title or new.tags else known
            new = Held(new.number, said.title, said.tags, known.origin, new.live)
        old = next((one for one in here if replaced in (source_id(one.number), *one.ids)), None)
        if new in here and (old is None or old.number == new.number):
            return
        if old is not None and known is None and not (new.title or new.tags):  # said of what gives way
            new = Held(new.number, old.title, old.tags, new.origin, new.live)
        if old is not None and old.number != new.number:
            self._remove(name, source_id(old.number))
        self.sources[name] = [one for one in self.sources[name] if one.number != new.number] + [new]
        for document_id in new.ids:
            self.gone.pop((name, document_id), None)

    def _remove(self, name: str, identifier: str) -> None:
        kept = []
        for held in self.sources[name]:
            whole = identifier == source_id(held.number)
            lost = [one for one in held.live if whole or f"{source_id(held.number)}-{one}" == identifier]
            for one in lost:
                self.gone[name, f"{source_id(held.number)}-{one}"] = held.number, one
            live = tuple(one for one in held.live if one not in lost)
            if live:
                kept.append(Held(held.number, held.title, held.tags, held.origin, live))
        self.sources[name] = kept


def check_text(source: Source, live: Sequence[int]) -> None:
    """A text must be the one of its number, but for documents of it that were removed, which are blank."""
    number = int(source.name.removesuffix(".txt"))
    made = made_text(number)
    whole = list(source.text)
    for start, end in source.blanked:
        whole[start:end] = made[start:end]
    assert "".join(whole) == made, f"wrong text under {source.source_id}"
    for one in range(1, documents_in(number) + 1):
        assert (token(number, one) in source.text) == (one in live), (source.source_id, one, live)


def found_in(library: Library) -> tuple[dict[str, list[Held]], dict[str, str]]:
    """What a library says it holds, each text compared with what it must be."""
    sources: dict[str, list[Held]] = {}
    infos = library.collections()
    for info in infos:
        held: dict[str, Held] = {}
        texts: list[Source] = []
        for entry in library.entries(info.name):
            source = entry.document.source
            texts.append(source)
            number = int(source.name.removesuffix(".txt"))
            before = held[entry.source_id].live if entry.source_id in held else ()
            live = (*before, int(entry.document.document_id.rpartition("-")[2]))
            said = source.metadata
            held[entry.source_id] = Held(number, said.title, said.tags, entry.origin, live)
        for source in texts:
            check_text(source, held[source.source_id].live)
        sources[info.name] = list(held.values())
    return sources, {info.name: info.encoder for info in infos}


def settled(library: Library) -> None:
    """Wait until nothing is being done."""
    for job in library.jobs():
        if job.kept:  # set aside after two kills: not lost, and there as soon as somebody asks
            library.retry(job.job_id)
        ended = library.wait(job.job_id, WAIT_SECONDS)
        assert ended.ended, ended


def agree(
    folder: Path, candidates: Sequence[Model], *, whole: bool = False, index_damaged: bool = False
) -> Model:
    """Open a library and compare it with what it may be; everything about it must be sound.

    Args:
        folder: Where it lies.
        candidates: What it may hold, likeliest first.
        whole: Whether to compare it with a library too that was never anything else, written to disk as well.
        index_damaged: Whether its index may be damaged; whatever kills a process does not do that.

    Returns:
        The candidate that it is.

    Raises:
        AssertionError: If it is none, or anything is wrong with it.
    """
    with small():
        if not index_damaged and (folder / "index").exists():
            unsound = [check_generation(place) for place in sorted((folder / "index").iterdir())]
            assert not any(unsound), unsound
        with opened(folder) as library:
            settled(library)
            model = _the_one(library, candidates)
            for name, held, one in model.documents():
                _is_found(library, name, held, one)
            for (name, document_id), (number, one) in model.gone.items():
                _is_not_found(library, name, document_id, token(number, one))
            for name in model.sources:
                _searches_like(library, _fresh_engine(model, name), name)
            if whole:
                _searches_like_new(library, model)
        findings = list(check(settings_of(folder)))
        assert findings == [], findings
    _is_erased(folder, model)
    return model


def _the_one(library: Library, candidates: Sequence[Model]) -> Model:
    found = found_in(library)
    for model in candidates:
        if found == (model.sources, model.encoders):
            return model
    wanted = "\n  or ".join(str((model.sources, model.encoders)) for model in candidates)
    raise AssertionError(f"found\n     {found}\nwanted\n     {wanted}")


def _is_found(library: Library, name: str, held: Held, one: int) -> None:
    document_id = f"{source_id(held.number)}-{one}"
    engine = library.engine(name)
    hits = engine.search(token(held.number, one), top_k=3)
    assert hits, (name, document_id)
    assert hits[0].document.document_id == document_id
    assert token(held.number, one) in hits[0].chunk.text
    for hit in hits:
        span, text = hit.chunk.span, hit.document.source.text
        assert bare(text[span.start_char : span.end_char]) == bare(hit.chunk.text)
    if one == 1 and held.number % 2:  # answering takes longer
        answer = engine.ask(f"{token(held.number, one)}是什么的编号？")
        for citation in answer.citations:
            text = engine.document(citation.document_id).source.text
            assert bare(text[citation.start_char : citation.end_char]) == bare(citation.quote)
            claim = CitationClaim(
                citation.document_id, citation.start_char, citation.end_char, quote=citation.quote
            )
            assert library.resolve(name, claim).status == "current"


def _is_not_found(library: Library, name: str, document_id: str, word: str) -> None:
    engine = library.engine(name)
    assert all(document_id != hit.document.document_id for hit in engine.search(word, top_k=5))
    assert library.resolve(name, CitationClaim(document_id, 0, 5)).status in ("removed", "changed")
    try:
        library.live(name).check_there(document_id)
    except NotFoundError:
        return
    raise AssertionError(f"{document_id} is still there")


def _searches_like_new(library: Library, model: Model) -> None:
    """Scores must be those of a library that has never held anything else."""
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "seeds").mkdir()
        with opened(Path(place)) as fresh:
            for name, sources in model.sources.items():
                if name != "default":
                    fresh.create_collection(name)
                for held in sources:
                    added = fresh.add(name, upload_of(_as_operation(held)))
                    assert fresh.wait(added.job_id, WAIT_SECONDS).state == "done"
                    for one in set(range(1, documents_in(held.number) + 1)) - set(held.live):
                        fresh.remove(name, f"{source_id(held.number)}-{one}")
                if model.encoders[name] != "counting":
                    job = fresh.reindex(name, model.encoders[name])
                    assert fresh.wait(job.job_id, WAIT_SECONDS).state == "done"
                _searches_like(library, fresh.engine(name), name)


@cache
def _parts() -> EngineParts:
    # Settings differ in their folders only, and those are not looked at here.
    return EngineParts(settings_of(Path()), encoder=CountingEncoder())


def _fresh_engine(model: Model, name: str) -> Engine:
    """An engine over rows and an index that were made in one go from the model's documents."""
    parts = _parts()
    encoder = parts.model(model.encoders[name].replace("counting", "") or None)
    rows = []
    for held in model.sources[name]:
        made = rows_of_upload(upload_of(_as_operation(held)), parts.settings)
        rows += [made[one - 1] for one in held.live]
    corpus, index = Corpus.empty(), LiveIndex.empty(encoder.encoder.dimension)
    if rows:
        corpus = corpus.extended(rows)
        index = index.extended(index_rows(encode(rows, encoder.encoder)))
    return parts.engine(corpus, index, encoder, collection=name, index_fingerprint="fresh")


def _searches_like(library: Library, fresh: Engine, name: str) -> None:
    for question in ("茶园的编号是多少", "水从山上来", "灯塔的来历"):
        assert _hits(library.engine(name), question) == _hits(fresh, question), (name, question)


def _as_operation(held: Held) -> Operation:
    return {"do": "add", "number": held.number, "title": held.title, "tags": list(held.tags)}


def _hits(engine: Engine, question: str) -> list[tuple[str, str, float]]:
    hits = engine.search(question, top_k=10)
    assert all(math.isfinite(hit.score) for hit in hits)
    return [(hit.chunk.chunk_id, hit.chunk.text, hit.score) for hit in hits]


def _is_erased(folder: Path, model: Model) -> None:
    """Deleted text is in no file of the store any more, once it has been closed."""
    here = {held.number for sources in model.sources.values() for held in sources}
    gone = ({number for number, _ in model.gone.values()} | model.cancelled) - here
    stored = b"".join(
        path.read_bytes() for path in store_folder(settings_of(folder)).glob("library.sqlite3*")
    )
    for number in gone:
        assert token(number, 1).encode() not in stored, f"the text of {number} is still in the file"


def bare(text: str) -> str:
    """Without white space."""
    return "".join(text.split())
