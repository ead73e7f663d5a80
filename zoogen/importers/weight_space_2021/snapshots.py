"""The table of snapshots of a 2021 zoo, from the labels and properties of its data sets."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from zoogen.errors import IntegrityError
from zoogen.importers.checks import passed
from zoogen.importers.weight_space_2021.data_sets import ITERATION, PROPERTIES, DataSet
from zoogen.spec.zoo_spec import AXES, ZooSpec
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd

EPOCH, SEPARATOR = "epoch_", "#_#"


def snapshot_rows(sets: Sequence[DataSet], registered: ZooSpec) -> "pd.DataFrame":
    """Join the three splits in one table; add axes that the paper gives for all models alike."""
    import pandas as pd

    tables = []
    for one in sets:
        runs, epochs = zip(*map(run_and_epoch, one.labels), strict=True) if one.labels else ((), ())
        table = pd.DataFrame({"run": runs, "epoch": np.array(epochs, int), "split": one.split})
        for key, name in PROPERTIES.items():
            if key in one.properties:
                table[name] = one.properties[key]
        tables.append(table)
    rows = pd.concat(tables, ignore_index=True)
    for axis in AXES:
        values = getattr(registered, axis)
        if axis not in rows and isinstance(values, tuple) and len(values) == 1:
            rows[axis] = values[0]
    rows = rows.drop(columns=[] if (rows["initialiser"] == "normal").any() else ["init_std"])
    rows.insert(0, "model", rows["run"].factorize()[0])
    return rows


def run_and_epoch(label: object) -> tuple[str, int]:
    """Parse ``{path}#_#epoch_{e}#_#layer_{layers}``.

    Raises:
        IntegrityError: If the label has another form.
    """
    run, *fields = str(label).split(SEPARATOR)
    epochs = [one.removeprefix(EPOCH) for one in fields if one.startswith(EPOCH)]
    if not run or len(epochs) != 1 or not re.fullmatch(r"\d{1,9}", epochs[0]):
        raise IntegrityError(
            f"cannot parse label {str(label)[:200]!r}, "
            f"expected PATH{SEPARATOR}{EPOCH}N{SEPARATOR}layer_…"
        )
    return run, int(epochs[0])


def epoch_check(sets: Sequence[DataSet], rows: "pd.DataFrame") -> Check:
    """Check that each label has the epoch at which its properties were measured."""
    logged = [epoch for one in sets for epoch in one.properties[ITERATION]]
    off = np.flatnonzero([one != epoch for one, epoch in zip(rows["epoch"], logged, strict=True)])
    detail = f"{len(rows)} labels agree with training_iteration"
    if len(off):
        first = rows.iloc[off[0]]
        detail = (
            f"{len(off)} of {len(rows)} labels disagree with training_iteration, such as "
            f"{first['run']}, epoch {first['epoch']}, training_iteration {logged[off[0]]}"
        )
    return passed("properties match their epoch", detail, ok=not len(off))
