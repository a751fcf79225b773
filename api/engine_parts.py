"""What all engines of a process share, opened once: encoders, readers, fitted models, generators.

An engine is put together anew whenever its corpus changes; nothing here may cost more then than a few
milliseconds.
"""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from rag.answering.citations import SourceLinks
from rag.answering.extractive import EXTRACTIVE, ExtractiveGenerator
from rag.answering.generator import AnswerGenerator
from rag.answering.plugins import load_plugins
from rag.confidence.correction import Correction
from rag.confidence.judge import Judge
from rag.confidence.model import shipped_models
from rag.confidence.reader import BundledReader, Reader, load_bundled_reader
from rag.corpus import Corpus
from rag.encoding.encoder import BUNDLED_ENCODER, Encoder, SentenceTransformerEncoder, model_place
from rag.engine import Engine, EngineOptions
from rag.errors import ConfigError
from rag.llm.openai import OPENAI, open_openai_generator
from rag.llm.prompting import ANSWER_PROMPT
from rag.llm.rewriting import open_followup_rewriter
from rag.ranking.arms import SearchIndex
from rag.ranking.background import shipped_background
from rag.ranking.model import shipped_model
from rag.retrieval import Retriever
from rag.settings import Settings
from rag.structure import Structure

_SWEEP_SECONDS = 1.0


def load_encoder(settings: Settings, name: str | None = None) -> Encoder:
    """The encoder of that name, or the one that the settings name.

    Only the latter may be downloaded: another name may come in a request, which must not make us fetch.
    """
    wanted = name or settings.encoder
    offline = wanted != settings.encoder
    return SentenceTransformerEncoder(wanted, settings.cache_dir, settings.threads, offline=offline)


def open_reader(settings: Settings, encoder: Encoder) -> Reader | None:
    """The reader that the settings name, over the encoder's own transformer where that is the bundled one."""
    if settings.reader == "off":
        return None
    if isinstance(encoder, SentenceTransformerEncoder) and encoder.name == BUNDLED_ENCODER:
        return BundledReader(encoder.transformer, encoder.tokenizer)
    return load_bundled_reader(settings.cache_dir)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Model:
    """An encoder that is loaded, and the reader that goes with it."""

    encoder: Encoder
    reader: Reader | None


class EngineParts:
    """Makes engines. Safe to call from threads.

    Args:
        settings: All of them.
        encoder: Stands in for the encoder that the settings name.
        reader: Stands in for the reader that the settings name.

    Raises:
        ConfigError: If the settings name a generator or a model that does not exist.
    """

    def __init__(
        self, settings: Settings, *, encoder: Encoder | None = None, reader: Reader | None = None
    ) -> None:
        self.settings = settings
        self._given_reader = reader
        self._lock = threading.Lock()
        self._models: dict[str, Model] = {}
        # What no collection uses any more; here as long as somebody still works with it.
        self._forgotten: weakref.WeakValueDictionary[str, Model] = weakref.WeakValueDictionary()
        self._given = None if encoder is None else self._model(encoder)
        if self._given is not None:
            self._models[settings.encoder] = self._given
        self._generators = _generators(settings)
        self._rewriter = open_followup_rewriter(settings)

    def model(self, encoder: str | None = None) -> Model:
        """A loaded model by the encoder's name; None for the one that the settings name.

        Names that mean the same (a folder by several paths) share what is loaded.

        Raises:
            EncoderError: If it cannot be loaded.
        """
        name = encoder or self.settings.encoder
        if (known := self._models.get(name)) is not None:  # past the lock: another may take long to load
            return known
        with self._lock:
            if name not in self._models:
                self._models[name] = self._forgotten.get(name) or self._same(name) or self._opened(name)
            return self._models[name]

    def keep_only(self, encoders: Iterable[str | None]) -> None:
        """Forget all models but these; whoever works with another keeps it until he is done.

        Args:
            encoders: Names that collections use; None for the one that the settings name.
        """
        used = {encoder or self.settings.encoder for encoder in encoders}
        with self._lock:
            for name in self._models.keys() - used:
                if self._models[name] is not self._given:  # which could not be opened again
                    forgotten = self._forgotten[name] = self._models.pop(name)
                    weakref.finalize(forgotten, _sweep_soon).atexit = False

    def engine(
        self,
        corpus: Corpus,
        index: SearchIndex,
        model: Model,
        *,
        collection: str,
        index_fingerprint: str,
        correction: Correction | None = None,
    ) -> Engine:
        """An engine over an index that is open already, made with that model's encoder."""
        settings, encoder = self.settings, model.encoder
        links = SourceLinks(settings.public_url, collection)
        generators = self._generators | {EXTRACTIVE: ExtractiveGenerator(corpus, Structure(corpus))}
        judge = Judge(
            index.chunk_terms,
            shipped_models(),
            model.reader,
            knows_encoder=shipped_background(encoder.name).is_known,
            false_answer_rate=settings.false_answer_rate,
            names=corpus.names,
            correction=correction,
        )
        ranking = shipped_model()
        retriever = Retriever(
            corpus,
            index,
            encoder,
            ranking,
            candidates_per_arm=settings.candidates_per_arm,
            links=links,
        )
        options = EngineOptions(
            answer_max_chars=settings.answer_max_chars,
            generator=settings.generator,
            described={
                "candidates_per_arm": settings.candidates_per_arm,
                "ranking": ranking.provenance,
                "generators": _described(settings, generators),
            },
        )
        return Engine(
            corpus,
            retriever,
            judge,
            generators,
            options,
            index_fingerprint=index_fingerprint,
            links=links,
            rewriter=self._rewriter,
            count_tokens=encoder.count_tokens,
        )

    def _opened(self, name: str) -> Model:
        return self._model(load_encoder(self.settings, name))

    def _same(self, name: str) -> Model | None:
        """A loaded model that the name means too, under that name."""
        cache_dir = self.settings.cache_dir
        place = model_place(name, cache_dir)
        for known, model in self._loaded():
            encoder = model.encoder
            if not isinstance(encoder, SentenceTransformerEncoder) or model is self._given:
                continue  # not loaded here, or by that name
            if model_place(known, cache_dir) == place:
                return replace(model, encoder=encoder.under(name))
        return None

    def _model(self, encoder: Encoder) -> Model:
        if self._given_reader is not None:
            return Model(encoder, self._given_reader)
        if encoder.name == BUNDLED_ENCODER:  # its layers are there already
            return Model(encoder, open_reader(self.settings, encoder))
        # There is one reader, whatever the encoder.
        loaded = (model.reader for _, model in self._loaded())
        reader = next((one for one in loaded if one is not None), None)
        return Model(encoder, reader or open_reader(self.settings, encoder))

    def _loaded(self) -> list[tuple[str, Model]]:
        return [*self._models.items(), *self._forgotten.items()]


def _sweep_soon() -> None:
    """Give back the memory of a model that nobody uses any more: it refers to itself in circles."""
    # Not now: what is just going still holds it.
    timer = threading.Timer(_SWEEP_SECONDS, _sweep)
    timer.daemon = True
    timer.start()


def _sweep() -> None:
    """Collect circles, also among what a service passes over for ever from its start on (`gc.freeze`)."""
    frozen = gc.get_freeze_count()
    gc.unfreeze()
    gc.collect()
    if frozen:
        gc.freeze()


def _generators(settings: Settings) -> dict[str, AnswerGenerator]:
    """Every generator but the extractive one, which belongs to a corpus, by name."""
    generators: dict[str, AnswerGenerator] = {}
    if model := open_openai_generator(settings):
        generators[model.name] = model
    generators |= load_plugins((EXTRACTIVE, OPENAI), needed=settings.generator)
    known = {EXTRACTIVE, *generators}
    if settings.generator not in known:
        hint = "openai 要先设 CEWEN_LLM_URL 和 CEWEN_LLM_MODEL。" if settings.generator == OPENAI else ""
        raise ConfigError(
            f"CEWEN_GENERATOR={settings.generator!r} 不存在，可用的有：{'、'.join(sorted(known))}。{hint}"
        )
    return generators


def _described(settings: Settings, generators: Mapping[str, AnswerGenerator]) -> dict[str, str | None]:
    """What decides the text of each generator, as far as it can be told; never a secret."""
    model = f"{settings.llm_model} {ANSWER_PROMPT} {settings.llm_temperature} {settings.llm_max_tokens}"
    return {name: model if name == OPENAI else None for name in sorted(generators)}
