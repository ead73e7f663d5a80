"""How much better one result is than another on the same networks, and how surely."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Shaped

from zoobench.evaluation.score import comparable
from zoobench.results.bootstrap import Errors, kept_interval, paired_interval
from zoobench.results.results import (
    RECONSTRUCTION,
    Result,
    TaskResult,
    read_errors,
    read_predictions,
)
from zoobench.results.store import result_folder
from zoobench.task.pair import ZooPair
from zoogen import Zoo

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Difference:
    """A score minus another, with its 95 % bootstrap interval over models.

    Both scores are taken on the same resamples, so what makes a model hard for both cancels.
    """

    mean: float
    low: float
    high: float

    @property
    def is_above(self) -> bool:
        """Whether the first score is surely the higher one."""
        return self.low > 0

    @property
    def is_below(self) -> bool:
        """Whether it is surely the lower one."""
        return self.high < 0


def difference(
    root: Path, zoo: Zoo | ZooPair, a: Result, b: Result, column: str
) -> Difference | None:
    """Compare two results on one task, or on how well they reconstruct; None if one has no score.

    Args:
        root: Folder of all results.
        zoo: Which both are of.
        a: Whose score is taken.
        b: Whose score is taken from it.
        column: A task id or ``rec``.

    Raises:
        IntegrityError: If a file of predictions is not the one its result names.
    """
    if column == RECONSTRUCTION:
        return reconstruction_difference(root, zoo, a, b)
    mine, other = a.by_task.get(column), b.by_task.get(column)
    if mine is None or other is None or mine.mean is None or other.mean is None:
        return None
    test = zoo.test.properties
    rows = test[test[mine.target].notna()]
    targets, guesses, others = comparable(
        mine.kind, rows[mine.target], predictions(root, a, mine), predictions(root, b, other)
    )
    models = rows["model"].to_numpy()
    return Difference(
        mine.mean - other.mean, *paired_interval(mine.metric, targets, guesses, others, models)
    )


def predictions(
    root: Path, result: Result, task: TaskResult
) -> Shaped[np.ndarray, "seeds snapshots"]:
    """Read what a probe said of each snapshot."""
    table = read_predictions(folder_of(root, result), task)
    values = table.filter(like="seed_").to_numpy().T
    return values if task.kind == "regression" else values.astype(str)


def folder_of(root: Path, result: Result) -> Path:
    """Return where a result lies."""
    return result_folder(root, result.embedder.name, result.zoos, result.probe)


def reconstruction_difference(
    root: Path, zoo: Zoo | ZooPair, a: Result, b: Result
) -> Difference | None:
    """Compare how well two results reconstruct."""
    if a.reconstruction is None or b.reconstruction is None:
        return None
    means = a.reconstruction.mean, b.reconstruction.mean
    if means[0] is None or means[1] is None:
        return None
    mine = stacked(read_errors(folder_of(root, a), a.reconstruction))
    other = stacked(read_errors(folder_of(root, b), b.reconstruction))
    models = zoo.test.properties["model"].to_numpy()
    return Difference(means[0] - means[1], *kept_interval(mine, models, less=other))


def stacked(errors: "pd.DataFrame") -> Errors:
    """Gather the columns of ``rec.parquet``."""
    parts = [errors.filter(like=kind).to_numpy(np.float64).T for kind in ("seed_", "spread_")]
    return np.stack(parts, axis=1)
