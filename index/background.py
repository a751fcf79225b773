"""How a query scores against *all* rows: mean and standard deviation, without visiting the rows.

A cosine of 0.85 means nothing until one knows what an arbitrary row gets. With rows x_1 … x_n of
length d, a query q, and

    mu    = (1/n) sum_i x_i                        the mean row, shape (d,)
    Sigma = (1/n) sum_i (x_i - mu)(x_i - mu)^T     the (population) covariance, shape (d, d)

the inner products s_i = q . x_i have, exactly and for every q,

    mean = q . mu                std = sqrt(q^T Sigma q)

because s is a linear map of x (Anderson, An Introduction to Multivariate Statistical Analysis,
3rd ed. 2003, section 2.4). That is d^2 multiplications a query instead of n d. It is not a model of
the scores: nothing here says they are normally distributed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.arrays import pack, unpack

_BLOCK_ROWS = 4096
_SUMMED_ROWS = 256  # so few that single precision does for their sum
_TOLERANCE = 1e-5  # the rows' squares, and some hundred rows, are summed in single precision


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """The first two moments of a matrix's rows.

    Attributes:
        mean: mu, float64, shape (d,); zeros for no rows.
        covariance: Sigma, float64, shape (d, d), symmetric; zeros for no rows.
    """

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[np.float32]) -> Background:
        """Two passes over the rows in double precision (one would cancel digits).

        Args:
            rows: float32, shape (n, d), finite.
        """
        starts = range(0, len(rows), _BLOCK_ROWS)
        return cls._around(_mean(rows), (rows[start : start + _BLOCK_ROWS] for start in starts))

    @classmethod
    def of_blocks(cls, blocks: Callable[[], Iterable[NDArray[np.float32]]], dim: int) -> Background:
        """As `of`, for rows that do not lie in one matrix; equal to it but for rounding.

        Args:
            blocks: Called twice; gives the same blocks each time, float32, shape (any, dim), finite.
            dim: Length of a row, for when there is no block.
        """
        total, count = np.zeros(dim), 0
        for block in blocks():
            total += block.sum(axis=0, dtype=np.float64)
            count += len(block)
        return cls._around(total / max(count, 1), blocks())

    @classmethod
    def _around(cls, mean: NDArray[np.float64], blocks: Iterable[NDArray[np.float32]]) -> Background:
        covariance, count = np.zeros((mean.size, mean.size)), 0
        for block in blocks:
            centred = block - mean
            covariance += centred.T @ centred
            count += len(block)
        return cls(mean, (covariance + covariance.T) / (2 * max(count, 1)))

    def of_scores(self, query: NDArray[np.float32]) -> tuple[float, float]:
        """Mean and standard deviation of q . x_i over all rows.

        Args:
            query: float32, shape (d,), finite; any length.

        Returns:
            (mean, std), std at least 0; (0.0, 0.0) for no rows.
        """
        wide = query.astype(np.float64)
        variance = float(wide @ self.covariance @ wide)
        return float(wide @ self.mean), max(variance, 0.0) ** 0.5

    def to_bytes(self) -> bytes:
        """As an `.npz` archive."""
        return pack({"mean": self.mean, "covariance": self.covariance})

    @classmethod
    def from_bytes(cls, data: bytes, rows: NDArray[np.float32]) -> Background:
        """Read it back and check that it belongs to these rows.

        Cheaply, without computing the covariance again: the mean must be theirs, and
        trace(Sigma) = (1/n) sum_i |x_i|^2 - |mu|^2.

        Raises:
            ValueError: If the bytes are no such archive, or belong to other rows; in Chinese.
        """
        arrays = unpack(data, {"mean": (np.float64, 1), "covariance": (np.float64, 2)})
        mean, covariance = arrays["mean"], arrays["covariance"]
        dim = rows.shape[1]
        if mean.shape != (dim,) or covariance.shape != (dim, dim):
            raise ValueError(f"均值是 {mean.shape[0]} 维，应为 {dim} 维")
        squares = float(np.einsum("ij,ij->i", rows, rows).sum(dtype=np.float64)) / max(len(rows), 1)
        fits = (
            bool(np.isfinite(covariance).all())
            and np.array_equal(covariance, covariance.T)
            and np.allclose(mean, _near_mean(rows), rtol=0.0, atol=_TOLERANCE)
            and abs(float(np.trace(covariance)) - (squares - float(mean @ mean))) < _TOLERANCE
        )
        if not fits:
            raise ValueError("均值和协方差属于别的行")
        return cls(mean, covariance)


def _mean(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    total: NDArray[np.float64] = np.asarray(rows.sum(axis=0, dtype=np.float64))
    return total / max(len(rows), 1)


def _near_mean(rows: NDArray[np.float32]) -> NDArray[np.float64]:
    """The mean, to within rounding of single precision: a third of the time of `_mean`."""
    total = np.zeros(rows.shape[1])
    for start in range(0, len(rows), _SUMMED_ROWS):
        block = rows[start : start + _SUMMED_ROWS]
        total += np.ones(len(block), np.float32) @ block
    return total / max(len(rows), 1)
