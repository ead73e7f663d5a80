"""Predictions as anybody may have written them: read with care, nothing too large unpacked."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from zoobench.refusal import plain, refuse, refuse_file
from zoobench.results.results import RECONSTRUCTION, ReconstructionResult, TaskResult
from zoogen import sha256_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_BYTES = 10_000_000
MOST_UNPACKED = 100_000_000
LONGEST_CLASS = 64


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
    check_file(path, "predictions_sha256", task.predictions_sha256)
    columns = [f"seed_{number}" for number in range(seeds)]
    words = task.kind == "classification"
    table = read_columns(path, ["model", "epoch", *columns], rows=len(rows), words=words)
    check_snapshots(path, table, rows)
    for name in columns:
        if not words and not np.isfinite(table[name]).all():
            refuse(path, name, "predictions of numbers must be finite floats")
    return np.stack([table[name] for name in columns])


def checked_errors(
    folder: Path, reconstruction: ReconstructionResult, rows: "pd.DataFrame", *, seeds: int
) -> Float64[np.ndarray, "seeds 2 rows"]:
    """Read the errors of a reconstruction, as ``squared_errors`` of every seed.

    Raises:
        IntegrityError: If the file is not the one the result names, or not of these snapshots.
    """
    path = folder / f"{RECONSTRUCTION}.parquet"
    check_file(path, "errors_sha256", reconstruction.errors_sha256)
    columns = [f"{part}_{number}" for number in range(seeds) for part in ("seed", "spread")]
    table = read_columns(path, ["model", "epoch", *columns], rows=len(rows), words=False)
    check_snapshots(path, table, rows)
    for name in columns:
        if not (np.isfinite(table[name]) & (table[name] >= 0)).all():
            refuse(path, name, "sums of squares must be finite and no less than 0")
    errors: np.ndarray = np.stack([table[name] for name in columns]).astype(np.float64)
    return errors.reshape(seeds, 2, len(rows))


def check_snapshots(path: Path, table: Mapping[str, np.ndarray], rows: "pd.DataFrame") -> None:
    """Check that a table is of the snapshots it must be of, in their order."""
    for name in ("model", "epoch"):
        if not np.array_equal(table[name], rows[name].to_numpy()):
            refuse(path, name, "the predictions are of other snapshots than the test split's")


def check_file(path: Path, field: str, sha256: str) -> None:
    """Check size and hash of a file; a field of the result names the hash."""
    if not path.is_file() or path.is_symlink():
        refuse_file(path, "missing")
    if (size := path.stat().st_size) > MOST_BYTES:
        refuse_file(path, f"{size} bytes, at most {MOST_BYTES} are read")
    if (found := sha256_of(path)) != sha256:
        refuse(path, field, f"found {found}, the result names {sha256}")


def read_columns(path: Path, names: list[str], *, rows: int, words: bool) -> dict[str, np.ndarray]:
    """Read a parquet file that has these columns and as many rows, no more.

    Args:
        path: Of the file.
        names: Of its columns, ``model`` and ``epoch`` first: whole numbers.
        rows: How many there must be.
        words: Whether the other columns hold names of classes, else floats.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        # A class is kept once, however many rows say it: no file unpacks to more than itself.
        file = ParquetFile(path, read_dictionary=names[2:] if words else [])
        if file.schema_arrow.names != names:
            refuse(path, "columns", f"{file.schema_arrow.names}, expected {names}")
        if file.metadata.num_rows != rows:
            refuse(path, "rows", f"{file.metadata.num_rows}, the test split has {rows}")
        check_types(path, file.schema_arrow, words=words)
        groups = range(file.metadata.num_row_groups)
        unpacked = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        if unpacked > MOST_UNPACKED:
            refuse_file(path, f"{unpacked} bytes unpacked, at most {MOST_UNPACKED} are read")
        table = file.read(use_threads=False)
    except (ArrowException, OSError) as error:
        refuse_file(path, f"no parquet file that can be read ({error})")
    if words:
        for name in names[2:]:
            check_classes(path, name, table[name])
    return {name: table[name].to_numpy() for name in names}


def check_types(path: Path, schema: "pa.Schema", *, words: bool) -> None:
    """Refuse a column of another type than it must have."""
    from pyarrow import types

    for place, field in enumerate(schema):
        if place < 2:
            fits, expected = types.is_integer(field.type), "whole numbers"
        elif words:
            fits, expected = types.is_dictionary(field.type), "names of classes"
        else:
            fits, expected = types.is_floating(field.type), "finite floats"
        if not fits:
            refuse(path, field.name, f"holds {field.type}, expected {expected}")


def check_classes(path: Path, name: str, column: "pa.ChunkedArray") -> None:
    """Refuse predicted classes that are missing, long or more than plain text."""
    if column.null_count:
        refuse(path, name, "a class is missing")
    for chunk in column.chunks:
        for value in chunk.dictionary.to_pylist():
            if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_CLASS:
                refuse(path, name, f"{value!r} is not the name of a class")
            try:
                plain(value)
            except ValueError as error:
                refuse(path, name, str(error))
