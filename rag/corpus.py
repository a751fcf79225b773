"""Sources to rows: every document, chunk and sentence of a corpus, numbered in reading order.

Cheap and deterministic, so it is done anew at each start; what costs time (vectors) is kept by `index`.
"""

from __future__ import annotations

import hashlib
import logging
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rag.chunking import chunk_ranges
from rag.converting.convert import convert, source_of
from rag.converting.kinds import KIND_OF_SUFFIX
from rag.errors import ConfigError, InputError
from rag.reading.decoding import read_source
from rag.reading.documents import read_documents
from rag.reading.lines import LineTable
from rag.records import Chunk, Document, Paragraph, Sentence, Source
from rag.text.sentences import sentence_ranges

_log = logging.getLogger(__name__)
_SUFFIXES = tuple(KIND_OF_SUFFIX)


@dataclass(frozen=True)
class Corpus:
    """All rows of a corpus; `chunks[i].ordinal == i` and `sentences[i].ordinal == i`."""

    sources: tuple[Source, ...]
    documents: tuple[Document, ...]
    chunks: tuple[Chunk, ...]
    sentences: tuple[Sentence, ...]

    @cached_property
    def document_by_id(self) -> dict[str, Document]:
        """Documents by `document_id`."""
        return {document.document_id: document for document in self.documents}

    @cached_property
    def sentences_of_chunk(self) -> dict[int, tuple[int, ...]]:
        """For each chunk ordinal the ordinals of its sentences."""
        found: dict[int, list[int]] = {chunk.ordinal: [] for chunk in self.chunks}
        for sentence in self.sentences:
            found[sentence.chunk_ordinal].append(sentence.ordinal)
        return {chunk: tuple(ordinals) for chunk, ordinals in found.items()}

    @cached_property
    def sentences_of_paragraph(self) -> dict[tuple[str, int], tuple[int, ...]]:
        """For each (document id, paragraph number) the ordinals of its sentences, in order."""
        found: dict[tuple[str, int], list[int]] = {}
        for sentence in self.sentences:
            found.setdefault((sentence.document_id, sentence.paragraph), []).append(sentence.ordinal)
        return {key: tuple(ordinals) for key, ordinals in found.items()}

    @cached_property
    def rows_sha256(self) -> str:
        """Checksum over the identity of every row, in order."""
        digest = hashlib.sha256()
        for chunk in self.chunks:
            digest.update(f"c{chunk.chunk_id}#{chunk.paragraph}\n".encode())
        for sentence in self.sentences:
            span = sentence.span
            digest.update(f"s{sentence.document_id}:{span.start_char}-{span.end_char}\n".encode())
        return digest.hexdigest()


def read_folder(folder: Path) -> tuple[Source, ...]:
    """Read every document of a folder, sorted by name; a README and hidden files are not part of it.

    Text files stay as they are; HTML, Word and PDF are converted to text.

    Raises:
        ConfigError: If the folder does not exist or holds no document, or one cannot be decoded or converted.
    """
    if not folder.is_dir():
        raise ConfigError(f"语料文件夹 {str(folder)!r} 不存在。请用 CEWEN_SEEDS_DIR 指定放有文章的文件夹。")
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES
        and path.is_file()
        and path.stem.lower() != "readme"
        and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )
    if not paths:
        raise ConfigError(f"语料文件夹 {str(folder)!r} 里没有 {'、'.join(_SUFFIXES)} 文件。")
    return tuple(_source(path.relative_to(folder).as_posix(), path) for path in paths)


def _source(name: str, path: Path) -> Source:
    data = _bytes_of(path)
    # A text file is text whatever it looks like, and of any length: it is the operator's own.
    if KIND_OF_SUFFIX[path.suffix.lower()] == "text":
        return read_source(name, data)
    try:
        converted = convert(data, name)
    except InputError as error:
        raise ConfigError(f"语料{error.message}不需要它时，请移出语料文件夹。") from error
    for note in converted.notes:
        _log.warning("%r: %s", name, note)
    return source_of(name, converted)


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"读不了语料文件 {path.name!r}：{error.strerror}。请检查权限。") from error


def build_corpus(sources: Sequence[Source], *, chunk_max_chars: int) -> Corpus:
    """Rows of `sources`. A source whose content came before is read once."""
    unique: dict[str, Source] = {}
    for source in sources:
        unique.setdefault(source.sha256, source)
    documents: list[Document] = []
    chunks: list[Chunk] = []
    sentences: list[Sentence] = []
    for source in unique.values():
        table = LineTable(source.text)
        for document in read_documents(source):
            documents.append(document)
            for paragraph in document.paragraphs:
                _add_rows(document, paragraph, table, chunk_max_chars, chunks, sentences)
    if not documents:
        raise ConfigError("语料里没有任何正文段落。请检查文件内容。")
    return Corpus(tuple(unique.values()), tuple(documents), tuple(chunks), tuple(sentences))


def _add_rows(
    document: Document,
    paragraph: Paragraph,
    table: LineTable,
    chunk_max_chars: int,
    chunks: list[Chunk],
    sentences: list[Sentence],
) -> None:
    text, offsets = paragraph.text, paragraph.block.offsets
    first_chunk = len(chunks)
    starts: list[int] = []
    for start, end in chunk_ranges(text, chunk_max_chars):
        if text[start:end].isspace():  # what follows a sentence that fills a chunk to the last character
            continue
        span = table.span(*offsets.source_range(*_trimmed(text, start, end)))
        chunk_id = f"{document.document_id}:{span.start_char}-{span.end_char}"
        starts.append(start)
        row = Chunk(
            len(chunks), chunk_id, document.document_id, paragraph.number, text[start:end], start, end, span
        )
        chunks.append(row)
    for start, end in _merge_scraps(text, sentence_ranges(text)):
        first, last = _trimmed(text, start, end)
        home = first_chunk + bisect_right(starts, first) - 1
        span = table.span(*offsets.source_range(first, last))
        sentences.append(
            Sentence(
                len(sentences),
                document.document_id,
                paragraph.number,
                home,
                text[first:last],
                first,
                last,
                span,
            )
        )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without white space at its ends (the range must hold some other character)."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _merge_scraps(text: str, ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join a range without any letter or digit (stray punctuation) to the one before it."""
    merged: list[tuple[int, int]] = []
    for start, end in ranges:
        if merged and not any(char.isalnum() for char in text[start:end]):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def window_texts(corpus: Corpus) -> list[str]:
    """For each sentence its text with the sentence before and after it in the paragraph, to be encoded."""
    texts: list[str] = []
    for rows in corpus.sentences_of_paragraph.values():
        for place in range(len(rows)):
            near = rows[max(0, place - 1) : place + 2]
            texts.append("".join(corpus.sentences[row].text for row in near))
    return texts
