"""What all engines of a process share, opened once: encoders, readers, fitted models, generators.

An engine is put together anew whenever its corpus changes; nothing here may cost more then than a few
milliseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from rag.answering.extractive import EXTRACTIVE, ExtractiveGenerator
from rag.answering.generator import AnswerGenerator
from rag.answering.plugins import load_plugins
from rag.confidence.correction import Correction
from rag.confidence.judge import Judge
from rag.confidence.model import shipped_models
from rag.confidence.reader import BundledReader, Reader, load_bundled_reader
from rag.corpus import Corpus
from rag.encoding.encoder import BUNDLED_ENCODER, Encoder, SentenceTransformerEncoder
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


@dataclass(frozen=True, slots=True)
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
        if encoder is not None:
            self._models[settings.encoder] = self._model(encoder)
        self._generators = _generators(settings)
        self._rewriter = open_followup_rewriter(settings)

    def model(self, encoder: str | None = None) -> Model:
        """A loaded model by the encoder's name; None for the one that the settings name.

        Raises:
            EncoderError: If it cannot be loaded.
        """
        name = encoder or self.settings.encoder
        if (known := self._models.get(name)) is not None:  # past the lock: another may take long to load
            return known
        with self._lock:
            if name not in self._models:
                self._models[name] = self._model(load_encoder(self.settings, name))
            return self._models[name]

    def engine(
        self,
        corpus: Corpus,
        index: SearchIndex,
        model: Model,
        *,
        index_fingerprint: str,
        correction: Correction | None = None,
    ) -> Engine:
        """An engine over an index that is open already, made with that model's encoder."""
        settings, encoder = self.settings, model.encoder
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
            public_url=settings.public_url,
        )
        options = EngineOptions(
            answer_max_chars=settings.answer_max_chars,
            generator=settings.generator,
            public_url=settings.public_url,
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
            rewriter=self._rewriter,
            count_tokens=encoder.count_tokens,
        )

    def _model(self, encoder: Encoder) -> Model:
        return Model(encoder, self._given_reader or open_reader(self.settings, encoder))


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
