"""What the measurement of a living library finds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class LivingReport:
    """What was measured; times in milliseconds unless the name says otherwise.

    Attributes:
        chunks, documents: Of the library before anything is added to it.
        store_mib, index_mib: On the disk.
        start_seconds: Opening it, by the state of the index on the disk: "current", "behind" by one per cent
            of the chunks, "missing", "removed": with a document that is in the library no more.
        start_processor_seconds: The same in seconds of a processor, of all threads, by the same names.
        peak_rss_mib: Largest resident memory of the process while it did so, by the same names.
        adding: By chunks of the source, medians: `add_ms` until it is found, `encode_ms` the encoder alone on
            the same texts, `ratio` of the two, `replace_ms`, `describe_ms` (metadata only), `remove_ms`.
        asking: For "all" documents, "half" of them and "ten": `ask_p50_ms`, `ask_p95_ms`, `search_p50_ms`;
            the last two with the making of the view.
        storm: Two threads asking: `alone_p95_ms`, and `adding_p95_ms` while a third adds sources.
        examples_seconds: The first call of the examples.
    """

    chunks: int = 0
    documents: int = 0
    store_mib: float = 0.0
    index_mib: float = 0.0
    start_seconds: dict[str, float] = field(default_factory=dict)
    start_processor_seconds: dict[str, float] = field(default_factory=dict)
    peak_rss_mib: dict[str, float] = field(default_factory=dict)
    adding: dict[int, dict[str, float]] = field(default_factory=dict)
    asking: dict[str, dict[str, float]] = field(default_factory=dict)
    storm: dict[str, float] = field(default_factory=dict)
    examples_seconds: float = 0.0
