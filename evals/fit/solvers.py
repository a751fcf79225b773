"""The two estimators, in numpy and torch's L-BFGS: conditional logit and logistic regression.

    conditional logit (McFadden 1974):  P(i | candidates) = exp(w·x_i) / sum_j exp(w·x_j);
        maximised is the log of the summed probability of the positive candidates
    logistic regression:                P(y = 1 | x) = 1 / (1 + exp(-(v·x + c))), classes weighted equally

Both with a small L2 penalty. Deterministic: full batch, double precision, one thread's order of sums.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def fit_conditional_logit(groups: Sequence[tuple[Floats, Flags]], l2: float = 1e-3) -> Floats:
    """Weights that put positives first.

    Args:
        groups: For each question the candidates' features, shape (n, d), and which are positive, shape (n,).
        l2: Penalty on the squared weights.

    Returns:
        float64, shape (d,).
    """
    import torch

    longest = max(len(flags) for _, flags in groups)
    width = groups[0][0].shape[1]
    matrix = np.zeros((len(groups), longest, width))
    positive = np.zeros((len(groups), longest), bool)
    real = np.zeros((len(groups), longest), bool)
    for row, (features, flags) in enumerate(groups):
        matrix[row, : len(flags)], positive[row, : len(flags)], real[row, : len(flags)] = (
            features,
            flags,
            True,
        )
    x, is_positive, is_real = torch.tensor(matrix), torch.tensor(positive), torch.tensor(real)
    weights = torch.zeros(width, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        values = (x @ weights).masked_fill(~is_real, -1e9)
        gain = torch.logsumexp(values.masked_fill(~is_positive, -1e9), 1) - torch.logsumexp(values, 1)
        total: torch.Tensor = -gain.mean() + l2 * (weights * weights).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return np.asarray(weights.detach().numpy(), np.float64)


def fit_logistic(
    features: Floats, labels: Flags, *, balanced: bool, l2: float = 1e-4
) -> tuple[Floats, float]:
    """Weights and intercept of a logistic regression.

    Args:
        features: Shape (n, d).
        labels: Shape (n,).
        balanced: Whether both classes weigh the same in total.
        l2: Penalty on the squared standardised weights.
    """
    share = labels.mean()
    cost = np.where(labels, 0.5 / share, 0.5 / (1 - share)) if balanced else np.ones(len(labels))
    return fit_weighted_logistic(features, labels, cost, l2=l2)


def fit_weighted_logistic(
    features: Floats, labels: Flags, cost: Floats, *, l2: float
) -> tuple[Floats, float]:
    """Weights and intercept of a logistic regression whose examples weigh differently.

    Args:
        features: Shape (n, d).
        labels: Shape (n,).
        cost: Weight of each example, shape (n,), 1 on average.
        l2: Penalty on the squared standardised weights.
    """
    import torch

    centre, scale = features.mean(0), features.std(0) + 1e-9
    x, y = torch.tensor((features - centre) / scale), torch.tensor(labels, dtype=torch.float64)
    weight = torch.tensor(cost, dtype=torch.float64)
    weights = torch.zeros(features.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        logits = x @ weights[:-1] + weights[-1]
        each = torch.nn.functional.binary_cross_entropy_with_logits(
            logits, y, weight=weight, reduction="none"
        )
        total: torch.Tensor = each.mean() + l2 * (weights[:-1] ** 2).sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    fitted = np.asarray(weights.detach().numpy(), np.float64)
    slopes = fitted[:-1] / scale
    return slopes, float(fitted[-1] - slopes @ centre)
