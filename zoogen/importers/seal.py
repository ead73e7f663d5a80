"""Writes the table, card and manifest that make an imported folder a zoo."""

import platform
from collections import defaultdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoogen.atomic import write_text
from zoogen.importers.columns import PLACE_AND_RUN, WORDS, measured_names
from zoogen.importers.foreign import Foreign
from zoogen.importers.stored import Stored
from zoogen.spec.imported import ImportedSpec, Origin, Skipped, found_values
from zoogen.spec.zoo_spec import AXES
from zoogen.store.card import CARD, zoo_card
from zoogen.store.manifest import (
    FORMAT_VERSION,
    TABLE,
    Check,
    Manifest,
    file_entry,
    write_manifest,
)
from zoogen.store.table import write_table

if TYPE_CHECKING:
    import pandas as pd


def seal_import(
    foreign: Foreign,
    stored: Stored,
    folder: Path,
    checks: tuple[Check, ...],
    images: str,
    images_sha256: str | None,
) -> Manifest:
    """Write table, card and manifest; the folder is a zoo from here on."""
    table = zoo_table(foreign.snapshots, stored)
    write_table(folder / TABLE, table)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        spec=imported_spec(foreign, stored, table, images),
        layout=foreign.network.layout.shapes,
        models_planned=max(foreign.planned, table["model"].nunique()),
        models_built=table["model"].nunique(),
        shared_starts=foreign.shared_starts,
        failures=(),
        images_sha256=images_sha256,
        split_sha256=split_sha256(table),
        table=file_entry(folder, TABLE, len(table)),
        shards=stored.shards,
        versions={
            "zoogen": version("zoobench"),
            "torch": version("torch"),
            "numpy": version("numpy"),
            "python": platform.python_version(),
            "machine": platform.machine(),
        },
        checks=checks,
    )
    write_text(folder / CARD, zoo_card(manifest, table))
    write_manifest(folder, manifest)
    return manifest


def zoo_table(snapshots: "pd.DataFrame", stored: Stored) -> "pd.DataFrame":
    """Return one row per stored snapshot, in the order of the shards."""
    rows = snapshots.iloc[stored.rows].reset_index(drop=True)
    sizes = [shard.rows for shard in stored.shards]
    rows["shard"] = np.repeat(np.arange(len(sizes)), sizes)
    rows["row"] = np.concatenate([np.arange(size) for size in sizes])
    rows["group"] = rows["model"]
    axes = [axis for axis in (*AXES, "seed") if axis in rows]
    return rows[[*PLACE_AND_RUN, *axes, *measured_names(rows)]]


def split_sha256(table: "pd.DataFrame") -> str:
    """Hash the split as ``zoogen.store.table`` does for zoos trained here."""
    models = table.drop_duplicates("model").sort_values("model")
    lines = (f"{m} {s}\n" for m, s in zip(models["model"], models["split"], strict=True))
    return sha256("".join(lines).encode()).hexdigest()


def imported_spec(
    foreign: Foreign, stored: Stored, table: "pd.DataFrame", images: str
) -> ImportedSpec:
    """Return the spec of the imported zoo."""
    axes = {
        axis: tuple(sorted(map(str, table[axis].unique())))
        if axis in WORDS
        else found_values(table[axis].unique().tolist())
        for axis in AXES
        if axis in table
    }
    return ImportedSpec(
        name=foreign.name,
        version=1,
        images=images,
        network=foreign.network,
        **axes,  # type: ignore[arg-type]
        measured=measured_names(table),
        snapshot_epochs=tuple(sorted(table["epoch"].unique().tolist())),
        models=max(foreign.planned, table["model"].nunique()),
        licence=foreign.licence,
        source=foreign.source,
        origin=Origin(
            format=foreign.format,
            files=len(foreign.digests),
            sha256=foreign.digests.sha256,
            split=foreign.split,
            also=foreign.also,
            skipped=skipped_snapshots(foreign, stored),
        ),
    )


def skipped_snapshots(foreign: Foreign, stored: Stored) -> tuple[Skipped, ...]:
    """List every snapshot that is not in the table, by run."""
    runs, epochs = foreign.snapshots["run"], foreign.snapshots["epoch"]
    gathered = defaultdict[tuple[str, str], list[int]](list)
    for row, reason in stored.lost.items():
        gathered[str(runs.iloc[row]), reason].append(int(epochs.iloc[row]))
    lost = (
        Skipped(run=run, epochs=tuple(sorted(epochs)), reason=reason)
        for (run, reason), epochs in gathered.items()
    )
    return (*foreign.missing, *lost)
