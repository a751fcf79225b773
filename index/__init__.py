"""What is stored and searched: vectors with FAISS, postings with BM25, and the verified folder they live in.

From the bottom up: `files`, `order`, `arrays`, `layout` (no knowledge of what they carry);
`background`, `postings`, `flat`; `vectors`, `lexical` (the two searchers); `segments` (both over rows
that come and go); `recipe`, `manifest` (what an index was made of); `build` (write one), `reader`, `built`
(open one), `check` (what is wrong with one). The texts themselves are kept by `index.store`, a
package to be imported by its own name. It takes rows, vectors and terms ready made and knows no encoder, no
question and no HTTP.
"""

from __future__ import annotations

from index.build import write_generation
from index.built import Generation, open_generation, self_test
from index.check import check_generation
from index.lexical import LexicalIndex
from index.manifest import Manifest
from index.recipe import DocumentStamp, EncoderStamp, Recipe
from index.segments import IndexRows, LiveIndex
from index.vectors import VectorIndex

__all__ = [
    "DocumentStamp",
    "EncoderStamp",
    "Generation",
    "IndexRows",
    "LexicalIndex",
    "LiveIndex",
    "Manifest",
    "Recipe",
    "VectorIndex",
    "check_generation",
    "open_generation",
    "self_test",
    "write_generation",
]
