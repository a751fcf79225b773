"""The assembly point: settings in, a ready engine out. The one place that knows every part.

The REST service, the command line and the evaluation all get their engine here, so what is measured is
what is served. An index that is missing, damaged or made of something else is built anew, with its
reason in the log; `rebuild="never"` refuses instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import Literal

from index.build import write_built
from index.built import BuiltIndex, open_built, self_test
from index.recipe import EncoderStamp, Recipe
from rag.answering.extractive import EXTRACTIVE, ExtractiveGenerator
from rag.answering.generator import AnswerGenerator
from rag.answering.plugins import load_plugins
from rag.confidence.judge import Judge
from rag.confidence.model import shipped_models
from rag.confidence.reader import BundledReader, Reader, load_bundled_reader
from rag.corpus import Corpus, build_corpus, read_folder, window_texts
from rag.encoding.encoder import BUNDLED_ENCODER, Encoder, SentenceTransformerEncoder
from rag.engine import Engine, EngineOptions
from rag.errors import ConfigError, IndexFileError
from rag.llm.openai import OPENAI, open_openai_generator
from rag.llm.prompting import ANSWER_PROMPT
from rag.llm.rewriting import open_followup_rewriter
from rag.ranking.arms import SearchIndex
from rag.ranking.background import shipped_background
from rag.ranking.model import shipped_model
from rag.records import Source
from rag.retrieval import Retriever
from rag.settings import Settings
from rag.structure import Structure
from rag.text.terms import TERMS_VERSION, index_terms, query_terms

Rebuild = Literal["never", "if-needed", "always"]
Progress = Callable[[str, int, int], None]
"""Called with (what is being encoded, rows done, rows in all)."""

_log = logging.getLogger(__name__)


def load_encoder(settings: Settings) -> Encoder:
    """The encoder that the settings name."""
    return SentenceTransformerEncoder(settings.encoder, settings.cache_dir, settings.threads)


def open_engine(
    settings: Settings,
    *,
    encoder: Encoder | None = None,
    reader: Reader | None = None,
    sources: Sequence[Source] | None = None,
    rebuild: Rebuild = "if-needed",
    progress: Progress | None = None,
) -> Engine:
    """Build an engine over the settings' corpus.

    Args:
        settings: All of them.
        encoder: An encoder to use instead of the one that the settings name.
        reader: A reader to use instead of the one that the settings name.
        sources: Texts to use instead of the seeds folder.
        rebuild: What to do where the built index does not fit.
        progress: Told of the encoding, where there is any.

    Raises:
        ConfigError: If seeds, model or settings are unusable.
        IndexFileError: If the index does not fit and may not be rebuilt, or cannot be written.
    """
    encoder = encoder or load_encoder(settings)
    corpus = build_corpus(
        sources if sources is not None else read_folder(settings.seeds_dir),
        chunk_max_chars=settings.chunk_max_chars,
    )
    built = open_index(settings, corpus, encoder, rebuild=rebuild, progress=progress)
    engine = join_engine(settings, corpus, built, encoder, index_fingerprint=built.fingerprint, reader=reader)
    # Dictionaries and kernels load on first use; the first user should not be the one who waits.
    engine.search(corpus.documents[0].label)
    return engine


def join_engine(
    settings: Settings,
    corpus: Corpus,
    index: SearchIndex,
    encoder: Encoder,
    *,
    index_fingerprint: str,
    reader: Reader | None = None,
) -> Engine:
    """An engine over an index that is already open; `reader` stands in for the one that the settings name.

    Raises:
        ConfigError: If the settings name a generator that does not exist.
    """
    generators = _generators(settings, corpus)
    judge = Judge(
        index.chunk_terms,
        shipped_models(),
        reader or open_reader(settings, encoder),
        knows_encoder=shipped_background(encoder.name).is_known,
        false_answer_rate=settings.false_answer_rate,
        labels="\n".join(block.text for document in corpus.documents for block in document.typed_blocks),
    )
    model = shipped_model()
    retriever = Retriever(
        corpus,
        index,
        encoder,
        model,
        candidates_per_arm=settings.candidates_per_arm,
        public_url=settings.public_url,
    )
    options = EngineOptions(
        answer_max_chars=settings.answer_max_chars,
        generator=settings.generator,
        public_url=settings.public_url,
        described={
            "candidates_per_arm": settings.candidates_per_arm,
            "ranking": model.provenance,
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
        rewriter=open_followup_rewriter(settings),
        count_tokens=encoder.count_tokens,
    )


def open_reader(settings: Settings, encoder: Encoder) -> Reader | None:
    """The reader that the settings name, over the encoder's own transformer where that is the bundled one."""
    if settings.reader == "off":
        return None
    if isinstance(encoder, SentenceTransformerEncoder) and encoder.name == BUNDLED_ENCODER:
        return BundledReader(encoder.transformer, encoder.tokenizer)
    return load_bundled_reader(settings.cache_dir)


def _generators(settings: Settings, corpus: Corpus) -> dict[str, AnswerGenerator]:
    """Every generator that can be asked for, by name."""
    extractive = ExtractiveGenerator(corpus, Structure(corpus))
    generators: dict[str, AnswerGenerator] = {extractive.name: extractive}
    if model := open_openai_generator(settings):
        generators[model.name] = model
    generators |= load_plugins((EXTRACTIVE, OPENAI), needed=settings.generator)
    if settings.generator not in generators:
        hint = "openai 要先设 CEWEN_LLM_URL 和 CEWEN_LLM_MODEL。" if settings.generator == OPENAI else ""
        raise ConfigError(
            f"CEWEN_GENERATOR={settings.generator!r} 不存在，"
            f"可用的有：{'、'.join(sorted(generators))}。{hint}"
        )
    return generators


def _described(settings: Settings, generators: Mapping[str, AnswerGenerator]) -> dict[str, str | None]:
    """What decides the text of each generator, as far as it can be told; never a secret."""
    model = f"{settings.llm_model} {ANSWER_PROMPT} {settings.llm_temperature} {settings.llm_max_tokens}"
    return {name: model if name == OPENAI else None for name in sorted(generators)}


def open_index(
    settings: Settings,
    corpus: Corpus,
    encoder: Encoder,
    *,
    rebuild: Rebuild = "if-needed",
    progress: Progress | None = None,
) -> BuiltIndex:
    """The verified index of a corpus, built first if there is need and leave."""
    recipe = Recipe.of(
        corpus,
        created_by=f"cewen {version('cewen')}",
        encoder=EncoderStamp(encoder.name, encoder.revision, encoder.dimension),
        splitter={"chunk_max_chars": settings.chunk_max_chars},
        terms_version=TERMS_VERSION,
    )
    if rebuild != "always":
        try:
            return _verified(settings, corpus, recipe)
        except IndexFileError as error:
            if rebuild == "never":
                raise
            _log.info("building the index: %s", error.message)
    _write(settings, corpus, encoder, recipe, progress)
    return _verified(settings, corpus, recipe)


def _verified(settings: Settings, corpus: Corpus, recipe: Recipe) -> BuiltIndex:
    built = open_built(settings.index_dir, recipe)
    probe = corpus.chunks[len(corpus.chunks) // 2]
    self_test(built, query_terms(probe.text), probe.ordinal)
    return built


def _write(
    settings: Settings, corpus: Corpus, encoder: Encoder, recipe: Recipe, progress: Progress | None
) -> None:
    texts = {
        "chunk": [chunk.text for chunk in corpus.chunks],
        "sentence": [sentence.text for sentence in corpus.sentences],
        "window": window_texts(corpus),
    }
    total, before = sum(map(len, texts.values())), 0
    vectors = {}
    for kind, rows in texts.items():
        start = before

        def told(done: int, _: int, kind: str = kind, start: int = start) -> None:
            if progress:
                progress(kind, start + done, total)

        vectors[kind] = encoder.encode_passages(rows, told)
        before += len(rows)
    terms = {kind: [index_terms(text) for text in texts[kind]] for kind in ("chunk", "sentence")}
    write_built(settings.index_dir, recipe, corpus.sources, vectors, terms)
