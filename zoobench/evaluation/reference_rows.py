"""Reference rows: chance, and a guess from hyper-parameters without the weights."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from zoobench.embedders.provenance import code_sha256, commit_of
from zoobench.evaluation.evaluate import open_record, score_tasks
from zoobench.probes.predict import Prediction, known_rows
from zoobench.results.record import Record
from zoobench.results.stamps import EmbedderStamp
from zoobench.task.pair import ZooPair
from zoobench.task.targets import targets
from zoobench.task.tasks import Task
from zoogen import SPLITS, AnySpec, Zoo

if TYPE_CHECKING:
    import pandas as pd

    from zoobench.probes.predict import Tables

REFERENCE_PROBE = "reference"
STATISTICS = "weight-statistics"

Guess = Callable[["pd.DataFrame", "pd.DataFrame", Task, AnySpec], Shaped[np.ndarray, " snapshots"]]


def chance(
    train: "pd.DataFrame",
    test: "pd.DataFrame",
    task: Task,
    spec: AnySpec,  # noqa: ARG001
) -> Shaped[np.ndarray, " snapshots"]:
    """Guess the mean of the train split, or its most frequent value, for every snapshot."""
    seen = train[task.target]
    guess = seen.mean() if task.kind == "regression" else seen.mode().iloc[0]
    return np.full(len(test), guess)


def hyper_parameters(
    train: "pd.DataFrame", test: "pd.DataFrame", task: Task, spec: AnySpec
) -> Shaped[np.ndarray, " snapshots"]:
    """Guess from the epoch and all varied axes but the target.

    Gradient-boosted trees let axes interact in any way.
    """
    axes = (*spec.varied, "epoch")
    columns = [column for column in axes if column in test and column != task.target]
    if not columns:
        return chance(train, test, task, spec)
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    regression = task.kind == "regression"
    trees: Any = HistGradientBoostingRegressor if regression else HistGradientBoostingClassifier
    model = trees(categorical_features="from_dtype", early_stopping=False, random_state=0)
    # On busy cores, threads wait minutes for each other on so small a problem.
    with threadpool_limits(1, user_api="openmp"):
        model.fit(as_features(train[columns]), train[task.target])
        return np.asarray(model.predict(as_features(test[columns])))


def as_features(table: "pd.DataFrame") -> "pd.DataFrame":
    """Turn the columns that hold names into categories."""
    names = table.select_dtypes(exclude="number").columns
    return table.astype(dict.fromkeys(names, "category"))


REFERENCES: dict[str, Guess] = {"chance": chance, "hyper-parameters": hyper_parameters}


def evaluate_reference(
    name: str, zoo: Zoo | ZooPair, tasks: Sequence[Task], *, folder: Path
) -> Record:
    """Score one of ``REFERENCES`` and save its record like that of an embedder.

    Raises:
        ZooError: If the folder cannot be written.
    """
    home = Path(__file__).resolve()
    commit, dirty = commit_of(home)
    stamp = EmbedderStamp(
        name=name,
        reference=f"zoobench.evaluation.reference_rows:{name.replace('-', '_')}",
        cls="zoobench.evaluation.reference_rows",
        settings={},
        code_sha256=code_sha256(home),
        commit=commit,
        dirty=dirty,
    )
    record, missing = open_record(
        stamp, zoo, tasks, probe=REFERENCE_PROBE, seeds=(0,), folder=folder
    )
    return score_tasks(record, zoo, guesses(REFERENCES[name], zoo, missing), folder=folder)


def guesses(
    guess: Guess, zoo: Zoo | ZooPair, tasks: Sequence[Task]
) -> Iterator[tuple[Task, Prediction, float]]:
    """Guess each task on the test split; yield it with the seconds it took."""
    tables: Tables = {split: targets(zoo.part(split)) for split in SPLITS}
    for task in tasks:
        start = perf_counter()
        rows = known_rows(tables["test"], task)
        train = tables["train"][known_rows(tables["train"], task)]
        values = guess(train, tables["test"][rows], task, zoo.spec)
        as_written = np.float32 if task.kind == "regression" else str
        prediction = Prediction(
            rows=rows,
            values=values.astype(as_written)[None],
            penalties=(np.nan,),
            validation_scores=(np.nan,),
        )
        yield task, prediction, perf_counter() - start
