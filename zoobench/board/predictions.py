"""Read predictions that anyone may have written: check everything, unpack nothing too large."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64

from zoobench.refusal import plain, refuse, refuse_file
from zoobench.results.record import RECONSTRUCTION, ReconstructionResult, TaskResult
from zoogen.atomic import sha256_of

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MOST_BYTES = 10_000_000
MOST_UNPACKED = 100_000_000
LONGEST_CLASS = 64


def checked_predictions(
    folder: Path, task: TaskResult, rows: "pd.DataFrame", *, seeds: int
) -> np.ndarray:
    """Read and check the predictions of one task.

    Args:
        folder: Folder of the result.
        task: Result of the task, with the hash of the file.
        rows: Columns model and epoch of the snapshots to predict.
        seeds: Number of seeds that the file must have.

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
            refuse(path, name, "a prediction is not finite, expected finite floats")
    return np.stack([table[name] for name in columns])


def checked_errors(
    folder: Path, reconstruction: ReconstructionResult, rows: "pd.DataFrame", *, seeds: int
) -> Float64[np.ndarray, "seeds 2 rows"]:
    """Read and check the errors of a reconstruction: ``squared_errors`` of every seed.

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
            refuse(path, name, "sums of squares must be finite and at least 0")
    errors: np.ndarray = np.stack([table[name] for name in columns]).astype(np.float64)
    return errors.reshape(seeds, 2, len(rows))


def check_snapshots(path: Path, table: Mapping[str, np.ndarray], rows: "pd.DataFrame") -> None:
    """Check that a table has the snapshots of the test split, in order."""
    for name in ("model", "epoch"):
        if not np.array_equal(table[name], rows[name].to_numpy()):
            refuse(path, name, "other snapshots than in the test split")


def check_file(path: Path, field: str, sha256: str) -> None:
    """Check the size of a file, and its hash against that field of the result."""
    if not path.is_file() or path.is_symlink():
        refuse_file(path, "missing")
    if (size := path.stat().st_size) > MOST_BYTES:
        refuse_file(path, f"{size} bytes, at most {MOST_BYTES} are read")
    if (found := sha256_of(path)) != sha256:
        refuse(path, field, f"found {found}, the result names {sha256}")


def read_columns(path: Path, names: list[str], *, rows: int, words: bool) -> dict[str, np.ndarray]:
    """Read a parquet file that must have exactly these columns and rows.

    Args:
        path: File to read.
        names: Names of the columns; ``model`` and ``epoch`` come first and hold whole numbers.
        rows: Number of rows.
        words: Whether the other columns hold names of classes instead of floats.
    """
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        # A class is stored once, however many rows repeat it: no file unpacks to more than itself.
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
        refuse_file(path, f"not a readable parquet file ({error})")
    if words:
        for name in names[2:]:
            check_classes(path, name, table[name])
    return {name: table[name].to_numpy() for name in names}


def check_types(path: Path, schema: "pa.Schema", *, words: bool) -> None:
    """Refuse a column of the wrong type."""
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
    """Refuse predicted classes that are missing, too long or not plain text."""
    if column.null_count:
        refuse(path, name, "a class is missing, expected one in every row")
    for chunk in column.chunks:
        for value in chunk.dictionary.to_pylist():
            if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_CLASS:
                refuse(path, name, f"{value!r}, expected 1 to {LONGEST_CLASS} characters")
            try:
                plain(value)
            except ValueError as error:
                refuse(path, name, str(error))
