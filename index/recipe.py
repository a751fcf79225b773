"""What decides the content of a built index: the texts, the rows made of them, the encoder, the splitting.

Two recipes that do not differ give the same rows in the same order, so vectors and postings built from
one fit the other. Not here: checksums of files (`index.manifest`), and anything a search can set
for itself (k, BM25's k1 and b, fusion).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.corpus import Corpus

Setting = int | float | str | bool


@dataclass(frozen=True, slots=True)
class EncoderStamp:
    """Which encoder made the vectors.

    Attributes:
        name: As the settings give it.
        revision: Changes when the same name stands for other weights, prompts or pooling.
        dim: Length of a vector.
    """

    name: str
    revision: str
    dim: int


@dataclass(frozen=True, slots=True)
class SourceStamp:
    """One source text: its label and the hex SHA-256 of its text in UTF-8."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class RowsStamp:
    """How many rows there are and a hex SHA-256 over what they are."""

    chunks: int
    sentences: int
    sha256: str

    def count(self, kind: str) -> int:
        """Rows of one kind; a "window" is a sentence with its neighbours, so one a sentence."""
        return {"chunk": self.chunks, "sentence": self.sentences, "window": self.sentences}[kind]


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that a built index depends on.

    Attributes:
        created_by: Program and version that built it. For people: it decides nothing.
        encoder: The encoder.
        splitter: Settings of the splitting, by name.
        terms_version: Changes when the same text gives other terms.
        sources: The texts, in corpus order.
        rows: The chunks and sentences made of them.
    """

    created_by: str
    encoder: EncoderStamp
    splitter: Mapping[str, Setting]
    terms_version: int
    sources: tuple[SourceStamp, ...]
    rows: RowsStamp

    @classmethod
    def of(
        cls,
        corpus: Corpus,
        *,
        created_by: str,
        encoder: EncoderStamp,
        splitter: Mapping[str, Setting],
        terms_version: int,
    ) -> Recipe:
        """The recipe of a corpus as it is now."""
        return cls(
            created_by=created_by,
            encoder=encoder,
            splitter=dict(splitter),
            terms_version=terms_version,
            sources=tuple(SourceStamp(source.name, source.sha256) for source in corpus.sources),
            rows=rows_stamp(corpus),
        )

    def differences(self, expected: Recipe) -> list[str]:
        """Why an index built from this recipe does not serve another, for people, in Chinese.

        Args:
            expected: What the texts and settings of now call for.

        Returns:
            One clause a difference, what the index has first; empty if it serves. `created_by` is ignored.
        """
        found = [
            f"{label}：索引里是 {ours!r}，现在是 {theirs!r}"
            for label, ours, theirs in (
                ("编码器", self.encoder.name, expected.encoder.name),
                ("编码器版本", self.encoder.revision, expected.encoder.revision),
                ("向量维数", self.encoder.dim, expected.encoder.dim),
                ("分词版本", self.terms_version, expected.terms_version),
            )
            if ours != theirs
        ]
        for name in sorted({*self.splitter, *expected.splitter}):
            mine, other = (repr(recipe.splitter.get(name, "（无）")) for recipe in (self, expected))
            if mine != other:  # as written: to Python, True == 1 == 1.0
                found.append(f"切分设置 {name}：索引里是 {mine}，现在是 {other}")
        found.extend(self._source_differences(expected))
        if self.rows != expected.rows:
            found.append(f"切出的文本：索引里是 {_rows_text(self.rows)}，现在是 {_rows_text(expected.rows)}")
        return found

    def _source_differences(self, expected: Recipe) -> Iterator[str]:
        ours = {source.name: source.sha256 for source in self.sources}
        theirs = {source.name: source.sha256 for source in expected.sources}
        for name in [name for name in theirs if name not in ours]:
            yield f"来源 {name!r}：索引里没有，现在有"
        for name in [name for name in ours if name not in theirs]:
            yield f"来源 {name!r}：索引里有，现在没有"
        for name in [name for name in ours if name in theirs and ours[name] != theirs[name]]:
            yield (
                f"来源 {name!r} 的内容：索引里的 SHA-256 是 {ours[name][:12]}…，现在是 {theirs[name][:12]}…"
            )
        if self.sources != expected.sources and ours == theirs:
            yield f"来源的次序：索引里是 {[*ours]!r}，现在是 {[*theirs]!r}"


def rows_stamp(corpus: Corpus) -> RowsStamp:
    """Number and checksum of a corpus's rows.

    Covers, in order, what vectors and postings are made of and what ties them to the sources: each
    document's id, label and headings; each chunk's id and text; each sentence's document, paragraph,
    chunk, place in the source and text.
    """
    digest = hashlib.sha256()

    def add(*fields: object) -> None:
        digest.update(json.dumps(fields, ensure_ascii=False).encode() + b"\n")

    for document in corpus.documents:
        headings = [paragraph.heading for paragraph in document.paragraphs]
        add("document", document.document_id, document.label, headings)
    for chunk in corpus.chunks:
        add("chunk", chunk.chunk_id, chunk.paragraph, chunk.text)
    for sentence in corpus.sentences:
        span = (sentence.span.start_char, sentence.span.end_char)
        place = (sentence.document_id, sentence.paragraph, sentence.chunk_ordinal)
        add("sentence", *place, *span, sentence.text)
    return RowsStamp(len(corpus.chunks), len(corpus.sentences), digest.hexdigest())


def _rows_text(rows: RowsStamp) -> str:
    return f"{rows.chunks} 块 {rows.sentences} 句（{rows.sha256[:12]}…）"
