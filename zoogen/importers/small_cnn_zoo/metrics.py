"""The metrics table of the Small CNN Zoo: runs, epochs, settings, measurements and split."""

import csv
import gzip
import io
import random
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoogen.errors import IntegrityError, ZooError
from zoogen.importers.sources import MIB, Member
from zoogen.spec.imported import Skipped

if TYPE_CHECKING:
    import pandas as pd

LARGEST_TABLE = 512 * MIB
TABLES = ("metrics.csv.gz", "metrics.csv", "all_metrics.csv.gz", "all_metrics.csv")
EPOCHS = (0, 1, 2, 3, 20, 40, 60, 80, 86)
COLUMNS = {
    "modeldir": "run",
    "step": "epoch",
    "config.activation": "activation",
    "config.w_init": "initialiser",
    "config.init_std": "init_std",
    "config.optimizer": "optimiser",
    "config.learning_rate": "learning_rate",
    "config.l2reg": "weight_decay",
    "config.dropout": "dropout",
    "config.train_fraction": "train_fraction",
    "config.random_seed": "seed",
    "train_loss": "train_loss",
    "train_accuracy": "train_accuracy",
    "test_loss": "test_loss",
    "test_accuracy": "test_accuracy",
}
"""Our name for each column."""

CONSTANT = (
    "config.b_init",
    "config.dataset",
    "config.dnn_architecture",
    "config.epochs",
    "config.epochs_between_checkpoints",
    "config.num_layers",
    "config.num_units",
)
WORDS = {"modeldir", "config.activation", "config.w_init", "config.optimizer"}
MEASURED = {"train_loss", "train_accuracy", "test_loss", "test_accuracy"}
SPLIT_SEED = 42


def read_metrics(member: Member) -> "pd.DataFrame":
    """Parse the metrics table, gzipped or not.

    Raises:
        ZooError: If a column is missing.
        IntegrityError: If it is damaged or too large, or is not a metrics table.
    """
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv as pa_csv

    text = decompressed(member)
    head = next(csv.reader([text[: text.find(b"\n")].decode("utf-8", "replace")]), [])
    for column in (*COLUMNS, "config.dataset"):
        if column not in head:
            raise ZooError(f"{member} has no column {column}; it has {', '.join(head)[:300]}")
    word = pa.dictionary(pa.int32(), pa.string())
    options = pa_csv.ConvertOptions(
        include_columns=[*COLUMNS, *(name for name in CONSTANT if name in head)],
        column_types={
            **dict.fromkeys({*WORDS, *CONSTANT} & set(head), word),
            **dict.fromkeys(MEASURED, pa.float64()),
            "step": pa.int64(),
        },
    )
    try:
        read = pa_csv.read_csv(io.BytesIO(text), convert_options=options)
    except (pa.ArrowException, ValueError) as error:
        raise IntegrityError(f"{member} is not a metrics table ({error!s:.300})") from error
    return pd.DataFrame(read.to_pandas())


def decompressed(member: Member) -> bytes:
    """Read a file, and decompress it if its name ends in ``.gz``.

    Raises:
        IntegrityError: If it is damaged, or larger than ``LARGEST_TABLE`` in either form.
    """
    raw = member.whole(LARGEST_TABLE)
    if not member.name.endswith(".gz"):
        return raw
    try:
        text = gzip.GzipFile(fileobj=io.BytesIO(raw)).read(LARGEST_TABLE + 1)
    except (OSError, EOFError, ValueError, gzip.zlib.error) as error:  # type: ignore[attr-defined]
        raise IntegrityError(f"{member} is damaged ({error}); get the file again") from error
    if len(text) > LARGEST_TABLE:
        raise IntegrityError(f"{member} decompresses to more than {LARGEST_TABLE} bytes")
    return text


def only_value(source: Path, metrics: "pd.DataFrame", column: str) -> str:
    """Return the one value that a column has in every row.

    Raises:
        ZooError: If it has several, or none.
    """
    values = metrics[column].unique()
    if len(values) != 1:
        found = ", ".join(map(str, values[:5])) or "empty"
        raise ZooError(f"{source}: {column} is {found}; expected the same value in every row")
    return str(values[0])


def constants(metrics: "pd.DataFrame") -> tuple[tuple[str, str], ...]:
    """Return settings that all models share and that we have no column for."""
    present = [column for column in CONSTANT if column in metrics]
    shared = [column for column in present if metrics[column].nunique() == 1]
    return tuple((column.partition(".")[2], str(metrics[column].iloc[0])) for column in shared)


def snapshot_rows(metrics: "pd.DataFrame") -> "pd.DataFrame":
    """Rename the columns to ours, number runs in order of appearance, and add the split."""
    rows = metrics[list(COLUMNS)].rename(columns=COLUMNS)
    for name in ("activation", "initialiser", "optimiser"):
        rows[name] = rows[name].astype(str)
    model, runs = rows["run"].factorize()
    rows.insert(0, "model", model)
    rows["run"] = rows["run"].astype(str)
    rows["split"] = np.array(run_splits(len(runs)), dtype=object)[model]
    rows["generalisation_gap"] = rows["train_accuracy"] - rows["test_accuracy"]
    return rows


def run_splits(runs: int) -> list[str]:
    """Return the split of each run in table order, as the 2021 paper assigned it.

    Python's shuffle with seed 42, cut at 70 and 85 per cent, rounded down; it depends only on the
    order of the published table.
    """
    order = list(range(runs))
    random.Random(SPLIT_SEED).shuffle(order)
    train, validation = int(0.7 * runs), int(0.15 * runs)
    split = [""] * runs
    for place, run in enumerate(order):
        after = place - train
        split[run] = "train" if after < 0 else "validation" if after < validation else "test"
    return split


def shares_starts(snapshots: "pd.DataFrame") -> bool:
    """Return whether models share a starting point: initialiser, its scale and seed."""
    starts = snapshots.drop_duplicates(["initialiser", "init_std", "seed"])
    return len(starts) < snapshots["model"].nunique() or snapshots["seed"].nunique() == 1


def missing_epochs(snapshots: "pd.DataFrame") -> tuple[Skipped, ...]:
    """List the checkpoints that each run lacks."""
    runs = snapshots.groupby("model").agg(run=("run", "first"), epochs=("epoch", frozenset))
    short = runs[runs["epochs"] != frozenset(EPOCHS)]
    gaps = ((run, tuple(sorted(set(EPOCHS) - epochs))) for run, epochs in short.to_numpy())
    return tuple(
        Skipped(run=str(run), epochs=epochs, reason="not in the original")
        for run, epochs in gaps
        if epochs
    )
