"""Audit a zoo: nothing in the test split may also be in the train split."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from zoobench.checks.findings import Finding, judged
from zoobench.checks.fingerprint import fingerprints
from zoobench.task.pair import START_COLUMNS
from zoogen import SPLITS, Zoo, ZooSpec, model_table
from zoogen.progress import progress_bar

if TYPE_CHECKING:
    import pandas as pd


def audit(zoo: Zoo) -> list[Finding]:
    """Look for models, groups and snapshots that are in two splits.

    Raises:
        IntegrityError: If a file is not the one the manifest names.
    """
    return list(chain(files(zoo), splits(zoo), starts(zoo), snapshots(zoo)))


def files(zoo: Zoo) -> Iterator[Finding]:
    """Hash every file."""
    total = 1 + len(zoo.manifest.shards)
    with progress_bar("verify", things="files", total=total, unit="files") as report:
        for _ in zoo.verify():
            report(1)
    yield judged("files", f"{total}, all as the manifest names them", passed=True)


def splits(zoo: Zoo) -> Iterator[Finding]:
    """Check that each model and each group is in one split, the one that the spec deals."""
    table = zoo.properties
    models = table.groupby("split")["model"].nunique()
    parts = ", ".join(f"{models.get(split, 0)} {split}" for split in SPLITS)
    for column in ("model", "group"):
        found = in_two_splits(table, [column])
        detail = f"{table[column].nunique()} {column}s, " + (
            f"{len(found)} in two splits, the first {found[0]}" if found else "none in two splits"
        )
        yield judged(f"{column}s", detail, passed=not found)
    if not isinstance(zoo.spec, ZooSpec):
        yield Finding("split", "note", f"models: {parts}")
        return
    dealt = model_table(zoo.spec)
    known = table["model"].isin(dealt.index)
    own = table[known]
    wrong = len(table) - len(own)
    for column in ("split", "group"):
        wrong += int((own[column].to_numpy() != dealt[column].loc[own["model"]].to_numpy()).sum())
    reason = f"{wrong} entries differ from the spec's" if wrong else "as the spec deals them"
    yield judged("split", f"models: {parts}; {reason}", passed=not wrong)


def starts(zoo: Zoo) -> Iterator[Finding]:
    """Count the starting points that models of two splits share; the manifest must declare them."""
    table = zoo.properties
    if not set(START_COLUMNS) <= set(table):
        yield Finding("starting points", "note", "not known")
        return
    shared = len(in_two_splits(table, START_COLUMNS))
    detail = f"{len(table[START_COLUMNS].drop_duplicates())}, "
    detail += f"{shared} of them shared by models of two splits" if shared else "none in two splits"
    if not shared:
        yield judged("starting points", detail, passed=True)
    elif zoo.manifest.shared_starts:
        yield Finding("starting points", "note", f"{detail}, as the manifest says")
    else:
        yield judged("starting points", f"{detail}; the manifest says none is", passed=False)


def snapshots(zoo: Zoo) -> Iterator[Finding]:
    """Look for snapshots that are equal up to the order of hidden units.

    Within a split they are counted. In two splits they fail, unless they are starting points that
    the manifest says are shared.
    """
    rows = zoo.properties[["model", "epoch", "split"]].assign(network=all_fingerprints(zoo))
    size = rows.groupby("network")["model"].transform("size")
    twins = rows[size > 1]
    apart = twins[twins.groupby("network")["split"].transform("nunique") > 1]
    declared = apart["epoch"] == 0 if zoo.manifest.shared_starts else apart["epoch"] < 0
    leaked = apart[~declared]
    what = "equal up to the order of hidden units"
    if len(leaked):
        first = apart[apart["network"] == leaked["network"].iloc[0]].drop_duplicates("split")
        detail = f"{len(leaked)} of {len(rows)} are in two splits, {what}: {snapshot_names(first)}"
        yield judged("snapshots", detail, passed=False)
    else:
        detail = f"{len(rows)}, none in two splits, {what}"
        if len(apart):
            detail = f"{len(rows)}, none trained in two splits, {what}"
        yield judged("snapshots", detail, passed=True)
    if count := int(declared.sum()):
        detail = f"{count} at epoch 0 are {what} in two splits: shared starting points"
        yield Finding("epoch 0", "note", detail)
    if within := len(twins) - len(apart):
        yield Finding("twins", "note", f"{within} are {what} within a split")


def all_fingerprints(zoo: Zoo) -> np.ndarray:
    """Fingerprint every snapshot."""
    found = []
    count = len(zoo.weights)
    with progress_bar("snapshots", things="snapshots", total=count, unit="snapshots") as report:
        for block in fingerprints(zoo.weights):
            found.append(block)
            report(len(block))
    return np.concatenate(found)


def in_two_splits(table: "pd.DataFrame", columns: list[str]) -> list[object]:
    """Return the values of some columns that occur in more than one split."""
    counts = table.groupby(columns, sort=False)["split"].nunique()
    return list(counts.index[counts > 1])


def snapshot_names(rows: "pd.DataFrame") -> str:
    """Name snapshots by model, epoch and split."""
    return " = ".join(
        f"model {row.model} epoch {row.epoch} ({row.split})" for row in rows.itertuples()
    )
