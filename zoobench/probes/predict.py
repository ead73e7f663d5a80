"""Predict the test split from embeddings, with one probe fit per seed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Shaped

from zoobench.embedders.embed import Embeddings
from zoobench.probes.probe import Probe
from zoobench.task.tasks import Task
from zoogen import SPLITS, Split, ZooError

if TYPE_CHECKING:
    import pandas as pd

    Tables = Mapping[Split, pd.DataFrame]


NARROW = 512
"""Largest number of features for which threads help a probe little, and hurt on busy cores."""


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """The predictions of one task.

    Attributes:
        rows: Whether each snapshot of the test split has a target.
        values: Predictions per seed and row with a target: float32 numbers or class labels.
        penalties: Penalties chosen on the validation split, one per seed.
        validation_scores: Scores the penalties were chosen by, one per seed.
    """

    rows: Bool[np.ndarray, " snapshots"]
    values: Shaped[np.ndarray, "seeds _rows"]
    penalties: tuple[float, ...]
    validation_scores: tuple[float, ...]


def known_rows(table: "pd.DataFrame", task: Task) -> Bool[np.ndarray, " snapshots"]:
    """Tell which snapshots have a target; a task is fitted and scored on them only."""
    return np.asarray(table[task.target].notna())


def batches(tasks: Sequence[Task], tables: "Tables") -> list[list[Task]]:
    """Group tasks for a probe to fit at once.

    Regressions with the same rows share a decomposition; classifications are fitted one by one.
    """
    groups: dict[object, list[Task]] = {}
    for task in tasks:
        rows = tuple(known_rows(tables[split], task).tobytes() for split in SPLITS)
        key = rows if task.kind == "regression" else task.id
        groups.setdefault(key, []).append(task)
    return list(groups.values())


def unlearnable(task: Task, tables: "Tables") -> str:
    """Return why no probe can learn a task from these models; empty if one can."""
    if task.kind != "classification":
        return ""
    known, asked = (
        set(tables[split].loc[known_rows(tables[split], task), task.target].astype(str))
        for split in ("train", "test")
    )
    only = f"the train split has only {', '.join(sorted(known)) or 'missing values'}"
    if asked - known:
        return f"{only}, the test split also {', '.join(sorted(asked - known))}"
    return f"{only}, expected two or more" if len(known) < 2 else ""


def predict(
    embeddings: Sequence[Embeddings], tables: "Tables", batch: Sequence[Task], probe: Probe
) -> list[Prediction]:
    """Fit a probe to one batch of tasks, once for each seed's embeddings.

    Args:
        embeddings: Embeddings of each seed, rows as in ``tables``.
        tables: Properties of each split.
        batch: Tasks as ``batches`` groups them.
        probe: Probe to fit on the train split and to choose on the validation split.
    """
    from threadpoolctl import threadpool_limits

    rows = {split: known_rows(tables[split], batch[0]) for split in SPLITS}
    runs = [{split: run[split][rows[split]] for split in SPLITS} for run in embeddings]
    shown = {split: tables[split][rows[split]] for split in SPLITS}
    narrow = runs[0]["train"].shape[1] <= NARROW
    with threadpool_limits(1 if narrow else None, user_api="blas"):
        if batch[0].kind == "classification":
            return [predict_classes(runs, shown, batch[0], probe, rows["test"])]
        return predict_numbers(runs, shown, batch, probe, rows["test"])


def predict_numbers(
    runs: Sequence[Embeddings],
    tables: "Tables",
    tasks: Sequence[Task],
    probe: Probe,
    rows: Bool[np.ndarray, " snapshots"],
) -> list[Prediction]:
    """Predict several numeric properties at once."""
    columns = [task.target for task in tasks]
    targets = {split: table[columns].to_numpy(np.float64) for split, table in tables.items()}
    fits = [
        probe.regress(run["train"], targets["train"], run["validation"], targets["validation"])
        for run in runs
    ]
    values = np.stack([fit.map(run["test"]) for fit, run in zip(fits, runs, strict=True)])
    return [
        Prediction(
            rows=rows,
            values=values[:, :, place].astype(np.float32),
            penalties=tuple(fit.penalties[place] for fit in fits),
            validation_scores=tuple(fit.validation_scores[place] for fit in fits),
        )
        for place in range(len(tasks))
    ]


def predict_classes(
    runs: Sequence[Embeddings],
    tables: "Tables",
    task: Task,
    probe: Probe,
    rows: Bool[np.ndarray, " snapshots"],
) -> Prediction:
    """Predict the value of a property that was chosen for the training of each snapshot.

    Raises:
        ZooError: If the train split of a partial zoo lacks a value, or has only one.
    """
    if reason := unlearnable(task, tables):
        raise ZooError(f"task {task.id}: {reason}; build more models of the zoo")
    columns = {split: table[task.target].to_numpy(str) for split, table in tables.items()}
    values = np.unique(np.concatenate(list(columns.values())))
    labels = {split: np.searchsorted(values, column) for split, column in columns.items()}
    fits = [
        probe.classify(
            run["train"],
            labels["train"],
            run["validation"],
            labels["validation"],
            classes=len(values),
        )
        for run in runs
    ]
    chosen = [fit.map(run["test"]).argmax(axis=1) for fit, run in zip(fits, runs, strict=True)]
    return Prediction(
        rows=rows,
        values=values[np.stack(chosen)],
        penalties=tuple(fit.penalties[0] for fit in fits),
        validation_scores=tuple(fit.validation_scores[0] for fit in fits),
    )
