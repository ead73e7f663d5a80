"""The table of a zoo, with one row per snapshot, in the order of the shards."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float64
from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from zoogen.atomic import atomic_path
from zoogen.errors import IntegrityError
from zoogen.spec.configs import model_configs
from zoogen.spec.split import SPLITS, model_groups, model_splits
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.manifest import STRICT, TABLE, Failure, FileEntry, Manifest

if TYPE_CHECKING:
    import pandas as pd

NOTES = b"zoogen"
PLACE = ("model", "epoch", "shard", "row", "split", "group")
"""Columns that every zoo has."""


TrainingPath = Literal["kernels", "torch"]
"""How a zoo is trained: by compiled kernels or by torch, never by both."""


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ShardNotes:
    """What a finished shard was made from, stored with its rows until the zoo is sealed."""

    spec: ZooSpec
    images_sha256: str
    models: tuple[int, ...]
    failures: tuple[Failure, ...]
    weights: FileEntry
    device: str = "cpu"
    path: TrainingPath = "torch"


NOTES_JSON = TypeAdapter(ShardNotes)


def part_path(folder: Path, shard: int) -> Path:
    """Return the file that holds the rows of a finished shard until the zoo is sealed."""
    return folder / "parts" / f"{shard:05d}.parquet"


def model_table(spec: ZooSpec) -> "pd.DataFrame":
    """Return split, group and config of every planned model, indexed by model number.

    Example:
        >>> import zoogen
        >>> zoogen.model_table(zoogen.zoo_spec("tetris-seed"))["split"].value_counts()["test"]
        np.int64(150)
    """
    import pandas as pd

    configs = model_configs(spec)
    table = pd.DataFrame([vars(config) for config in configs]).set_index("model")
    table.insert(0, "split", model_splits(spec, configs))
    table.insert(1, "group", model_groups(spec, configs))
    return table


def split_sha256(spec: ZooSpec) -> str:
    """Return the hash of the full zoo's split; scores on different splits are not comparable."""
    splits = model_splits(spec, model_configs(spec))
    lines = (f"{model} {split}\n" for model, split in enumerate(splits))
    return sha256("".join(lines).encode()).hexdigest()


def snapshot_table(
    models: "pd.DataFrame",
    stored: Sequence[int],
    shard: int,
    measured: Mapping[str, Float64[np.ndarray, "stored epochs"]],
    epochs: Sequence[int],
) -> "pd.DataFrame":
    """Return the rows of one shard: place, split, config and measurements.

    Args:
        models: Table of models, see ``model_table``.
        stored: Models stored in the shard, in its order.
        shard: Number of the shard.
        measured: Values of each property.
        epochs: Epochs after which each model's snapshots were taken.
    """
    rows = models.loc[np.repeat(np.asarray(stored, dtype=int), len(epochs))].reset_index()
    rows.insert(1, "epoch", np.tile(np.asarray(epochs), len(stored)))
    rows.insert(2, "shard", shard)
    rows.insert(3, "row", np.arange(len(rows)))
    return rows.assign(**{name: values.reshape(-1) for name, values in measured.items()})


def write_table(path: Path, rows: "pd.DataFrame", notes: ShardNotes | None = None) -> None:
    """Write rows as parquet, atomically, with the notes in the file's metadata."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pandas(rows, preserve_index=False)
    if notes is not None:
        metadata = {**table.schema.metadata, NOTES: NOTES_JSON.dump_json(notes)}
        table = table.replace_schema_metadata(metadata)
    with atomic_path(path) as temporary:
        pq.write_table(table, temporary)


def read_notes(path: Path) -> ShardNotes | None:
    """Read the notes of a shard, or return None if the shard is unfinished or damaged."""
    try:
        return read_part(path)[1]
    except (OSError, ValueError, KeyError):
        return None


def read_part(path: Path) -> tuple["pd.DataFrame", ShardNotes]:
    """Read the rows of a finished shard and its notes."""
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    return table.to_pandas(), NOTES_JSON.validate_json((table.schema.metadata or {})[NOTES])


def read_table(
    folder: Path, manifest: Manifest, columns: list[str] | None = None
) -> "pd.DataFrame":
    """Read the table of a zoo, or some columns of it.

    Raises:
        IntegrityError: If the table is missing or cannot be read, or its number of rows or the type
            of a column is wrong.
    """
    import pandas as pd
    import pyarrow as pa

    path, expected = folder / TABLE, sum(shard.rows for shard in manifest.shards)
    try:
        rows = pd.read_parquet(path, columns=columns)
    except FileNotFoundError as error:
        raise IntegrityError(f"{path} is missing; build or fetch the zoo again") from error
    except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
        raise IntegrityError(
            f"{path} cannot be read ({error}); build or fetch the zoo again"
        ) from error
    if not len(rows) == expected == manifest.table.rows:
        raise IntegrityError(
            f"{path}: {len(rows)} rows, expected {expected}; the table was altered, build or fetch "
            "the zoo again"
        )
    check_columns(rows, path, PLACE if columns is None else columns)
    return rows


def check_columns(rows: "pd.DataFrame", path: Path, wanted: Sequence[str]) -> None:
    """Check that the columns that identify a snapshot exist and have the right type.

    Raises:
        IntegrityError: If a column is missing or has the wrong type.
    """
    import pandas as pd

    for name in wanted:
        if name not in rows:
            raise IntegrityError(f"{path} has no column {name}; build or fetch the zoo again")
        whole, splits = pd.api.types.is_integer_dtype(rows[name]), ", ".join(SPLITS)
        if not (rows[name].isin(SPLITS).all() if name == "split" else whole):
            expected = splits if name == "split" else "whole numbers"
            raise IntegrityError(
                f"{path}: column {name} has {rows[name].dtype} values, expected {expected}; the "
                "table was altered, build or fetch the zoo again"
            )
