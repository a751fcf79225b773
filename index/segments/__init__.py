"""An index that rows are added to and taken from, without making it anew.

Rows lie in **segments**: a few immutable indexes over consecutive rows, the oldest first and largest. What
is added becomes a segment; small ones are merged with it (`merging`). What is removed stays where it is
and is marked dead (`masks`), so that ordinals keep their meaning. Every change gives a new object that
shares all it can with the old one; who holds the old one goes on searching it.

From the bottom up: `masks`, `merging`, `moments`, `rows`; `vectors`, `terms` (the two searchers); `live`
(the five arms together). Results are those of `VectorIndex` and `LexicalIndex` over the live rows, to the
last bit of every score.

Not here: documents, files, locks.
"""

from __future__ import annotations

from index.segments.live import LiveIndex
from index.segments.rows import IndexRows
from index.segments.terms import SegmentedTerms
from index.segments.vectors import SegmentedVectors

__all__ = ["IndexRows", "LiveIndex", "SegmentedTerms", "SegmentedVectors"]
