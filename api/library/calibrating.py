"""Calibrate one collection with questions that a person has labelled, and keep what comes of it.

Works on the library of this machine, which it holds while it works: a service that runs on it has to be
stopped, but for a try (`keep=False`), which reads beside it. What is kept goes by the encoder's key, so that
after a change of encoder it is not found.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.engine_parts import EngineParts
from api.library.collection import LiveCollection
from api.library.labelled import LabelledQuestion, check_evidence, read_labelled
from api.library.loading import Told
from api.library.opening import open_store
from api.library.seeding import StoreTarget, follow_seeds
from api.library.snapshots import Snapshot, encoder_key
from index.store import Store
from rag.confidence.calibrating import LEAST_EACH, Labelled, Outcome, calibrate
from rag.engine import Engine
from rag.errors import InputError, NotFoundError
from rag.inputs import excerpt
from rag.settings import Settings

Judged = Callable[[int, int], None]
"""Told (questions judged, questions in all)."""


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What came of calibrating a collection.

    Attributes:
        collection: Its name.
        outcome: The correction and how it does.
        left_out: Lines of questions that typed parts of the page or a rule decide, uncorrected.
        kept: Whether it was stored.
        was_calibrated: Whether there was one before.
    """

    collection: str
    outcome: Outcome
    left_out: tuple[int, ...]
    kept: bool
    was_calibrated: bool


class Calibrating:
    """Calibrates collections of the library that the settings name.

    Args:
        settings: All of them.
        told: Told of texts that have to be encoded first.
        parts: Stand in for those that the settings name.

    Raises:
        ConfigError: If the settings name a generator or a model that does not exist.
    """

    def __init__(
        self, settings: Settings, told: Told | None = None, *, parts: EngineParts | None = None
    ) -> None:
        self._settings = settings
        self._told = told
        self._parts = parts or EngineParts(settings)

    def calibrate(
        self, collection: str, path: Path, *, keep: bool = True, judged: Judged = lambda _done, _total: None
    ) -> Calibrated:
        """Calibrate a collection; what makes its probabilities worse is not kept.

        Args:
            collection: Its name.
            path: The labelled questions.
            keep: Whether to store what is found.
            judged: Told of each question.

        Raises:
            InputError: If the file is wrong, too few questions are left, or their evidence is not there.
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_busy` if another process has the library and `keep` is set.
            CewenError: As opening the library.
        """
        questions = read_labelled(path)
        _check_counts(path, questions, 0)
        with open_store(self._settings, writable=True if keep else None) as store:
            snapshot = self._snapshot(store, collection)
            check_evidence(path, questions, (facts.source for facts in snapshot.facts.values()))
            used, labelled = _judge(snapshot.engine, questions, judged)
            _check_counts(path, used, len(questions) - len(used))
            outcome = calibrate(snapshot.engine.judging.basis, labelled)
            kept = keep and outcome.helps
            if kept:
                about = {
                    "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
                    "documents": len(snapshot.stamps),
                    "answerable": outcome.answerable,
                }
                key = encoder_key(snapshot.model.encoder)
                store.set_calibration(collection, key, outcome.correction.to_text(about))
        lines = {one.line for one in used}
        left_out = tuple(one.line for one in questions if one.line not in lines)
        return Calibrated(collection, outcome, left_out, kept, snapshot.correction is not None)

    def reset(self, collection: str) -> bool:
        """Forget a collection's calibration for the encoder it uses; whether there was one.

        Raises:
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_busy` if another process has the library.
            CewenError: As opening the library.
        """
        with open_store(self._settings, writable=True) as store:
            _check_there(store, collection)
            stored = store.collection(collection)
            model = self._parts.model(stored.encoder if stored else None)
            key = encoder_key(model.encoder)
            if store.calibration(collection, key) is None:
                return False
            store.set_calibration(collection, key, None)
            return True

    def _snapshot(self, store: Store, collection: str) -> Snapshot:
        _check_there(store, collection)
        if store.writable:
            follow_seeds(StoreTarget(store, self._parts, told=self._told), store, self._settings.seeds_dir)
        live = LiveCollection(store, collection, self._parts, self._settings.index_dir / collection)
        live.load(told=self._told)
        return live.snapshot


def _judge(
    engine: Engine, questions: Sequence[LabelledQuestion], judged: Judged
) -> tuple[list[LabelledQuestion], list[Labelled]]:
    """The questions that the judge decides, and what its model says of them."""
    used: list[LabelledQuestion] = []
    labelled: list[Labelled] = []
    for done, one in enumerate(questions, 1):
        judgement = engine.judging.judge(one.question, one.history)
        if judgement is not None and not judgement.places:
            used.append(one)
            labelled.append(Labelled(judgement.logit, one.answerable))
        judged(done, len(questions))
    return used, labelled


def _check_counts(path: Path, questions: Sequence[LabelledQuestion], left_out: int) -> None:
    answerable = sum(one.answerable for one in questions)
    counts = {"文库有答案的": answerable, "文库没有答案的": len(questions) - answerable}
    missing = [f"{kind}还差 {LEAST_EACH - n} 题" for kind, n in counts.items() if n < LEAST_EACH]
    if missing:
        why = f"（另有 {left_out} 题由版面信息或规则判定，不能用来标定）" if left_out else ""
        told = "，".join(f"{kind} {n} 题" for kind, n in counts.items())
        raise InputError(
            f"{path.name} 里{told}{why}；两种各要至少 {LEAST_EACH} 题。请补充：{'，'.join(missing)}。"
        )


def _check_there(store: Store, collection: str) -> None:
    if store.collection(collection) is None:
        raise NotFoundError(
            f"没有名为{excerpt(collection)}的文库。请用 cewen collections list 查看现有的。",
            code="collection_not_found",
        )
