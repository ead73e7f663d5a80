"""Metrics: R² and accuracy within a zoo, Kendall's τ-b across zoos."""

from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Float64, Int64

MetricName: TypeAlias = Literal["r2", "accuracy", "kendall_tau"]

Targets: TypeAlias = Float64[np.ndarray, " snapshots"]
Predictions: TypeAlias = Float[np.ndarray, " snapshots"]
Labels: TypeAlias = Int64[np.ndarray, " snapshots"]


def r2(targets: Targets, predictions: Predictions) -> float:
    """Share of the targets' variance that is predicted: ``1 - Σ(t - y)² / Σ(t - mean t)²``.

    The mean is that of the scored snapshots. 1 is perfect, 0 is as good as the mean, and there is
    no lower bound; nan if the targets are constant.
    """
    return float(1 - np.square(targets - predictions).sum() / sum_of_squares(targets))


def sum_of_squares(targets: Float64[np.ndarray, "snapshots ..."]) -> np.ndarray:
    """Return ``Σ(t - mean t)²`` of each target, nan for a constant one."""
    varies = targets.min(axis=0) < targets.max(axis=0)
    return np.where(varies, np.square(targets - targets.mean(axis=0)).sum(axis=0), np.nan)


def accuracy(labels: Labels, predictions: Labels) -> float:
    """Share of snapshots given their own class, in [0, 1]."""
    return float(np.mean(labels == predictions))


def kendall_tau(targets: Targets, predictions: Predictions) -> float:
    """Kendall's τ-b: do predictions order snapshots as the targets do?

    ``(C - D) / √(T·P)`` over all pairs of snapshots: ``C`` ordered alike, ``D`` the other way
    round, ``T`` with different targets, ``P`` with different predictions. In [-1, 1]; 0 if the
    order is unrelated to the targets, nan if either side is constant.

    Source:
        Kendall 1945, "The treatment of ties in ranking problems".
    """
    from scipy.stats import kendalltau

    return float(kendalltau(targets, predictions).statistic)


def kendall_tau_ceiling(targets: Targets) -> float:
    """The largest τ-b that predictions without ties can reach on these targets, in (0, 1].

    At best every pair with different targets is ordered alike, ``C = T``, and all ``N`` pairs have
    different predictions: ``T / √(T·N) = √(T / N)``. Below 1 if two targets are equal; nan if all
    are.
    """
    ties = np.unique(targets, return_counts=True)[1]
    pairs, tied = len(targets) * (len(targets) - 1), int((ties * (ties - 1)).sum())
    return float(np.sqrt((pairs - tied) / pairs)) if tied < pairs else float("nan")


METRICS: dict[MetricName, Callable[[np.ndarray, np.ndarray], float]] = {
    "r2": r2,
    "accuracy": accuracy,
    "kendall_tau": kendall_tau,
}
