"""What the page shows of one submission when its row is opened."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from zoobench.board import Truth
from zoobench.entry import Entry, OnZoo
from zoobench.tasks import Task

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
        "machine": result.machine,
        "versions": result.versions,
        "tasks": {
            task.task: {
                "seeds": [rounded_number(score) for score in task.scores],
                **shown(truth, truth.tasks[task.task], on_zoo.predictions[task.task][0]),
            }
            for task in result.tasks
        },
    }


def command(on_zoo: OnZoo) -> str:
    """Return the command that makes a result; settings that were changed are in its name."""
    result = on_zoo.result
    if result.probe == "reference":
        return f"zoobench evaluate weight-statistics --zoo {result.zoo.name}"
    words = ["zoobench", "evaluate", result.embedder.reference, "--zoo", result.zoo.name]
    for setting in changed_settings(result.embedder.name):
        words += ["--set", setting]
    if result.probe != "standard":
        words += ["--probe", result.probe]
    if len(result.seeds) > 1:
        words += ["--seeds", str(len(result.seeds))]
    return " ".join(words)


def changed_settings(name: str) -> list[str]:
    """Return the settings in the name of a result: ``pca-linear,dim=10`` has ``dim=10``."""
    return [part for part in name.split(",")[1:] if "=" in part]


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
