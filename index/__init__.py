"""What is stored and searched: vectors with FAISS, postings with BM25, and the verified folder they live in.

From the bottom up: `files`, `order`, `arrays`, `layout` (no knowledge of what they carry);
`background`, `postings`; `vectors`, `lexical` (the two searchers); `recipe`, `manifest` (what an
index was made of); `build` (write one), `reader`, `built` (open one). It takes rows, vectors and terms ready
made and knows no encoder, no question and no HTTP.
"""

from __future__ import annotations

from index.build import write_built
from index.built import BuiltIndex, open_built, read_stored_sources, self_test
from index.lexical import LexicalIndex
from index.manifest import Manifest
from index.recipe import EncoderStamp, Recipe, RowsStamp, SourceStamp
from index.vectors import VectorIndex

__all__ = [
    "BuiltIndex",
    "EncoderStamp",
    "LexicalIndex",
    "Manifest",
    "Recipe",
    "RowsStamp",
    "SourceStamp",
    "VectorIndex",
    "open_built",
    "read_stored_sources",
    "self_test",
    "write_built",
]
