"""Sources to rows: every document, chunk and sentence of a corpus, numbered in reading order.

A corpus is never changed. One that lives gives way to the next one: with further documents at its end, or
without some. Ordinals stay what they are; documents that go leave dead rows, which `compacted` closes up.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

from rag.converting.convert import convert, source_of
from rag.converting.kinds import KIND_OF_SUFFIX
from rag.errors import ConfigError, InputError
from rag.names import DocumentNames
from rag.once import Findings
from rag.placed_rows import PlacedRows, RowSequence
from rag.reading.decoding import read_source
from rag.records import Chunk, Document, Sentence, Source
from rag.row_maps import RowMaps
from rag.rows import DocumentRows, rows_of_source, windows_of

_log = logging.getLogger(__name__)
_SUFFIXES = tuple(KIND_OF_SUFFIX)


@dataclass(frozen=True)
class Corpus:
    """All rows of a corpus; `chunks[i].ordinal == i` and `sentences[i].ordinal == i`.

    A row is live if its document is among `documents`, else it is dead: no arm of a search returns it.

    Attributes:
        sources: Those of the live documents, in the order of their first ones.
        documents: The live ones, in the order of their rows.
        chunks, sentences: All rows, dead ones included; made when first looked at (`rag.placed_rows`).
    """

    sources: tuple[Source, ...]
    documents: tuple[Document, ...]
    chunks: Sequence[Chunk]
    sentences: Sequence[Sentence]

    @classmethod
    def empty(cls) -> Corpus:
        """A corpus of nothing."""
        return cls((), (), (), ())

    @cached_property
    def maps(self) -> RowMaps:
        """What is known of the live rows. Handed on from corpus to corpus; made anew for one made by hand."""
        return RowMaps.of(self.documents, self.chunks, self.sentences)

    @property
    def document_by_id(self) -> Mapping[str, Document]:
        """Live documents by `document_id`."""
        return self.maps.document_by_id

    @property
    def first_rows(self) -> Mapping[str, tuple[range, range]]:
        """For each live document the ordinals of its chunks and of its sentences."""
        return self.maps.first_rows

    @property
    def sentences_of_chunk(self) -> Mapping[int, tuple[int, ...]]:
        """For each live chunk's ordinal the ordinals of its sentences."""
        return self.maps.sentences_of_chunk

    @property
    def sentences_of_paragraph(self) -> Mapping[tuple[str, int], tuple[int, ...]]:
        """For each (live document's id, paragraph number) the ordinals of its sentences, in order."""
        return self.maps.sentences_of_paragraph

    @property
    def names(self) -> Mapping[str, DocumentNames]:
        """What each live document is called."""
        return self.maps.names

    @property
    def named(self) -> Mapping[str, tuple[str, ...]]:
        """For each name ids of documents that have it, in corpus order; dead ones too if this is a view."""
        return self.maps.named

    @property
    def findings(self) -> Mapping[str, Findings]:
        """What is found in each live document when first wanted; see `rag.structure`, `rag.examples`."""
        return self.maps.findings

    @cached_property
    def reachable_chunks(self) -> int:
        """Live chunks in which a sentence begins: none does in the middle of a very long one."""
        return self.maps.sentences_of_chunk.begun

    @property
    def live_count(self) -> int:
        """How many chunks are live."""
        return len(self.sentences_of_chunk)

    @property
    def dead_rows(self) -> int:
        """How many chunks are dead."""
        return len(self.chunks) - self.live_count

    def live_chunks(self) -> Iterator[Chunk]:
        """Live chunks, in order."""
        return chain.from_iterable(self.chunks[r.start : r.stop] for r, _ in self.first_rows.values())

    def live_sentences(self) -> Iterator[Sentence]:
        """Live sentences, in order."""
        return chain.from_iterable(self.sentences[r.start : r.stop] for _, r in self.first_rows.values())

    def rows_of(self, document_id: str) -> DocumentRows:
        """The rows of a live document, numbered from 0.

        Raises:
            KeyError: If there is no such document.
        """
        return self.maps.placed[document_id].rows

    def extended(self, added: Iterable[DocumentRows]) -> Corpus:
        """With further documents after all rows that there are.

        Raises:
            ValueError: If a live document has the id of one of them.
        """
        return self._followed_by(added)

    def without(self, document_ids: Collection[str]) -> Corpus:
        """Without some documents: their rows are dead, their text is blank in their sources; others pass."""
        gone = [name for name in dict.fromkeys(document_ids) if name in self.document_by_id]
        return self._of_live(self.maps.without(gone)) if gone else self

    def only(self, document_ids: Collection[str]) -> Corpus:
        """A view for one request: the same rows, of which those of these documents alone are live."""
        wanted = frozenset(document_ids)
        return self._of_live(self.maps.only([name for name in self.document_by_id if name in wanted]))

    def compacted(self) -> Corpus:
        """The live rows alone, numbered without gaps, in the same order."""
        if not self.dead_rows:
            return self
        return Corpus.empty()._followed_by(map(self.rows_of, self.document_by_id), self.maps)

    def _followed_by(self, added: Iterable[DocumentRows], known: RowMaps | None = None) -> Corpus:
        added_rows: list[PlacedRows] = []
        chunk, sentence = len(self.chunks), len(self.sentences)
        for rows in added:
            added_rows.append(PlacedRows(rows, chunk, sentence))
            chunk, sentence = chunk + rows.chunk_count, sentence + rows.sentence_count
        maps = self.maps.extended(added_rows, known)
        documents = (*self.documents, *(one.rows.document for one in added_rows))
        placed = (*self._all_placed, *added_rows)
        made = Corpus(_sources_of(documents), documents, RowSequence(placed, 0), RowSequence(placed, 1))
        return made._knowing(maps, placed)

    def _of_live(self, maps: RowMaps) -> Corpus:
        """The same rows with these live documents."""
        documents = tuple(maps.document_by_id.values())
        made = Corpus(_sources_of(documents), documents, self.chunks, self.sentences)
        return made._knowing(maps, self._all_placed)

    @cached_property
    def _all_placed(self) -> tuple[PlacedRows, ...]:
        """All rows by document, also dead ones."""
        return tuple(self.maps.placed.values())  # in a corpus made by hand, where all are live

    def _knowing(self, maps: RowMaps, placed: tuple[PlacedRows, ...]) -> Corpus:
        # Where the cached properties look before they make them anew.
        self.__dict__.update(maps=maps, _all_placed=placed)
        return self

    @cached_property
    def rows_sha256(self) -> str:
        """Checksum over the identity of every live row, in order."""
        digest = hashlib.sha256()
        for chunk in self.live_chunks():
            digest.update(f"c{chunk.chunk_id}#{chunk.paragraph}\n".encode())
        for sentence in self.live_sentences():
            span = sentence.span
            digest.update(f"s{sentence.document_id}:{span.start_char}-{span.end_char}\n".encode())
        return digest.hexdigest()


def _sources_of(documents: Sequence[Document]) -> tuple[Source, ...]:
    sources: dict[str, Source] = {}
    for document in documents:
        sources.setdefault(document.source.sha256, document.source)
    return tuple(sources.values())


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
    """Rows of `sources`. A source whose content came before is read once.

    Raises:
        ConfigError: If there is not one document.
    """
    unique: dict[str, Source] = {}
    for source in sources:
        unique.setdefault(source.sha256, source)
    corpus = Corpus.empty().extended(
        rows for source in unique.values() for rows in rows_of_source(source, chunk_max_chars=chunk_max_chars)
    )
    if not corpus.documents:
        raise ConfigError("语料里没有任何正文段落。请检查文件内容。")
    return corpus


def window_texts(corpus: Corpus) -> list[str]:
    """For each live sentence its text with its neighbours in the paragraph, to be encoded."""
    return windows_of(tuple(corpus.live_sentences()))
