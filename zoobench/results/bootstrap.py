"""Bootstrap intervals of scores, which resample models and never their snapshots."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from jaxtyping import Float, Float64, Int8, Int64

from zoobench.task.metrics import MetricName

Column: TypeAlias = Float[np.ndarray, " snapshots"] | Int64[np.ndarray, " snapshots"]
Table: TypeAlias = Float[np.ndarray, "seeds snapshots"] | Int64[np.ndarray, "seeds snapshots"]
AnyTable: TypeAlias = Float[np.ndarray, "_seeds snapshots"] | Int64[np.ndarray, "_seeds snapshots"]
Starts: TypeAlias = Int64[np.ndarray, " models"]
Counts: TypeAlias = Int64[np.ndarray, "resamples models"]
Errors: TypeAlias = Float64[np.ndarray, "seeds 2 snapshots"]
Scores: TypeAlias = Float64[np.ndarray, " resamples"]


def model_interval(
    metric: MetricName,
    targets: Column,
    predictions: Table,
    models: Int64[np.ndarray, " snapshots"],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of a score over models.

    Snapshots of one model are nearly the same network. So each resample draws as many models as
    there are, with replacement, and scores all snapshots of a model as often as it is drawn.

    Args:
        metric: ``r2``, ``accuracy`` or ``kendall_tau``.
        targets: Target of each snapshot of the split.
        predictions: One row per seed of the embedder; a score is the mean over seeds.
        models: Model of each snapshot.
        resamples: Number of resamples.
        level: Share of resamples inside the interval.
        seed: Seed of the draws; equal seeds and models give equal draws, whatever is scored.

    Returns:
        Lower and upper bound. Resamples with an undefined metric, such as R² on constant targets,
        are left out; nan if none remains, or if there is only one model.

    Source:
        Field and Welsh 2007, "Bootstrapping clustered data".
    """
    scores = resampled_scores(metric, targets, predictions, models, resamples=resamples, seed=seed)
    return percentiles(scores, level)


def paired_interval(
    metric: MetricName,
    targets: Column,
    predictions_a: Table,
    predictions_b: Table,
    models: Int64[np.ndarray, " snapshots"],
    *,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval of the score of ``a`` minus that of ``b`` on the same resamples.

    What makes a model hard for both cancels: two embedders can differ surely although their
    intervals overlap. The arguments are those of ``model_interval``.
    """
    a, b = (
        resampled_scores(metric, targets, table, models, resamples=resamples, seed=seed)
        for table in (predictions_a, predictions_b)
    )
    return percentiles(a - b, level)


def reconstruction_interval(
    errors: Errors,
    models: Int64[np.ndarray, " snapshots"],
    *,
    less: Errors | None = None,
    resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the interval of the R² of a reconstruction; it resamples models like a score's.

    Args:
        errors: For each seed and snapshot, the squared error and the squared distance from the mean
            of all snapshots; resamples keep that mean.
        models: Model of each snapshot.
        less: Errors of another reconstruction, whose R² is subtracted.
        resamples: Number of resamples.
        level: Share of resamples inside the interval.
        seed: Seed of the draws.
    """
    scores = resampled_reconstruction(errors, models, resamples=resamples, seed=seed)
    if less is not None:
        scores = scores - resampled_reconstruction(less, models, resamples=resamples, seed=seed)
    return percentiles(scores, level)


def resampled_reconstruction(
    errors: Errors, models: Int64[np.ndarray, " snapshots"], *, resamples: int, seed: int
) -> Scores:
    """Score the reconstruction on every resample, nan if there is only one model."""
    ids, codes = np.unique(models, return_inverse=True)
    if len(ids) == 1:
        return np.full(resamples, np.nan)
    counts = model_counts(len(ids), resamples=resamples, seed=seed)
    sums = np.stack([[np.bincount(codes, part) for part in of_seed] for of_seed in errors])
    wrong, spread = np.einsum("rm,skm->ksr", counts, sums)
    scores: Scores = (1 - wrong / np.where(spread > 0, spread, np.nan)).mean(axis=0)
    return scores


def percentiles(scores: Scores, level: float) -> tuple[float, float]:
    """Return the bounds of the central ``level`` of the scores that are defined."""
    defined = scores[~np.isnan(scores)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled_scores(
    metric: MetricName,
    targets: Column,
    predictions: Table,
    models: Int64[np.ndarray, " snapshots"],
    *,
    resamples: int,
    seed: int,
) -> Scores:
    """Score every resample from sums per model, or per pair of models for Kendall's τ-b.

    Up to rounding, this equals scoring the resampled snapshots.
    """
    order = np.argsort(models, kind="stable")
    ids, starts = np.unique(models[order], return_index=True)
    if len(ids) == 1:
        return np.full(resamples, np.nan)
    counts = model_counts(len(ids), resamples=resamples, seed=seed)
    return RESAMPLED[metric](targets[order], predictions[:, order], starts, counts)


def model_counts(models: int, *, resamples: int, seed: int) -> Counts:
    """Count how often each model is drawn in each resample; every row sums to ``models``."""
    drawn = np.random.default_rng(seed).integers(models, size=(resamples, models))
    cells = drawn + models * np.arange(resamples)[:, None]
    return np.bincount(cells.ravel(), minlength=drawn.size).reshape(drawn.shape)


def resampled_r2(targets: Column, predictions: Table, starts: Starts, counts: Counts) -> Scores:
    """R² of each resample: squared errors over the spread within and between models."""
    errors = counts @ model_losses("r2", targets, predictions, starts)
    scores: Scores = 1 - errors / resampled_spread(targets, starts, counts)
    return scores


def resampled_spread(targets: Column, starts: Starts, counts: Counts) -> Scores:
    """Sum of squares of each resample's targets around their mean, nan if they are equal."""
    sizes = np.diff(starts, append=len(targets))
    means = np.add.reduceat(targets, starts) / sizes
    within = np.add.reduceat(np.square(targets - np.repeat(means, sizes)), starts)
    snapshots = counts * sizes
    centre = (snapshots @ means / snapshots.sum(axis=1))[:, None]
    spread = counts @ within + (snapshots * np.square(means - centre)).sum(axis=1)
    lowest = np.where(counts > 0, np.minimum.reduceat(targets, starts), np.inf).min(axis=1)
    highest = np.where(counts > 0, np.maximum.reduceat(targets, starts), -np.inf).max(axis=1)
    scores: Scores = np.where(lowest < highest, spread, np.nan)
    return scores


def resampled_accuracy(
    targets: Column, predictions: Table, starts: Starts, counts: Counts
) -> Scores:
    """Accuracy of each resample: hits over snapshots."""
    misses = counts @ model_losses("accuracy", targets, predictions, starts)
    scores: Scores = 1 - misses / (counts @ np.diff(starts, append=len(targets)))
    return scores


def model_losses(
    metric: MetricName, targets: Column, predictions: Table, starts: Starts
) -> Float64[np.ndarray, " models"]:
    """Add up the squared errors or the misses of each model's snapshots, averaged over seeds."""
    loss = np.square(targets - predictions) if metric == "r2" else targets != predictions
    losses: np.ndarray = np.add.reduceat(loss.mean(axis=0, dtype=np.float64), starts)
    return losses


def resampled_tables(
    metric: MetricName,
    targets: Column,
    tables: Sequence[AnyTable],
    models: Int64[np.ndarray, " snapshots"],
    *,
    resamples: int = 1000,
    seed: int = 0,
) -> Float64[np.ndarray, "tables resamples"]:
    """Score many predictions of the same snapshots on the same resamples.

    This equals ``resampled_scores`` of each, with one matrix product for all of them.
    """
    ids, starts = np.unique(models, return_index=True)
    if metric == "kendall_tau" or len(ids) == 1 or np.any(np.diff(models) < 0):
        return np.array(
            [
                resampled_scores(metric, targets, table, models, resamples=resamples, seed=seed)
                for table in tables
            ]
        ).reshape(len(tables), resamples)
    counts = model_counts(len(ids), resamples=resamples, seed=seed)
    losses = [model_losses(metric, targets, table, starts) for table in tables]
    sums = np.array(losses).reshape(-1, len(ids)) @ counts.T.astype(np.float64)
    if metric == "r2":
        whole = resampled_spread(targets, starts, counts)
    else:
        whole = counts @ np.diff(starts, append=len(targets))
    scores: np.ndarray = 1 - sums / whole
    return scores


def resampled_kendall_tau(
    targets: Column, predictions: Table, starts: Starts, counts: Counts
) -> Scores:
    """τ-b of each resample: its three sums over pairs of snapshots, from pairs of models.

    A snapshot drawn twice is tied with itself in targets and predictions and adds nothing. So each
    sum is the quadratic form of the counts with the matrix of sums per pair of models. The matrices
    take one pass over all pairs of snapshots, which is faster than a thousand sorts.
    """
    scores = np.zeros(len(counts))
    for row in predictions:
        agreeing, distinct_targets, distinct_predictions = (
            np.einsum("rm,rm->r", counts @ sums, counts) for sums in pair_sums(targets, row, starts)
        )
        pairs = np.sqrt(distinct_targets * distinct_predictions)
        scores += agreeing / np.where(pairs > 0, pairs, np.nan)
    scores /= len(predictions)
    return scores


def pair_sums(
    targets: Column, predictions: Column, starts: Starts
) -> Float64[np.ndarray, "3 models models"]:
    """Return three sums over the pairs of snapshots of each pair of models.

    The first adds 1 for a pair that targets and predictions order alike and -1 for one they order
    differently. The second counts pairs with different targets, the third pairs with different
    predictions.
    """
    sums = np.zeros((3, len(starts), len(starts)))
    for model, (first, stop) in enumerate(pairwise([*starts.tolist(), len(targets)])):
        target, predicted = (compare(values, first, stop) for values in (targets, predictions))
        products = (target * predicted, target * target, predicted * predicted)
        per_snapshot = np.stack([product.sum(axis=0, dtype=np.int32) for product in products])
        per_model = np.add.reduceat(per_snapshot, starts[model:] - first, axis=1, dtype=np.int64)
        sums[:, model, model:] = per_model
        sums[:, model:, model] = per_model
    return sums


def compare(values: Column, first: int, stop: int) -> Int8[np.ndarray, "mine others"]:
    """Return the sign of each value in ``first:stop`` minus each value from ``first`` on."""
    mine, others = values[first:stop, None], values[first:]
    signs: np.ndarray = (mine > others).view(np.int8) - (mine < others).view(np.int8)
    return signs


RESAMPLED: dict[MetricName, Callable[[Column, Table, Starts, Counts], Scores]] = {
    "r2": resampled_r2,
    "accuracy": resampled_accuracy,
    "kendall_tau": resampled_kendall_tau,
}
