"""Entries: submissions as the board reads them, with every field checked but the scores."""

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
from zoobench.results.files import RESULT, read_result
from zoobench.results.record import RECONSTRUCTION, Record, TaskResult
from zoobench.results.stamps import BENCHMARK, EmbedderStamp, ZooStamp
from zoobench.task.tasks import Task
from zoogen import UnknownNameError

VERIFIED = "verified.json"
MOST_JSON_BYTES = 1_000_000
MOST_SEEDS = 20


@dataclass(frozen=True, kw_only=True)
class OnZoo:
    """The part of a submission on one zoo.

    Attributes:
        result: Record with the claimed scores.
        predictions: Predictions by task, one row per seed.
        errors: ``squared_errors`` of every seed, if the embedder reconstructs.
    """

    result: Record
    predictions: Mapping[str, np.ndarray]
    errors: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One submission, its results by zoo."""

    submission: Submission
    zoos: Mapping[str, OnZoo]


def read_entry(folder: Path, name: str, truths: Mapping[str, Truth]) -> Entry:
    """Read a submission and check everything but its scores.

    Args:
        folder: Folder of the submission.
        name: Name that the folder has or will have.
        truths: Zoos of the board.

    Raises:
        UnknownNameError: If the submission has a result on a zoo that is not on the board.
        IntegrityError: If a file or field is refused; the message names it.
    """
    submission = read_submission(folder / SUBMISSION)
    if submission.name != name:
        refuse(folder / SUBMISSION, "name", f"{submission.name!r}, expected {name!r}, the folder's")
    zoos = {}
    for path in zoo_folders(folder):
        if path.name not in truths:
            raise UnknownNameError("zoo on the board", path.name, truths)
        zoos[path.name] = read_on_zoo(truths[path.name], path, submission)
    classes = {on_zoo.result.embedder.cls for on_zoo in zoos.values()}
    if len(classes) > 1:
        refuse(folder, "embedder.cls", f"found {sorted(classes)}, expected one embedder")
    return Entry(submission=submission, zoos=zoos)


def zoo_folders(folder: Path) -> list[Path]:
    """Return the folders of results in a submission; refuse any unknown file."""
    found = sorted(folder.iterdir())
    for path in found:
        if path.is_symlink() or not (path.is_dir() or path.name in {SUBMISSION, VERIFIED}):
            refuse_file(path, "not part of a submission; remove it")
    zoos = [path for path in found if path.is_dir()]
    if not zoos:
        refuse_file(folder, "holds no result; add one with zoobench submit")
    return zoos


def read_on_zoo(truth: Truth, folder: Path, submission: Submission) -> OnZoo:
    """Read the result on one zoo and check everything but its scores."""
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
    return OnZoo(
        result=result, predictions=predictions, errors=checked_reconstruction(path, result, truth)
    )


def check_size(path: Path) -> None:
    """Refuse a file that is missing, a link or too large to read."""
    if path.is_symlink() or not path.is_file():
        refuse_file(path, "missing")
    if (size := path.stat().st_size) > MOST_JSON_BYTES:
        refuse_file(path, f"{size} bytes, at most {MOST_JSON_BYTES} are read")


def check_parts(path: Path, result: Record, truth: Truth) -> None:
    """Check that a result has every task of the zoo once, and no other file."""
    tables = [*truth.tasks, *([RECONSTRUCTION] if result.reconstruction else [])]
    expected = {RESULT, *(f"{table}.parquet" for table in tables)}
    if extra := sorted({file.name for file in path.parent.iterdir()} - expected):
        refuse_file(path.with_name(extra[0]), "not part of a result; remove it")
    if len(result.by_task) < len(result.tasks):
        refuse(path, "tasks", "a task occurs twice")
    for unknown in result.by_task.keys() - truth.tasks.keys():
        refuse(path, "tasks", f"{unknown!r} is not a task of {truth.stamp.name} on this board")
    for task in truth.tasks.keys() - result.by_task.keys():
        refuse(path, "tasks", f"{task!r} is missing; evaluate all tasks (without --task)")


def checked_reconstruction(path: Path, result: Record, truth: Truth) -> np.ndarray | None:
    """Read the errors of a reconstruction, if there is one."""
    reconstruction = result.reconstruction
    if reconstruction is None:
        return None
    check_counts(path, "reconstruction", {"scores": reconstruction.scores}, result)
    return checked_errors(path.parent, reconstruction, truth.labels, seeds=len(result.seeds))


def check_counts(
    path: Path, field: str, counted: Mapping[str, Sequence[object]], result: Record
) -> None:
    """Check that each list has one number per seed."""
    for name, numbers in counted.items():
        if len(numbers) != len(result.seeds):
            reason = f"{len(numbers)} numbers, expected {len(result.seeds)}, one per seed"
            refuse(path, f"{field}.{name}", reason)


def check_values(path: Path, value: Any, field: str = "") -> None:
    """Refuse markup and control characters in texts of a result, and numbers that JSON lacks."""
    if isinstance(value, dict):
        for key, item in value.items():
            check_values(path, key, f"{field}.{key}")
            check_values(path, item, f"{field}.{key}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            check_values(path, item, f"{field}.{number}")
    elif isinstance(value, float) and not isfinite(value):
        refuse(path, field.removeprefix("."), f"{value}, expected a finite number")
    elif isinstance(value, str):
        try:
            plain(value)
        except ValueError as error:
            refuse(path, field.removeprefix("."), str(error))


def check_header(path: Path, result: Record, truth: Truth, submission: Submission) -> None:
    """Check the fields of a result as a whole."""
    if result.tested_on is not None:
        refuse(path, "tested_on", f"{result.tested_on.name!r}, a board ranks within zoos only")
    if result.benchmark != BENCHMARK:
        refuse(path, "benchmark", f"{result.benchmark!r}, this board holds {BENCHMARK!r}")
    check_zoo(path, result.zoo, truth.stamp)
    probe = PROBE_OF[submission.track]
    if result.probe != probe:
        refuse(path, "probe", f"{result.probe!r}, the track {submission.track} takes {probe!r}")
    name = result.embedder.name
    if submission.track == "reference" and (name not in REFERENCES or name != submission.name):
        refuse(path, "embedder.name", f"{name!r} is not the reference row {submission.name!r}")
    if result.seeds != tuple(range(len(result.seeds))) or not 1 <= len(result.seeds) <= MOST_SEEDS:
        refuse(path, "seeds", f"{result.seeds}, expected 0, 1, … (at most {MOST_SEEDS} seeds)")
    check_embedder(path, result.embedder)


def check_zoo(path: Path, zoo: ZooStamp, expected: ZooStamp) -> None:
    """Check that a result is on the zoo of the board, and on all of it."""
    if zoo.models_built < zoo.models_planned:
        partial = f"{zoo.models_built} of {zoo.models_planned} models"
        refuse(path, "zoo.models_built", f"{partial}, expected a result on the whole zoo")
    for field in fields(ZooStamp):
        mine, theirs = getattr(zoo, field.name), getattr(expected, field.name)
        if mine != theirs:
            refuse(path, f"zoo.{field.name}", f"{mine!r}, the zoo of this board has {theirs!r}")


def check_embedder(path: Path, embedder: EmbedderStamp) -> None:
    """Check that others can get the code of a result."""
    if embedder.dirty:
        reason = "the code differs from its commit; commit it and evaluate again"
        refuse(path, "embedder.dirty", reason)
    if embedder.commit is None and embedder.cls.partition(".")[0] != "sklearn":
        reason = "the code is not in a repository; commit it and evaluate again"
        refuse(path, "embedder.commit", reason)
    if embedder.commit is not None and not re.fullmatch(r"[0-9a-f]{40,64}", embedder.commit):
        refuse(path, "embedder.commit", f"{embedder.commit!r} is not the hash of a commit")
    reference = embedder.reference
    if not reference:
        reason = "empty, so nobody can run it again; run: zoobench evaluate EMBEDDER"
        refuse(path, "embedder.reference", reason)
    if Path(reference).is_absolute() or ".." in Path(reference).parts:
        refuse(path, "embedder.reference", f"{reference!r} leads out of the repository")


def read_task(
    path: Path, result: Record, given: TaskResult, task: Task, truth: Truth
) -> np.ndarray:
    """Read the predictions of one task and check them against the test split."""
    field = f"tasks.{task.id}"
    for name in ("version", "target", "kind", "metric"):
        mine, theirs = getattr(given, name), getattr(task, name)
        if mine != theirs:
            refuse(path, f"{field}.{name}", f"{mine!r}, the task of this board has {theirs!r}")
    if given.ceiling is not None:
        refuse(path, f"{field}.ceiling", f"{given.ceiling}, expected none for {given.metric}")
    counted = ("scores", "penalties", "validation_scores")
    check_counts(path, field, {name: getattr(given, name) for name in counted}, result)
    rows = truth.rows[task.id]
    if given.rows != len(rows):
        refuse(path, f"{field}.rows", f"{given.rows}, the test split has {len(rows)}")
    return checked_predictions(path.parent, given, rows, seeds=len(result.seeds))
