"""Score predictions and reconstructions, with intervals, and write them to files."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from zoobench.embedders.embed import Embedded
from zoobench.probes.predict import Prediction
from zoobench.results.bootstrap import model_interval, reconstruction_interval
from zoobench.results.files import write_table
from zoobench.results.record import RECONSTRUCTION, ReconstructionResult, TaskResult
from zoobench.task.metrics import METRICS, kendall_tau_ceiling
from zoobench.task.tasks import Kind, Task

if TYPE_CHECKING:
    import pandas as pd


def score_task(
    folder: Path, test: "pd.DataFrame", task: Task, prediction: Prediction, *, seconds: float
) -> TaskResult:
    """Score a prediction on the test split, with its interval, and write it to ``folder``.

    Scores are those of the written float32 numbers, so readers of the file get the same.
    """
    import pandas as pd

    rows = test[prediction.rows]
    scores, interval = scores_of(task, rows, prediction.values)
    ceiling = None
    if task.metric == "kendall_tau":
        ceiling = finite_or_none(kendall_tau_ceiling(rows[task.target].to_numpy(np.float64)))
    written = pd.DataFrame({"model": rows["model"], "epoch": rows["epoch"]})
    for number, column in enumerate(prediction.values):
        written[f"seed_{number}"] = column
    return TaskResult(
        task=task.id,
        version=task.version,
        target=task.target,
        kind=task.kind,
        metric=task.metric,
        scores=scores,
        interval=interval,
        penalties=tuple(map(finite_or_none, prediction.penalties)),
        validation_scores=tuple(map(finite_or_none, prediction.validation_scores)),
        rows=len(rows),
        seconds=seconds,
        predictions_sha256=write_table(folder, task.id, written),
        ceiling=ceiling,
    )


def scores_of(
    task: Task, rows: "pd.DataFrame", values: Shaped[np.ndarray, "seeds rows"]
) -> tuple[tuple[float | None, ...], tuple[float | None, float | None]]:
    """Score the predictions of one task.

    Args:
        task: Task that is predicted.
        rows: Properties of the snapshots with a target, among them ``model`` and the target.
        values: Predictions, one row per seed.

    Returns:
        One score per seed, and the interval of their mean.
    """
    truth, guesses = comparable(task.kind, rows[task.target], values)
    metric = METRICS[task.metric]
    low, high = model_interval(task.metric, truth, guesses, rows["model"].to_numpy())
    scores = tuple(finite_or_none(metric(truth, guess)) for guess in guesses)
    return scores, (finite_or_none(low), finite_or_none(high))


def comparable(
    kind: Kind, truth: "pd.Series[Any]", *guesses: Shaped[np.ndarray, "_seeds rows"]
) -> list[Any]:
    """Return numbers as they are, and labels as codes that mean the same in all arrays."""
    if kind == "regression":
        return [truth.to_numpy(np.float64), *guesses]
    arrays = [truth.to_numpy(str), *guesses]
    _, codes = np.unique(np.concatenate([array.ravel() for array in arrays]), return_inverse=True)
    ends = np.cumsum([array.size for array in arrays])[:-1]
    parts = np.split(codes, ends)
    return [part.reshape(array.shape) for part, array in zip(parts, arrays, strict=True)]


def score_reconstruction(
    folder: Path, test: "pd.DataFrame", runs: Sequence[Embedded]
) -> ReconstructionResult | None:
    """Score the reconstruction of the test split, once per seed, and write its errors."""
    found = [run.errors for run in runs if run.errors is not None]
    if len(found) < len(runs):
        return None
    errors = np.stack(found)
    models = test["model"].to_numpy()
    scores, interval = reconstruction_scores(errors, models)
    digest = write_errors(folder, test, errors)
    return ReconstructionResult(scores=scores, interval=interval, errors_sha256=digest)


def write_errors(
    folder: Path,
    test: "pd.DataFrame",
    errors: Float64[np.ndarray, "seeds 2 rows"],
    *,
    compression: Literal["snappy", "zstd"] = "snappy",
) -> str:
    """Write the ``squared_errors`` of every seed; return the hash of the file."""
    import pandas as pd

    written = pd.DataFrame({"model": test["model"].to_numpy(), "epoch": test["epoch"].to_numpy()})
    for number, (squared, deviations) in enumerate(errors):
        written[f"seed_{number}"], written[f"spread_{number}"] = squared, deviations
    return write_table(folder, RECONSTRUCTION, written, compression=compression)


def reconstruction_scores(
    errors: Float64[np.ndarray, "seeds 2 rows"], models: Int64[np.ndarray, " rows"]
) -> tuple[tuple[float | None, ...], tuple[float | None, float | None]]:
    """Return the R² of each seed from its ``squared_errors``, and the interval of their mean."""
    wrong, spread = errors.sum(axis=2).T
    low, high = reconstruction_interval(errors, models)
    r2 = 1 - wrong / np.where(spread > 0, spread, np.nan)
    return tuple(map(finite_or_none, r2)), (finite_or_none(low), finite_or_none(high))


def finite_or_none(number: float) -> float | None:
    """Return a number, or None if it is not finite: JSON has no NaN."""
    return float(number) if isfinite(number) else None
