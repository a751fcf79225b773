"""What decides the content of an index: encoder, splitting, terms, and document by document its rows.

Recipes that do not differ make the same vectors and terms of the same rows. So what an index holds of
a document serves as long as that document's stamp agrees, whatever became of the others; which ones
do is asked for by `index.built.Generation.index_of`. Not here: checksums of files (`index.manifest`),
and anything a search can set for itself (k, BM25's k1 and b, fusion).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
class DocumentStamp:
    """The rows of one document.

    Attributes:
        document_id: Its id.
        chunks: How many chunks it has.
        sentences: How many sentences it has, which is also how many windows.
        sha256: Hex SHA-256 over all that its vectors and terms are made of.
    """

    document_id: str
    chunks: int
    sentences: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that an index depends on.

    Attributes:
        created_by: Program and version that wrote it. For people: it decides nothing.
        encoder: The encoder.
        splitter: Settings of the splitting, by name.
        terms_version: Changes when the same text gives other terms.
        documents: The documents whose rows follow each other in the index, in this order.
    """

    created_by: str
    encoder: EncoderStamp
    splitter: Mapping[str, Setting]
    terms_version: int
    documents: tuple[DocumentStamp, ...]

    def count(self, kind: str) -> int:
        """Rows of one kind; a "window" is a sentence with its neighbours, so one a sentence."""
        if kind == "chunk":
            return sum(document.chunks for document in self.documents)
        return sum(document.sentences for document in self.documents)

    def fault(self) -> str | None:
        """What cannot be, in Chinese; None if nothing is wrong."""
        if self.encoder.dim < 1:
            return f"向量是 {self.encoder.dim} 维"
        seen: set[str] = set()
        for document in self.documents:
            if document.document_id in seen:
                return f"文档 {document.document_id!r} 列出了两次"
            if min(document.chunks, document.sentences) < 0:
                return f"文档 {document.document_id!r} 有 {document.chunks} 块 {document.sentences} 句"
            seen.add(document.document_id)
        return None

    def differences(self, expected: Recipe) -> list[str]:
        """Why rows made by this recipe do not serve another, for people, in Chinese.

        Args:
            expected: What the settings of now call for.

        Returns:
            One clause a difference, what the index has first; empty if they serve. `created_by` and
            `documents` are ignored.
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
        return found
