"""Make a submission from results: round and rescore predictions, check, then move the folder."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from shutil import rmtree

import numpy as np
import pandas as pd
from jaxtyping import Float64

from zoobench.board.board import Truth, read_truths, submission_folder
from zoobench.board.predictions import checked_errors, checked_predictions
from zoobench.board.submission import (
    PROBE_OF,
    SUBMISSION,
    Submission,
    read_submission,
    write_submission,
)
from zoobench.board.validate import checked_entry
from zoobench.evaluation.score import reconstruction_scores, scores_of, write_errors
from zoobench.results.files import RESULT, read_result, write_result, write_table
from zoobench.results.record import ReconstructionResult, Record, TaskResult
from zoogen import UnknownNameError, ZooError

STEPS = 64
"""Rounding steps of regression predictions in a standard deviation of the targets, at least."""
DIGITS = 8
"""Binary digits of a squared error."""


def submit(
    results: Path, about: Path, root: Path, *, zoos: Sequence[str] = (), overwrite: bool = False
) -> Path:
    """Write a submission whole and valid, or not at all.

    Args:
        results: Folder of one embedder, ``results/my-embedder``.
        about: Path of the ``submission.toml``.
        root: Folder of the board.
        zoos: Zoos of the results to submit; all if empty.
        overwrite: Whether to replace a submission of the same name.

    Returns:
        The folder of the submission.

    Raises:
        UnknownNameError: If a zoo is not on the board.
        IntegrityError: If a field of the result or of ``about`` is refused.
        ZooError: If there is no result, the name is taken or the board cannot be written.
    """
    submission = read_submission(about)
    folder = submission_folder(root, submission.name)
    if folder.exists() and not overwrite:
        raise ZooError(f"{folder} already exists; choose another name or add --replace")
    found = results_by_zoo(results, submission, zoos)
    truths = read_truths(root)
    for zoo in found:
        if zoo not in truths:
            raise UnknownNameError(f"zoo on the board {root}", zoo, truths)
    staged = folder.with_name(f".{submission.name}.{os.getpid()}")
    try:
        write_submission(staged / SUBMISSION, submission)
        for zoo, source in found.items():
            write_rounded(source, staged / zoo, truths[zoo])
        checked_entry(staged, submission.name, truths)
        replace_folder(staged, folder)
    except OSError as error:
        raise ZooError(f"cannot write {folder}: {error.strerror or error}") from error
    finally:
        rmtree(staged, ignore_errors=True)
    return folder


def results_by_zoo(results: Path, submission: Submission, zoos: Sequence[str]) -> dict[str, Path]:
    """Find the results of the track's probe, by zoo."""
    probe = PROBE_OF[submission.track]
    paths = (path.parent for path in sorted(results.glob(f"*/{probe}/{RESULT}")))
    found = {path.parent.name: path for path in paths}
    for zoo in zoos:
        if zoo not in found:
            raise UnknownNameError(f"result with the {probe} probe in {results} on", zoo, found)
    if not found:
        raise ZooError(
            f"{results} holds no result with the {probe} probe; expected the folder of one "
            "embedder, such as results/my-embedder; make it with zoobench evaluate"
        )
    return {zoo: path for zoo, path in found.items() if not zoos or zoo in zoos}


def write_rounded(source: Path, target: Path, truth: Truth) -> None:
    """Copy a result with rounded predictions and their scores."""
    result = read_result(source)
    known = [task for task in result.tasks if task.task in truth.tasks]
    scored = tuple(rounded_task(source, target, task, truth, result) for task in known)
    rest = tuple(task for task in result.tasks if task.task not in truth.tasks)
    reconstruction = rounded_reconstruction(source, target, truth, result)
    write_result(target, replace(result, tasks=(*scored, *rest), reconstruction=reconstruction))


def rounded_reconstruction(
    source: Path, folder: Path, truth: Truth, result: Record
) -> ReconstructionResult | None:
    """Write the rounded errors of a reconstruction, if there is one, and score them."""
    if result.reconstruction is None:
        return None
    rows = truth.labels
    errors = checked_errors(source, result.reconstruction, rows, seeds=len(result.seeds))
    errors = significant(errors)
    scores, interval = reconstruction_scores(errors, rows["model"].to_numpy())
    return ReconstructionResult(
        scores=scores,
        interval=interval,
        errors_sha256=write_errors(folder, rows, errors, compression="zstd"),
    )


def rounded_task(
    source: Path, folder: Path, task: TaskResult, truth: Truth, result: Record
) -> TaskResult:
    """Write the rounded predictions of one task and score them."""
    of = truth.tasks[task.task]
    rows = truth.rows[of.id]
    values = checked_predictions(source, task, rows, seeds=len(result.seeds))
    if of.kind == "regression":
        values = rounded(values, rows[of.target].to_numpy(np.float64))
    scores, interval = scores_of(of, rows, values)
    written = pd.DataFrame({"model": rows["model"], "epoch": rows["epoch"]})
    for number, column in enumerate(values):
        written[f"seed_{number}"] = column
    digest = write_table(folder, of.id, written, compression="zstd")
    return replace(task, scores=scores, interval=interval, predictions_sha256=digest)


def rounded(values: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Round to multiples of a power of two: few distinct numbers make a small file.

    The power is the largest up to a 64th of the targets' standard deviation. On a full-size zoo R²
    moves by 0.0001, less than any table shows.
    """
    spread = float(targets.std())
    if spread == 0:
        return values.astype(np.float32)
    step: float = 2.0 ** np.floor(np.log2(spread / STEPS))
    nearest: np.ndarray = np.round(values.astype(np.float64) / step) * step
    return nearest.astype(np.float32)


def significant(errors: Float64[np.ndarray, "..."]) -> Float64[np.ndarray, "..."]:
    """Round each number to ``DIGITS`` binary digits: large and small ones are equally exact."""
    digits, exponents = np.frexp(errors)
    rounded: np.ndarray = np.ldexp(np.round(digits * 2**DIGITS) / 2**DIGITS, exponents)
    return rounded


def replace_folder(staged: Path, folder: Path) -> None:
    """Rename a finished folder to ``folder``, then delete the folder it replaces.

    A process killed between the renames leaves the old folder as ``.{name}.replaced``.
    """
    old = folder.with_name(f".{folder.name}.replaced")
    if folder.exists():
        rmtree(old, ignore_errors=True)
        folder.rename(old)
    try:
        staged.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    rmtree(old, ignore_errors=True)
