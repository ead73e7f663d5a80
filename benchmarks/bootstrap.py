"""Intervals of all tasks of tetris-seed against gathering the snapshots of each resample."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float, Int64
from sklearn.metrics import r2_score

from benchmarks.ratio import Ratio, seconds
from zoobench.embedders.embed import embed
from zoobench.embedders.find import find_embedder
from zoobench.probes.predict import predict
from zoobench.probes.probe import PROBES
from zoobench.results.bootstrap import model_interval
from zoobench.task.tasks import find_tasks
from zoogen import SPLITS, load_zoo

RESAMPLES, RUNS, TIMED = 1000, 5, 20

CLAIM = (
    "Intervals of the scores of layer statistics on all seven tasks of tetris-seed (11 250 "
    f"snapshots of 150 test models), from {RESAMPLES} resamples of models each; median of {RUNS} "
    "runs. The first peer is a budget of 2 s. The second gathers the snapshots of each resample "
    f"and passes them to scikit-learn's r2_score; we time {TIMED} resamples a task and scale up."
)

Scored = tuple[Float[np.ndarray, " snapshots"], Float[np.ndarray, "seeds snapshots"]]


def predictions() -> tuple[Int64[np.ndarray, " snapshots"], list[Scored]]:
    """Return the model of each test snapshot, and targets and predictions of every task."""
    zoo = load_zoo("tetris-seed")
    tables = {split: zoo.part(split).properties for split in SPLITS}
    tasks = find_tasks(zoo.spec, [])
    runs = [embed(find_embedder("weight-statistics"), zoo, seed=0).splits]
    guesses = predict(runs, tables, tasks, PROBES["standard"])
    test = tables["test"]
    return test["model"].to_numpy(), [
        (test[task.target].to_numpy(np.float64), guess.values)
        for task, guess in zip(tasks, guesses, strict=True)
    ]


def gathered_scores(
    targets: Float[np.ndarray, " snapshots"],
    guesses: Float[np.ndarray, "seeds snapshots"],
    models: Int64[np.ndarray, " snapshots"],
    resamples: int,
) -> Iterator[float]:
    """Score resamples of models by definition: gather the snapshots of the drawn models."""
    draw = np.random.default_rng(0)
    rows_of = [np.flatnonzero(models == model) for model in np.unique(models)]
    for _ in range(resamples):
        drawn = draw.integers(len(rows_of), size=len(rows_of))
        rows = np.concatenate([rows_of[model] for model in drawn])
        yield float(np.mean([r2_score(targets[rows], guess[rows]) for guess in guesses]))


def measure() -> list[Ratio]:
    """Time the intervals of all tasks, and a few resamples of each by definition."""
    models, scored = predictions()

    def ours() -> None:
        for targets, guesses in scored:
            model_interval("r2", targets, guesses, models, resamples=RESAMPLES)

    def peer() -> None:
        for targets, guesses in scored:
            list(gathered_scores(targets, guesses, models, TIMED))

    taken = seconds(ours, runs=RUNS)
    name = f"{len(scored)} tasks × {RESAMPLES} resamples"
    return [
        Ratio(name=f"{name}, against 2 s", ours=taken, peer=2, required=1),
        Ratio(
            name=f"{name}, against gathering",
            ours=taken,
            peer=seconds(peer, runs=1) * RESAMPLES / TIMED,
        ),
    ]
