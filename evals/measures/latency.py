"""Percentiles of times.

    h = (n - 1) q,   percentile = x_floor(h) + (h - floor(h)) (x_floor(h)+1 - x_floor(h))

over the sorted times x_0 ... x_n-1: type 7 of Hyndman & Fan 1996, what numpy computes by default.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def percentile(times: Sequence[float], share: float) -> float:
    """The time that `share` (0-1) of the times (at least one) do not exceed, interpolated."""
    ordered = sorted(times)
    place = (len(ordered) - 1) * share
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])
