"""The rows every score is read against: knowing nothing, and knowing all but the weights."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from zoobench.embedders.provenance import code_sha256, commit_of
from zoobench.evaluation.evaluate import finish, start
from zoobench.probes.predict import Prediction, known_rows
from zoobench.results.results import EmbedderStamp, Result
from zoobench.task.pair import ZooPair
from zoobench.task.targets import targets
from zoobench.task.tasks import Task
from zoogen import SPLITS, AnySpec, Zoo

if TYPE_CHECKING:
    import pandas as pd

    from zoobench.probes.predict import Tables

PROBE = "reference"
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
    """Guess from all that was chosen but the target: the varied axes and the epoch.

    Gradient-boosted trees, so that axes may interact in any way.
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
    # On busy cores the threads of so small a problem spend minutes waiting for each other.
    with threadpool_limits(1, user_api="openmp"):
        model.fit(as_features(train[columns]), train[task.target])
        return np.asarray(model.predict(as_features(test[columns])))


def as_features(table: "pd.DataFrame") -> "pd.DataFrame":
    """Mark the columns that hold names as categories."""
    names = table.select_dtypes(exclude="number").columns
    return table.astype(dict.fromkeys(names, "category"))


REFERENCES: dict[str, Guess] = {"chance": chance, "hyper-parameters": hyper_parameters}


def evaluate_reference(
    name: str, zoo: Zoo | ZooPair, tasks: Sequence[Task], *, folder: Path
) -> Result:
    """Score one of ``REFERENCES`` and keep the result as that of any embedder.

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
    result, missing = start(stamp, zoo, tasks, probe=PROBE, seeds=(0,), folder=folder)
    return finish(result, zoo, guesses(REFERENCES[name], zoo, missing), folder=folder)


def guesses(
    guess: Guess, zoo: Zoo | ZooPair, tasks: Sequence[Task]
) -> Iterator[tuple[Task, Prediction, float]]:
    """Guess every task for the test split."""
    tables: Tables = {split: targets(zoo.part(split)) for split in SPLITS}
    for task in tasks:
        begin = perf_counter()
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
        yield task, prediction, perf_counter() - begin
