"""Predictions as anybody may have written them: read with care, nothing too large unpacked."""

from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from zoobench.results import TaskResult
from zoobench.submission import plain
from zoogen import IntegrityError, sha256_of

if TYPE_CHECKING:
    import pandas as pd

MOST_BYTES = 10_000_000
LONGEST_CLASS = 64


def refuse(path: Path, field: str, reason: str) -> NoReturn:
    """Refuse a file for what one of its fields says."""
    raise IntegrityError(f"{path}: {field}: {reason}")


def checked_predictions(
    folder: Path, task: TaskResult, rows: "pd.DataFrame", *, seeds: int
) -> np.ndarray:
    """Read the predictions of one task.

    Args:
        folder: Of the result.
        task: What its result says, the hash of the file among it.
        rows: The snapshots that were to be predicted: their columns model and epoch.
        seeds: How many runs of the embedder there must be.

    Returns:
        One row per seed: finite floats, or names of classes.

    Raises:
        IntegrityError: If the file is not the one the result names, or not of these snapshots.
    """
    path = folder / f"{task.task}.parquet"
    check_file(path, task.predictions_sha256)
    columns = [f"seed_{number}" for number in range(seeds)]
    table = read_columns(path, ["model", "epoch", *columns], rows=len(rows))
    for name in ("model", "epoch"):
        if not np.array_equal(table[name], rows[name].to_numpy()):
            refuse(path, name, "the predictions are of other snapshots than the test split's")
    if task.kind == "classification":
        return np.stack([checked_classes(path, name, table[name]) for name in columns])
    for name in columns:
        if table[name].dtype.kind != "f" or not np.isfinite(table[name]).all():
            refuse(path, name, "predictions of numbers must be finite floats")
    return np.stack([table[name] for name in columns])


def check_file(path: Path, sha256: str) -> None:
    """Check size and hash of a file."""
    if not path.is_file() or path.is_symlink():
        raise IntegrityError(f"{path}: missing")
    if (size := path.stat().st_size) > MOST_BYTES:
        raise IntegrityError(f"{path}: {size} bytes, at most {MOST_BYTES} are read")
    if (found := sha256_of(path)) != sha256:
        refuse(path, "predictions_sha256", f"found {found}, the result names {sha256}")


def read_columns(path: Path, names: list[str], *, rows: int) -> dict[str, np.ndarray]:
    """Read a parquet file that has these columns and as many rows, no more."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(path)
        if file.schema_arrow.names != names:
            refuse(path, "columns", f"{file.schema_arrow.names}, expected {names}")
        if file.metadata.num_rows != rows:
            refuse(path, "rows", f"{file.metadata.num_rows}, the test split has {rows}")
        table = file.read(use_threads=False)
        return {name: table[name].to_numpy() for name in names}
    except (ArrowException, OSError) as error:
        raise IntegrityError(f"{path}: no parquet file that can be read ({error})") from error


def checked_classes(path: Path, name: str, values: np.ndarray) -> np.ndarray:
    """Return predicted classes as text."""
    for value in set(values.tolist()):
        if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_CLASS:
            refuse(path, name, f"{value!r} is not the name of a class")
        try:
            plain(value)
        except ValueError as error:
            refuse(path, name, str(error))
    return values.astype(str)
