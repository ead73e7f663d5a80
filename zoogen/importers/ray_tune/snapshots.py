"""The table of snapshots of a Ray Tune population, and what it lacks."""

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from zoogen.errors import ZooError
from zoogen.importers.ray_tune.trials import RayTrial
from zoogen.spec.imported import Skipped
from zoogen.spec.split import shared_out
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd

AXES = {
    "model::nlin": "activation",
    "model::init_type": "initialiser",
    "optim::optimizer": "optimiser",
    "optim::lr": "learning_rate",
    "optim::wd": "weight_decay",
    "model::dropout": "dropout",
    "seed": "seed",
}
CONSTANT = (
    "model::type",
    "model::channels_in",
    "model::use_bias",
    "optim::momentum",
    "training::batchsize",
)
MEASURED = {
    "train_loss": "train_loss",
    "train_acc": "train_accuracy",
    "test_loss": "test_loss",
    "test_acc": "test_accuracy",
    "val_loss": "validation_loss",
    "val_acc": "validation_accuracy",
}


def snapshot_rows(trials: Sequence[RayTrial], name: str) -> "pd.DataFrame":
    """Return one row per snapshot that has both a checkpoint and a result.

    Raises:
        ZooError: If there is none, or settings cannot be stored.
    """
    import pandas as pd

    splits = shared_out(name, range(len(trials)))
    rows = [
        {
            "model": model,
            "run": PurePosixPath(trial.name).name,
            "epoch": epoch,
            "split": splits[model],
            **{ours: trial.settings[key] for key, ours in AXES.items() if key in trial.settings},
            **{MEASURED[key]: value for key, value in trial.results.logged[epoch].items()},
            "file": file,
        }
        for model, trial in enumerate(trials)
        for epoch, file in sorted(trial.checkpoints.items())
        if epoch in trial.results.logged
    ]
    if not rows:
        raise ZooError("no trial has both a checkpoint and a result for the same epoch")
    table = pd.DataFrame(rows)
    check_settings(table)
    if "train_accuracy" in table:
        table["generalisation_gap"] = table["train_accuracy"] - table["test_accuracy"]
    return table


def check_settings(table: "pd.DataFrame") -> None:
    """Check that settings are words or numbers, and that all trials have the same ones.

    Raises:
        ZooError: If not.
    """
    for name in (name for name in AXES.values() if name in table):
        odd = table[name].map(lambda value: isinstance(value, list | dict))
        if odd.any():
            run, value = table["run"][odd].iloc[0], table[name][odd].iloc[0]
            raise ZooError(f"{run}: {name} is {value!r:.100}, expected a word or a number")
    for name in (name for name in AXES.values() if name in table):
        if table[name].isna().any():
            run = table["run"][table[name].isna()].iloc[0]
            raise ZooError(f"{run} has no {name}, other trials do; leave out one or the other")
    if "activation" not in table or "test_accuracy" not in table:
        raise ZooError("expected model::nlin in the settings and test_acc in the results")


def shares_starts(snapshots: "pd.DataFrame") -> bool:
    """Return whether models share a starting point: initialiser and seed."""
    named = [column for column in ("initialiser", "seed") if column in snapshots]
    starts = snapshots.drop_duplicates(named) if named else snapshots.iloc[:1]
    return "seed" in named and len(starts) < snapshots["model"].nunique()


def constants(trials: Sequence[RayTrial]) -> tuple[tuple[str, str], ...]:
    """Return settings that all trials share and that we have no column for."""
    first = trials[0].settings
    present = [key for key in CONSTANT if key in first]
    shared = [key for key in present if all(t.settings.get(key) == first[key] for t in trials)]
    return tuple((key, str(first[key])) for key in shared)


def missing_epochs(trials: Sequence[RayTrial]) -> tuple[Skipped, ...]:
    """List checkpoints without a result, results without a checkpoint, and early ends."""
    every = {epoch for trial in trials for epoch in trial.checkpoints}
    skipped = list[Skipped]()
    for trial in trials:
        saved, logged = set(trial.checkpoints), set(trial.results.logged)
        last = max(logged, default=-1)
        gaps: Mapping[str, set[int]] = {
            "no result for the checkpoint": saved - logged,
            "no checkpoint for the result": logged - saved,
            "the trial ended early": {epoch for epoch in every if epoch > last} - saved,
        }
        run = PurePosixPath(trial.name).name
        skipped += [
            Skipped(run=run, epochs=tuple(sorted(epochs)), reason=reason)
            for reason, epochs in gaps.items()
            if epochs
        ]
    return tuple(skipped)


def line_check(trials: Sequence[RayTrial]) -> Check:
    """Report repeated and unreadable lines of results."""
    repeated = sum(trial.results.repeated for trial in trials)
    broken = sum(trial.results.broken for trial in trials)
    return Check(
        name="lines of results",
        outcome="noted" if repeated or broken else "passed",
        detail=f"{repeated} repeated, the last one counts; {broken} unreadable",
    )
