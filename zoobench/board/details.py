"""The details that the page shows when the row of a submission is open."""

from collections.abc import Mapping
from functools import cache
from shlex import join
from typing import Any

import numpy as np

from zoobench.board.board import Truth
from zoobench.board.entry import Entry, OnZoo
from zoobench.evaluation.score import comparable
from zoobench.results.stamps import EmbedderStamp
from zoobench.task.metrics import METRICS
from zoobench.task.tasks import Task

POINTS = 150
"""Number of snapshots plotted from a test split, the same ones for every submission."""


def details(entry: Entry, truths: Mapping[str, Truth]) -> dict[str, Any]:
    """Return command, settings, provenance and predictions of a submission, by zoo."""
    return {zoo: zoo_details(on_zoo, truths[zoo]) for zoo, on_zoo in entry.zoos.items()}


def zoo_details(on_zoo: OnZoo, truth: Truth) -> dict[str, Any]:
    """Return the details of one result."""
    result = on_zoo.result
    embedder = result.embedder
    return {
        "command": command(on_zoo),
        "embedder": embedder.cls,
        "settings": embedder.settings,
        "commit": embedder.commit,
        "code_sha256": embedder.code_sha256,
        "seeds": len(result.seeds),
        "dim": result.embedding_dim,
        "seconds": [rounded_number(seconds) for seconds in result.embedding_seconds],
        "kept": reconstruction_cell(on_zoo),
        "machine": result.machine,
        "versions": result.versions,
        "tasks": {
            task.task: {
                "seeds": seed_scores(truth, truth.tasks[task.task], on_zoo.predictions[task.task]),
                **plotted(truth, truth.tasks[task.task], on_zoo.predictions[task.task][0]),
            }
            for task in result.tasks
        },
    }


def reconstruction_cell(on_zoo: OnZoo) -> dict[str, float | None] | None:
    """Return the R² of the reconstruction with its interval, if any; it has no rank."""
    reconstruction = on_zoo.result.reconstruction
    if reconstruction is None:
        return None
    low, high = reconstruction.interval
    numbers = {"s": reconstruction.mean, "lo": low, "hi": high}
    return {name: rounded_number(number) for name, number in numbers.items()}


def command(on_zoo: OnZoo) -> str:
    """Return the command that makes a result, quoted so that a copy of it runs nothing else."""
    result = on_zoo.result
    if result.probe == "reference":
        return f"zoobench evaluate weight-statistics --zoo {result.zoo.name}"
    words = ["zoobench", "evaluate", result.embedder.reference, "--zoo", result.zoo.name]
    for key, value in changed_settings(result.embedder).items():
        words += ["--set", f"{key}={value}"]
    if result.probe != "standard":
        words += ["--probe", result.probe]
    if len(result.seeds) > 1:
        words += ["--seeds", str(len(result.seeds))]
    return join(words)


def changed_settings(embedder: EmbedderStamp) -> dict[str, str]:
    """Return the settings that a user changed, as typed.

    A stamp holds all settings but not their defaults, so only the name tells which were changed:
    ``pca-linear,dim=10``. The values come from the settings, since a name replaces characters.
    """
    keys = (part.partition("=")[0] for part in embedder.name.split(",")[1:] if "=" in part)
    values = {key: embedder.settings[key] for key in keys if key in embedder.settings}
    return {key: value if isinstance(value, str) else repr(value) for key, value in values.items()}


def seed_scores(truth: Truth, task: Task, predictions: np.ndarray) -> list[float | None]:
    """Score the predictions of each seed if there is more than one."""
    if len(predictions) == 1:
        return []
    targets, guesses = comparable(task.kind, truth.rows[task.id][task.target], predictions)
    return [rounded_number(METRICS[task.metric](targets, guess)) for guess in guesses]


def plotted(truth: Truth, task: Task, predictions: np.ndarray) -> dict[str, Any]:
    """Return a sample of true and predicted numbers, or the confusion matrix of the classes."""
    targets = truth.rows[task.id][task.target].to_numpy()
    if task.kind == "classification":
        classes = sorted({*targets.tolist(), *predictions.tolist()})
        found = [np.searchsorted(classes, labels.astype(str)) for labels in (targets, predictions)]
        counts = np.zeros((len(classes), len(classes)), dtype=int)
        np.add.at(counts, tuple(found), 1)
        return {"classes": classes, "counts": counts.tolist()}
    some = plotted_rows(len(targets))
    return {
        "true": rounded_numbers(targets[some]),
        "predicted": rounded_numbers(predictions[some]),
    }


@cache
def plotted_rows(rows: int) -> np.ndarray:
    """Draw the rows of a test split to plot."""
    return np.random.default_rng(0).permutation(rows)[:POINTS]


def rounded_numbers(numbers: np.ndarray) -> list[float]:
    """Round each number to four digits."""
    wide = numbers.astype(np.float64)
    digits = 10.0 ** (3 - np.floor(np.log10(np.maximum(np.abs(wide), 1e-9))))
    rounded: list[float] = (np.round(wide * digits) / digits).tolist()
    return rounded


def rounded_number(number: float | None) -> float | None:
    """Round a number to four digits, more than the page shows; None if it is not finite."""
    return None if number is None or not np.isfinite(number) else float(f"{number:.4g}")
