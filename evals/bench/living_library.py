"""A library of many texts to measure on: real texts, and for the bulk of them vectors that cost nothing.

What is measured afterwards is encoded by the real encoder. How long searching, loading and adding take does
not depend on what vectors say, only on how many there are.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from rag.corpus import build_corpus
from rag.encoding.encoder import Encoder, Progress, Vectors
from rag.reading.decoding import read_source
from rag.records import Source
from rag.settings import Settings

_TEXTS_A_FILE = (1, 1, 1, 4)
"""How many texts the files hold, in turn."""
_SPREAD = 0.5
"""How far made-up vectors lie apart, in lengths of what they share: as with E5, all are near each other."""


class StandInEncoder:
    """Passes for another encoder; its passages get unit vectors drawn from their checksum.

    Args:
        encoder: Whose name, revision and dimension it has, and who encodes questions.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.revision, self.dimension = encoder.name, encoder.revision, encoder.dimension
        common = np.random.default_rng(0).standard_normal(self.dimension)
        self._common = common / np.linalg.norm(common)

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """As the encoder that it stands in for."""
        return self._encoder.encode_queries(texts)

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        """Shape (len(texts), dimension), float32, rows of unit length; the same for the same texts."""
        digest = hashlib.sha256("\n".join(texts).encode()).digest()
        noise = np.random.default_rng(int.from_bytes(digest[:8])).standard_normal(
            (len(texts), self.dimension)
        )
        rows = self._common + _SPREAD / np.sqrt(self.dimension) * noise
        if progress:
            progress(len(texts), len(texts))
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)

    def count_tokens(self, text: str) -> int:
        """As the encoder that it stands in for."""
        return self._encoder.count_tokens(text)


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts from files of JSON lines, each read once.

    Attributes:
        paths: Gzipped JSON lines with a field "text" or "passage".
    """

    paths: tuple[Path, ...]

    def __iter__(self) -> Iterator[str]:
        seen: set[str] = set()
        for path in self.paths:
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    row = json.loads(line)
                    text = row.get("text") or row["passage"]
                    if text not in seen:
                        seen.add(text)
                        yield text

    def questions(self, count: int) -> list[str]:
        """So many questions that the files hold, else first sentences of texts."""
        found: dict[str, None] = {}
        for path in self.paths:
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                found |= dict.fromkeys(q for line in lines if (q := json.loads(line).get("question")))
        questions = list(found) or [text.partition("。")[0][:40] for text in islice(self, count)]
        return questions[:: max(1, len(questions) // count)][:count]


def write_files(texts: Iterator[str], folder: Path, chunks: int, settings: Settings) -> int:
    """Put texts into files of a folder until they make so many chunks; how many chunks they make.

    Args:
        texts: Where they come from; what is left stays there.
        folder: Made if need be.
        chunks: At least so many, unless the texts end.
        settings: How texts are cut.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made, number = 0, len(list(folder.iterdir()))
    while made < chunks:
        held = list(islice(texts, _TEXTS_A_FILE[number % len(_TEXTS_A_FILE)]))
        if not held:
            break
        page = "\n\n".join(held)
        made += chunks_of(read_source(f"{number}.txt", page.encode()), settings)
        (folder / f"{number:06}.txt").write_text(page, encoding="utf-8")
        number += 1
    return made


def source_of(texts: Iterator[str], name: str, chunks: int, settings: Settings) -> Source:
    """A source of about so many chunks, made of the next texts."""
    page = next(texts)
    if chunks == 1:
        return read_source(name, page[: settings.chunk_max_chars // 2].encode())
    while chunks_of(source := read_source(name, page.encode()), settings) < chunks:
        page += "\n\n" + next(texts)
    return source


def chunks_of(source: Source, settings: Settings) -> int:
    """How many chunks a source makes."""
    return len(build_corpus([source], chunk_max_chars=settings.chunk_max_chars).chunks)


def peak_rss_mib(work: Callable[[], object]) -> float:
    """The largest resident memory of this process while it does some work; 0 where that is not known."""
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forget the peak so far
        work()
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    return round(int(status.partition("VmHWM:")[2].split()[0]) / 1024, 1)
