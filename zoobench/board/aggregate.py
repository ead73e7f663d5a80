"""Aggregate scores: normalised means, ranks with ties, mean ranks with intervals.

Every score comes with its values on the same resamples of models, so everything computed from
scores is computed from each resample too. A missing score stays missing: nan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from jaxtyping import Bool, Float64

Column: TypeAlias = Float64[np.ndarray, " entries"]
Resampled: TypeAlias = Float64[np.ndarray, "entries resamples"]
Mask: TypeAlias = Bool[np.ndarray, " entries"]
Pairs: TypeAlias = Bool[np.ndarray, "entries entries"]

LEVEL = 0.95


@dataclass(frozen=True)
class Scores:
    """The scores of all entries in one column, nan where an entry has none.

    Attributes:
        values: One score per entry; higher is better.
        resampled: The same scores on resamples of the scored models.
    """

    values: Column
    resampled: Resampled

    @property
    def known(self) -> Mask:
        """Whether each entry has a score."""
        known: Mask = ~np.isnan(self.values)
        return known


def interval(resampled: Resampled, level: float = LEVEL) -> Float64[np.ndarray, "2 entries"]:
    """Return the bounds of the central ``level`` of each row, nan for a row without a value."""
    bounds = np.full((2, len(resampled)), np.nan)
    edges = [(1 - level) / 2, (1 + level) / 2]
    defined = ~np.isnan(resampled)
    whole = defined.all(axis=1)
    if whole.any():
        bounds[:, whole] = np.quantile(resampled[whole], edges, axis=1)
    for row in np.flatnonzero(defined.any(axis=1) & ~whole):
        bounds[:, row] = np.quantile(resampled[row, defined[row]], edges)
    return bounds


def normalised(scores: Scores, chance: float) -> Scores:
    """Scale chance to 0 and a perfect score to 1; scores below chance count as chance.

    R² has no lower bound: without this floor one failed task would outweigh all others. All scores
    are missing if ``chance`` is nan or 1.
    """
    scale = 1 - chance if chance < 1 else np.nan
    return Scores(
        np.maximum((scores.values - chance) / scale, 0),
        np.maximum((scores.resampled - chance) / scale, 0),
    )


def mean(columns: Sequence[Scores]) -> Scores:
    """Average columns; an entry without a score in one of them has no mean."""
    return Scores(
        np.mean([column.values for column in columns], axis=0),
        np.mean([column.resampled for column in columns], axis=0),
    )


def shifted(scores: Scores, places: int) -> Scores:
    """Shift the resamples of a zoo, so that those of different zoos are independent."""
    return Scores(scores.values, np.roll(scores.resampled, places, axis=1))


def surely_above(scores: Scores, level: float = LEVEL) -> Pairs:
    """Tell for each pair of entries whether the score of the first is surely higher.

    The standard error of a difference is its standard deviation over the resamples, which are the
    same for both entries. The test is two-sided and normal, with Holm's correction over all pairs.

    Source:
        Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    from scipy.special import ndtr

    above = np.zeros((len(scores.values),) * 2, dtype=bool)
    (known,) = np.nonzero(scores.known)
    rows = scores.resampled[known]
    rows = rows[:, ~np.isnan(rows).any(axis=0)]
    if len(known) < 2 or rows.shape[1] < 2:
        return above
    covariance = np.cov(rows)
    variance = np.diag(covariance)[:, None] + np.diag(covariance) - 2 * covariance
    difference = scores.values[known][:, None] - scores.values[known]
    difference[np.isclose(difference, 0, rtol=0, atol=1e-12)] = 0
    errors = np.sqrt(np.maximum(variance, 0))
    steps = np.abs(difference) / np.maximum(errors, 1e-12)
    first, second = np.triu_indices(len(known), 1)
    sure = holm(2 * ndtr(-steps[first, second]), 1 - level)
    higher = np.where(difference[first, second] > 0, first, second)
    lower = np.where(difference[first, second] > 0, second, first)
    above[known[higher[sure]], known[lower[sure]]] = True
    return above


def holm(chances: Float64[np.ndarray, " tests"], wrong: float) -> Bool[np.ndarray, " tests"]:
    """Tell which of many tests reject; with probability ``1 - wrong`` no rejection is wrong."""
    order = np.argsort(chances)
    passes = chances[order] * (len(chances) - np.arange(len(chances))) <= wrong
    sure = np.zeros(len(chances), dtype=bool)
    sure[order] = np.logical_and.accumulate(passes)
    return sure


def ranks(scores: Scores) -> Column:
    """Rank entries: one plus the number of entries surely above; equal ranks are ties."""
    return np.where(scores.known, 1.0 + surely_above(scores).sum(axis=0), np.nan)


def mean_ranks(columns: Sequence[Scores]) -> Scores:
    """Average ranks over columns, among the entries that have a score in every column.

    The highest score has rank 1, surely or not, and equal scores share their mean rank; the
    resamples tell how sure the average is. Lower is better.
    """
    from scipy.stats import rankdata

    complete = np.all([column.known for column in columns], axis=0)
    values = np.full(len(complete), np.nan)
    resampled = np.full(columns[0].resampled.shape, np.nan)
    if complete.any():
        values[complete] = np.mean([rankdata(-one.values[complete]) for one in columns], axis=0)
        stacked = [
            rankdata(-one.resampled[complete], axis=0, nan_policy="propagate") for one in columns
        ]
        resampled[complete] = np.mean(stacked, axis=0)
    return Scores(values, resampled)


def among(scores: Scores, chosen: Mask) -> Scores:
    """Remove the scores of all other entries."""
    return Scores(
        np.where(chosen, scores.values, np.nan),
        np.where(chosen[:, None], scores.resampled, np.nan),
    )
