"""Compare two results on the same networks: the difference of their scores and its interval."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped

from zoobench.evaluation.score import comparable
from zoobench.results.bootstrap import Errors, paired_interval, reconstruction_interval
from zoobench.results.files import read_predictions, read_squared_errors
from zoobench.results.record import RECONSTRUCTION, Record, TaskResult
from zoobench.results.store import result_folder
from zoobench.task.pair import ZooPair
from zoobench.task.targets import targets as targets_of
from zoogen import Zoo

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Difference:
    """The difference of two scores, with its 95 % bootstrap interval over models.

    Both scores come from the same resamples, so what makes a model hard for both cancels.
    """

    mean: float
    low: float
    high: float

    @property
    def is_above(self) -> bool:
        """Whether the first score is surely higher."""
        return self.low > 0

    @property
    def is_below(self) -> bool:
        """Whether the first score is surely lower."""
        return self.high < 0


def difference(
    root: Path, zoo: Zoo | ZooPair, a: Record, b: Record, column: str
) -> Difference | None:
    """Subtract the scores of two results on one task or on reconstruction.

    Args:
        root: Folder of all results.
        zoo: Zoo or pair of both results.
        a: Result with the first score.
        b: Result with the score to subtract.
        column: A task id or ``rec``.

    Returns:
        The difference; None if one result has no score.

    Raises:
        IntegrityError: If a file of predictions is not the one its result names.
    """
    if column == RECONSTRUCTION:
        return reconstruction_difference(root, zoo, a, b)
    mine, other = a.by_task.get(column), b.by_task.get(column)
    if mine is None or other is None or mine.mean is None or other.mean is None:
        return None
    test = targets_of(zoo.test)
    rows = test[test[mine.target].notna()]
    targets, guesses, others = comparable(
        mine.kind, rows[mine.target], predictions(root, a, mine), predictions(root, b, other)
    )
    models = rows["model"].to_numpy()
    return Difference(
        mine.mean - other.mean, *paired_interval(mine.metric, targets, guesses, others, models)
    )


def predictions(
    root: Path, result: Record, task: TaskResult
) -> Shaped[np.ndarray, "seeds snapshots"]:
    """Read the predictions of one task."""
    table = read_predictions(folder_of(root, result), task)
    values = table.filter(like="seed_").to_numpy().T
    return values if task.kind == "regression" else values.astype(str)


def folder_of(root: Path, result: Record) -> Path:
    """Return the folder of a result."""
    return result_folder(root, result.embedder.name, result.zoos, result.probe)


def reconstruction_difference(
    root: Path, zoo: Zoo | ZooPair, a: Record, b: Record
) -> Difference | None:
    """Subtract the R² of two reconstructions."""
    if a.reconstruction is None or b.reconstruction is None:
        return None
    means = a.reconstruction.mean, b.reconstruction.mean
    if means[0] is None or means[1] is None:
        return None
    mine = stacked(read_squared_errors(folder_of(root, a), a.reconstruction))
    other = stacked(read_squared_errors(folder_of(root, b), b.reconstruction))
    models = zoo.test.properties["model"].to_numpy()
    return Difference(means[0] - means[1], *reconstruction_interval(mine, models, less=other))


def stacked(errors: "pd.DataFrame") -> Errors:
    """Return the columns of ``rec.parquet`` as one array."""
    parts = [errors.filter(like=kind).to_numpy(np.float64).T for kind in ("seed_", "spread_")]
    return np.stack(parts, axis=1)
