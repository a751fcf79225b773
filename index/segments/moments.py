"""Mean and covariance of rows that come and go, without visiting those that stay.

For rows A and B, n = |A| + |B| and delta = mean(B) - mean(A) (Chan, Golub and LeVeque, Algorithms for
Computing the Sample Variance, The American Statistician 37, 1983),

    mean(A u B)  = mean(A) + |B|/n delta
    Sigma(A u B) = |A|/n Sigma(A) + |B|/n Sigma(B) + |A||B|/n^2 delta delta^T

and, solved for A, the same takes B out again. All in double precision.

Each step rounds. With A's sums in mind, n Sigma, the errors add up, and what is left divides them: so taking
out many rows leaves few rows with the error of many. Hence `is_worn`: the moments are to be computed from
the rows themselves when more rows were taken out since that was last done than are left (on the way there
were then never more than twice as many), or after `MAX_STEPS` steps. For rows of length 1 that keeps the
error of every entry below 1e-11, and in practice near 1e-16 times the root of the number of steps. It
costs no more than the removals did, which visited as many rows, and n / `MAX_STEPS` rows a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from index.background import Background

MAX_STEPS = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Mean and covariance of the live rows, and how far they are from having been computed directly.

    Attributes:
        count: Number of rows.
        background: Their mean and covariance.
        removed: Rows taken out since these were computed from the rows themselves.
        steps: Additions and removals since then.
    """

    count: int
    background: Background
    removed: int = 0
    steps: int = 0

    @classmethod
    def none(cls, dim: int) -> Moments:
        """Of no rows."""
        return cls(0, Background(np.zeros(dim), np.zeros((dim, dim))))

    @property
    def is_worn(self) -> bool:
        """Whether they should be computed from the rows again."""
        return self.removed > self.count or self.steps >= MAX_STEPS

    def with_rows(self, count: int, added: Background) -> Moments:
        """With some rows more.

        Args:
            count: How many, 0 or more.
            added: Their mean and covariance.
        """
        if not count:
            return self
        if not self.count:
            return Moments(count, added)
        total = self.count + count
        own, new = self.count / total, count / total
        apart = added.mean - self.background.mean
        covariance = own * self.background.covariance
        covariance += new * added.covariance
        covariance += (own * new) * np.outer(apart, apart)
        mean = self.background.mean + new * apart
        return Moments(total, Background(mean, covariance), self.removed, self.steps + 1)

    def less(self, count: int) -> Moments:
        """The bookkeeping of taking out rows, with mean and covariance as they were."""
        return Moments(self.count - count, self.background, self.removed + count, self.steps + 1)

    def without_rows(self, count: int, removed: Background) -> Moments:
        """With some rows fewer.

        Args:
            count: How many of them; at least one other row stays.
            removed: Their mean and covariance.
        """
        if not count:
            return self
        left = self.count - count
        all_, out = self.count / left, count / left
        # mean(A) = mean(A u B) + |B|/|A| (mean(A u B) - mean(B))
        mean = self.background.mean + out * (self.background.mean - removed.mean)
        apart = removed.mean - mean
        covariance = all_ * self.background.covariance
        covariance -= out * removed.covariance
        covariance -= (out / all_) * np.outer(apart, apart)
        return Moments(left, Background(mean, covariance), self.removed + count, self.steps + 1)
