"""What the page shows of one submission when its row is opened."""

from collections.abc import Mapping
from functools import cache
from shlex import join
from typing import Any

import numpy as np

from zoobench.board.board import Truth
from zoobench.board.entry import Entry, OnZoo
from zoobench.evaluation.score import comparable
from zoobench.results.results import EmbedderStamp
from zoobench.task.metrics import METRICS
from zoobench.task.tasks import Task

POINTS = 150
"""How many snapshots are drawn of a test split: the same for every submission."""


def details(entry: Entry, truths: Mapping[str, Truth]) -> dict[str, Any]:
    """Return settings, command, provenance and predictions of a submission, by zoo."""
    return {zoo: zoo_details(on_zoo, truths[zoo]) for zoo, on_zoo in entry.zoos.items()}


def zoo_details(on_zoo: OnZoo, truth: Truth) -> dict[str, Any]:
    """Return what is to be known of one result."""
    result = on_zoo.result
    by = result.embedder
    return {
        "command": command(on_zoo),
        "embedder": by.cls,
        "settings": by.settings,
        "commit": by.commit,
        "code_sha256": by.code_sha256,
        "seeds": len(result.seeds),
        "dim": result.embedding_dim,
        "seconds": [rounded_number(seconds) for seconds in result.embedding_seconds],
        "kept": kept(on_zoo),
        "machine": result.machine,
        "versions": result.versions,
        "tasks": {
            task.task: {
                "seeds": seed_scores(truth, truth.tasks[task.task], on_zoo.predictions[task.task]),
                **shown(truth, truth.tasks[task.task], on_zoo.predictions[task.task][0]),
            }
            for task in result.tasks
        },
    }


def kept(on_zoo: OnZoo) -> dict[str, float | None] | None:
    """Return the R² of the reconstruction with its interval, if there is one; it has no rank."""
    found = on_zoo.result.reconstruction
    if found is None:
        return None
    numbers = {"s": found.mean, "lo": found.interval[0], "hi": found.interval[1]}
    return {name: rounded_number(number) for name, number in numbers.items()}


def command(on_zoo: OnZoo) -> str:
    """Return the command that makes a result, quoted: whoever copies it runs nothing else."""
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


def changed_settings(by: EmbedderStamp) -> dict[str, str]:
    """Return the settings that were changed, as they are typed: a result has them in its name.

    ``pca-linear,dim=10`` says that ``dim`` was changed; to what, say the settings.
    """
    keys = (part.partition("=")[0] for part in by.name.split(",")[1:] if "=" in part)
    values = {key: by.settings[key] for key in keys if key in by.settings}
    return {key: value if isinstance(value, str) else repr(value) for key, value in values.items()}


def seed_scores(truth: Truth, task: Task, predictions: np.ndarray) -> list[float | None]:
    """Score each run of an embedder that was run more than once: from the predictions."""
    if len(predictions) == 1:
        return []
    targets, guesses = comparable(task.kind, truth.rows[task.id][task.target], predictions)
    return [rounded_number(METRICS[task.metric](targets, guess)) for guess in guesses]


def shown(truth: Truth, task: Task, predictions: np.ndarray) -> dict[str, Any]:
    """Return some true and predicted numbers, or how often each class was taken for which."""
    targets = truth.rows[task.id][task.target].to_numpy()
    if task.kind == "classification":
        classes = sorted({*targets.tolist(), *predictions.tolist()})
        found = [np.searchsorted(classes, labels.astype(str)) for labels in (targets, predictions)]
        counts = np.zeros((len(classes), len(classes)), dtype=int)
        np.add.at(counts, tuple(found), 1)
        return {"classes": classes, "counts": counts.tolist()}
    some = drawn_rows(len(targets))
    return {"true": short(targets[some]), "predicted": short(predictions[some])}


@cache
def drawn_rows(rows: int) -> np.ndarray:
    """Choose which snapshots are drawn."""
    return np.random.default_rng(0).permutation(rows)[:POINTS]


def short(numbers: np.ndarray) -> list[float]:
    """Keep four digits of each number."""
    wide = numbers.astype(np.float64)
    digits = 10.0 ** (3 - np.floor(np.log10(np.maximum(np.abs(wide), 1e-9))))
    kept: list[float] = (np.round(wide * digits) / digits).tolist()
    return kept


def rounded_number(number: float | None) -> float | None:
    """Keep four digits, more than a drawing shows."""
    return None if number is None or not np.isfinite(number) else float(f"{number:.4g}")
