"""A library against a plain list of texts: whatever is done to it, it holds what the list says."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from api.engine_parts import EngineParts
from api.library import generations, preparing, snapshots
from api.library.library import Library
from api.library.maintenance import check
from api.library_records import CitationClaim
from rag.errors import NotFoundError
from rag.metadata import check_metadata
from rag.records import Source
from tests.counting_encoder import CountingEncoder
from tests.library_samples import (
    QUESTIONS,
    WatchedEncoder,
    added,
    claim,
    hits,
    ids_of,
    opened,
    page,
    scratch,
    settings_of,
    source,
    source_id,
    upload,
    word,
)

NUMBERS = st.integers(0, 6)
SMALL = ((snapshots, "_MANY_DEAD_ROWS", 3), (generations, "_TAIL_ROWS", 6), (preparing, "_BATCH_TEXTS", 9))


@contextmanager
def small() -> Iterator[None]:
    """Inside, a few rows are many: holes are closed, generations written, batches cut early."""
    before = [(module, name, getattr(module, name)) for module, name, _ in SMALL]
    for module, name, value in SMALL:
        setattr(module, name, value)
    try:
        yield
    finally:
        for module, name, value in before:
            setattr(module, name, value)


def essays_of(number: int) -> int:
    return 1 + number % 3


@dataclass
class Held:
    """A text of the list."""

    number: int
    title: str | None
    origin: str
    live: list[int] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [f"{source_id(self.number, essays_of(self.number))}-{one}" for one in self.live]


def shown(held: Held) -> str:
    """The text of a source with white space where the essays stand that were removed."""
    text = ""
    for essay in range(1, essays_of(held.number) + 1):
        own = page(held.number, essay)[len(page(held.number, essay - 1)) :]
        text += own if essay in held.live else re.sub(r"\S", " ", own)
    return text


class LibraryMachine(RuleBasedStateMachine):
    """What is done to a library and to the list alike."""

    @initialize()
    def start(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.small = small()
        self.small.__enter__()
        self.parts = EngineParts(settings_of(self.folder), encoder=CountingEncoder())
        self.held: list[Held] = []
        self.gone: set[str] = set()
        self.claims: dict[str, CitationClaim] = {}
        self.encoder = WatchedEncoder()
        self.library = opened(self.folder, self.encoder)
        self.reader = opened(self.folder, writable=False)

    def teardown(self) -> None:
        if not hasattr(self, "library"):
            return
        try:
            self.reader.close()
            self.library.close()
            assert list(check(settings_of(self.folder))) == []
        finally:
            self.small.__exit__(None, None, None)
            shutil.rmtree(self.folder)

    @rule(number=NUMBERS, title=st.sampled_from([None, "井"]), origin=st.sampled_from(["upload", "sync:/a"]))
    def add(self, number: int, title: str | None, origin: str) -> None:
        self._put(number, title, origin, None)

    @precondition(lambda self: self.held)
    @rule(number=NUMBERS, data=st.data())
    def replace(self, number: int, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.held))
        whole = source_id(old.number, essays_of(old.number))
        self._put(number, None, "upload", (old, data.draw(st.sampled_from([whole, *old.ids]))))

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.held))
        one = data.draw(st.sampled_from([None, *old.live]))
        whole = source_id(old.number, essays_of(old.number))
        goes = old.ids if one is None else [f"{whole}-{one}"]
        removed = self.library.remove("default", whole if one is None else goes[0])
        assert (removed.source_id, list(removed.document_ids)) == (whole, goes)
        self._take(old, goes)

    @precondition(lambda self: self.held)
    @rule(title=st.sampled_from([None, "井", "塔"]), data=st.data())
    def describe(self, title: str | None, data: st.DataObject) -> None:
        old = data.draw(st.sampled_from(self.held))
        texts = self.encoder.encoded
        identifier = data.draw(st.sampled_from(old.ids))
        self.library.describe("default", identifier, lambda _: check_metadata(title=title))
        assert self.encoder.encoded == texts
        if title != old.title:
            self.held.remove(old)
            self.held.append(Held(old.number, title, old.origin, old.live))

    @rule()
    def empty(self) -> None:
        self.library.remove_collection("default")
        for old in list(self.held):
            self._take(old, old.ids)

    @rule()
    def write(self) -> None:
        self.library.live().write_generation(always=True)

    @rule()
    def restart(self) -> None:
        before = self.library.live().snapshot
        self.library.close()
        self.encoder = WatchedEncoder()
        self.library = opened(self.folder, self.encoder)
        assert self.encoder.encoded == 0
        after = self.library.live().snapshot
        assert (after.fingerprint, after.facts, after.sequence, list(after.stamps)) == (
            before.fingerprint,
            before.facts,
            before.sequence,
            list(before.stamps),
        )

    @rule()
    def another_reader(self) -> None:
        self.reader.close()
        self.reader = opened(self.folder, writable=False)

    @invariant()
    def holds_what_the_list_says(self) -> None:
        if not hasattr(self, "library"):
            return
        wanted = [(one, old.title, old.origin, shown(old)) for old in self.held for one in old.ids]
        fresh = scratch(self.parts, [(self._source(old), old.live) for old in self.held])
        for library in (self.library, self.reader):
            entries = library.entries("default")
            assert [
                (
                    entry.document.document_id,
                    entry.document.source.metadata.title,
                    entry.origin,
                    entry.document.source.text,
                )
                for entry in entries
            ] == wanted
            assert [entry.sequence for entry in entries] == sorted(entry.sequence for entry in entries)
            engine = library.engine()
            assert [document.document_id for document in engine.documents()] == [one for one, *_ in wanted]
            asked = [*QUESTIONS[:2], *(word(old.number, old.live[-1]) for old in self.held[-2:])]
            assert [hits(engine, question) for question in asked] == [
                hits(fresh, question) for question in asked
            ]
            for old in self.held[-2:]:
                (best, *_) = hits(engine, word(old.number, old.live[-1]))
                assert word(old.number, old.live[-1]) in best[1]
            self._resolves(library)

    def _resolves(self, library: Library) -> None:
        here = {one for old in self.held for one in old.ids}
        for document_id, cited in self.claims.items():
            told = library.resolve("default", cited)
            if document_id in here:
                assert (told.status, told.quote, told.found_in) == ("current", cited.quote, document_id)
            else:
                assert document_id in self.gone
                assert told.status in ("removed", "changed")
                assert set(told.replaced_by) <= here
                assert told.quote is None  # every text has words of its own
                try:
                    library.live().check_there(document_id)
                except NotFoundError:
                    continue
                raise AssertionError(document_id)

    def _put(self, number: int, title: str | None, origin: str, replaces: tuple[Held, str] | None) -> None:
        said = {"title": title} if title else {}
        old = replaces[0] if replaces and replaces[0].number != number else None
        same = next((one for one in self.held if one.number == number), None)
        # What nothing is said of stays as it was, or as it was of what gives way; what was uploaded goes to
        # whoever names an origin.
        before = same or old
        kept = before.title if before and title is None else title
        whose = same.origin if same and origin == "upload" else origin
        new = Held(number, kept, whose, list(range(1, essays_of(number) + 1)))
        missing = set(new.ids) - set(same.ids if same else [])
        texts = self.encoder.encoded
        job = added(
            self.library,
            upload(number, essays_of(number), origin, **said),
            replaces=replaces[1] if replaces else None,
        )
        assert job.document_ids == ids_of(number, essays_of(number))
        assert job.created == bool(missing)
        assert set(job.replaced) == set(old.ids if old else [])
        assert bool(missing) == (self.encoder.encoded > texts)
        if old is not None:
            self._take(old, old.ids)
        if old is not None or same != new:
            self.held = [one for one in self.held if one.number != number] + [new]
        for essay, document_id in enumerate(new.ids, 1):
            self.gone.discard(document_id)
            if document_id not in self.claims:
                self.claims[document_id] = claim(self.library, number, essay)

    def _take(self, old: Held, ids: list[str]) -> None:
        self.gone |= set(ids)
        old.live = [
            one for one in old.live if f"{source_id(old.number, essays_of(old.number))}-{one}" not in ids
        ]
        if not old.live:
            self.held.remove(old)

    def _source(self, old: Held) -> Source:
        said = {"title": old.title} if old.title else {}
        return source(old.number, essays_of(old.number), **said)


TestLibrary = LibraryMachine.TestCase
TestLibrary.settings = hypothesis_settings(max_examples=8, stateful_step_count=12, deadline=None)
