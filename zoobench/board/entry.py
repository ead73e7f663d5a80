"""A submission as the board reads it: who, results, predictions; all but the scores checked."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from zoobench.board.board import Truth
from zoobench.board.predictions import checked_errors, checked_predictions
from zoobench.board.submission import PROBE_OF, SUBMISSION, Submission, read_submission
from zoobench.evaluation.reference_rows import REFERENCES
from zoobench.refusal import plain, refuse, refuse_file
from zoobench.results.results import (
    BENCHMARK,
    RECONSTRUCTION,
    RESULT,
    EmbedderStamp,
    Result,
    TaskResult,
    ZooStamp,
    read_result,
)
from zoobench.task.tasks import Task
from zoogen import UnknownNameError

VERIFIED = "verified.json"
MOST_JSON_BYTES = 1_000_000
MOST_SEEDS = 20


@dataclass(frozen=True, kw_only=True)
class OnZoo:
    """What was submitted of one zoo.

    Attributes:
        result: With the scores that are claimed.
        predictions: By task, one row per seed.
        errors: ``squared_errors`` of every seed, if the embedder reconstructs.
    """

    result: Result
    predictions: Mapping[str, np.ndarray]
    errors: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One submission, by zoo."""

    submission: Submission
    zoos: Mapping[str, OnZoo]


def read_entry(folder: Path, name: str, truths: Mapping[str, Truth]) -> Entry:
    """Read what is to be, or is, the submission ``name``, wherever it lies.

    Everything is checked but that the scores follow from the predictions.

    Args:
        folder: Of the submission.
        name: What the folder is, or will be, called.
        truths: The zoos of the board.

    Raises:
        UnknownNameError: If it has a result on a zoo that is not on the board.
        IntegrityError: If anything is not as it must be; the message names file and field.
    """
    submission = read_submission(folder / SUBMISSION)
    if submission.name != name:
        refuse(folder / SUBMISSION, "name", f"{submission.name!r} lies in a folder called {name!r}")
    zoos = {}
    for path in zoo_folders(folder):
        if path.name not in truths:
            raise UnknownNameError("zoo on the board", path.name, truths)
        zoos[path.name] = read_on_zoo(truths[path.name], path, submission)
    classes = {on_zoo.result.embedder.cls for on_zoo in zoos.values()}
    if len(classes) > 1:
        refuse(folder, "embedder.cls", f"one submission is one embedder, not {sorted(classes)}")
    return Entry(submission=submission, zoos=zoos)


def zoo_folders(folder: Path) -> list[Path]:
    """Return the folders of results in a submission; anything else but its texts is refused."""
    found = sorted(folder.iterdir())
    for path in found:
        if path.is_symlink() or not (path.is_dir() or path.name in {SUBMISSION, VERIFIED}):
            refuse_file(path, "no part of a submission; remove it")
    zoos = [path for path in found if path.is_dir()]
    if not zoos:
        refuse_file(folder, "holds no result of any zoo")
    return zoos


def read_on_zoo(truth: Truth, folder: Path, submission: Submission) -> OnZoo:
    """Read the result on one zoo, checked against the labels but for its scores."""
    path = folder / RESULT
    check_size(path)
    result = read_result(folder)
    check_values(path, json.loads(path.read_bytes()))
    check_header(path, result, truth, submission)
    check_parts(path, result, truth)
    predictions = {
        task.id: read_task(path, result, result.by_task[task.id], task, truth)
        for task in truth.tasks.values()
    }
    return OnZoo(result=result, predictions=predictions, errors=read_errors(path, result, truth))


def check_size(path: Path) -> None:
    """Refuse a file that is none or too large to be read."""
    if path.is_symlink() or not path.is_file():
        refuse_file(path, "missing")
    if (size := path.stat().st_size) > MOST_JSON_BYTES:
        refuse_file(path, f"{size} bytes, at most {MOST_JSON_BYTES} are read")


def check_parts(path: Path, result: Result, truth: Truth) -> None:
    """Check that a result has every task of the zoo once, and no file besides."""
    tables = [*truth.tasks, *([RECONSTRUCTION] if result.reconstruction else [])]
    expected = {RESULT, *(f"{table}.parquet" for table in tables)}
    if extra := sorted({file.name for file in path.parent.iterdir()} - expected):
        refuse_file(path.with_name(extra[0]), "no part of a result; remove it")
    if len(result.by_task) < len(result.tasks):
        refuse(path, "tasks", "a task is there twice")
    for unknown in result.by_task.keys() - truth.tasks.keys():
        refuse(path, "tasks", f"{unknown!r} is no task of {truth.stamp.name} here")
    for task in truth.tasks.keys() - result.by_task.keys():
        refuse(path, "tasks", f"{task!r} is missing; evaluate all tasks (without --task)")


def read_errors(path: Path, result: Result, truth: Truth) -> np.ndarray | None:
    """Read the errors of a reconstruction, if there is one."""
    kept = result.reconstruction
    if kept is None:
        return None
    check_counts(path, "reconstruction", {"scores": kept.scores}, result)
    return checked_errors(path.parent, kept, truth.labels, seeds=len(result.seeds))


def check_counts(
    path: Path, field: str, counted: Mapping[str, Sequence[object]], result: Result
) -> None:
    """Check that there is one number per seed."""
    for name, numbers in counted.items():
        if len(numbers) != len(result.seeds):
            refuse(path, f"{field}.{name}", f"as many as seeds, {len(result.seeds)}, are needed")


def check_values(path: Path, value: Any, field: str = "") -> None:
    """Refuse markup and control characters in any text of a result, and numbers that are none."""
    if isinstance(value, dict):
        for key, item in value.items():
            check_values(path, key, f"{field}.{key}")
            check_values(path, item, f"{field}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            check_values(path, item, f"{field}.{number}")
    elif isinstance(value, float) and not isfinite(value):
        refuse(path, field.removeprefix("."), f"{value} is no number of JSON")
    elif isinstance(value, str):
        try:
            plain(value)
        except ValueError as error:
            refuse(path, field.removeprefix("."), str(error))


def check_header(path: Path, result: Result, truth: Truth, submission: Submission) -> None:
    """Check all that is said of a result as a whole."""
    if result.tested_on is not None:
        refuse(path, "tested_on", f"{result.tested_on.name!r}, a board ranks within zoos")
    if result.benchmark != BENCHMARK:
        refuse(path, "benchmark", f"{result.benchmark!r}, this board holds {BENCHMARK!r}")
    check_zoo(path, result.zoo, truth.stamp)
    probe = PROBE_OF[submission.track]
    if result.probe != probe:
        refuse(path, "probe", f"{result.probe!r}, the track {submission.track} takes {probe!r}")
    by = result.embedder.name
    if submission.track == "reference" and (by not in REFERENCES or by != submission.name):
        refuse(path, "embedder.name", f"{by!r} is not the reference row {submission.name!r}")
    if result.seeds != tuple(range(len(result.seeds))) or not 1 <= len(result.seeds) <= MOST_SEEDS:
        refuse(path, "seeds", f"{result.seeds}, expected 0, 1, … (at most {MOST_SEEDS})")
    check_embedder(path, result.embedder)


def check_zoo(path: Path, zoo: ZooStamp, expected: ZooStamp) -> None:
    """Check that a result is on the whole of the zoo of the board."""
    if zoo.models_built < zoo.models_planned:
        partial = f"{zoo.models_built} of {zoo.models_planned} models"
        refuse(path, "zoo.models_built", f"{partial}: a result on part of a zoo")
    for field in fields(ZooStamp):
        mine, theirs = getattr(zoo, field.name), getattr(expected, field.name)
        if mine != theirs:
            refuse(path, f"zoo.{field.name}", f"{mine!r}, the zoo of this board has {theirs!r}")


def check_embedder(path: Path, by: EmbedderStamp) -> None:
    """Check that others can get the code a result was made with."""
    if by.dirty:
        refuse(path, "embedder.dirty", "the code differs from its commit; commit and evaluate anew")
    if by.commit is None and by.cls.partition(".")[0] != "sklearn":
        refuse(path, "embedder.commit", "the code is in no repository; commit and evaluate anew")
    if by.commit is not None and not re.fullmatch(r"[0-9a-f]{40,64}", by.commit):
        refuse(path, "embedder.commit", f"{by.commit!r} is no hash of a commit")
    if not by.reference:
        refuse(path, "embedder.reference", "nobody can run it again; zoobench evaluate EMBEDDER")
    if Path(by.reference).is_absolute() or ".." in Path(by.reference).parts:
        refuse(path, "embedder.reference", f"{by.reference!r} leads out of the repository")


def read_task(
    path: Path, result: Result, given: TaskResult, task: Task, truth: Truth
) -> np.ndarray:
    """Read the predictions of one task, checked against the snapshots there are."""
    field = f"tasks.{task.id}"
    for name in ("version", "target", "kind", "metric"):
        mine, theirs = getattr(given, name), getattr(task, name)
        if mine != theirs:
            refuse(path, f"{field}.{name}", f"{mine!r}, the task of this board has {theirs!r}")
    if given.ceiling is not None:
        refuse(path, f"{field}.ceiling", f"{given.ceiling}, scores by {given.metric} have none")
    counted = ("scores", "penalties", "validation_scores")
    check_counts(path, field, {name: getattr(given, name) for name in counted}, result)
    rows = truth.rows[task.id]
    if given.rows != len(rows):
        refuse(path, f"{field}.rows", f"{given.rows}, the test split has {len(rows)}")
    return checked_predictions(path.parent, given, rows, seeds=len(result.seeds))
