"""The table of a zoo as a ``datasets.Dataset``."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from zoogen.extras import extra_package
from zoogen.store.front_matter import CONFIG
from zoogen.store.manifest import TABLE

if TYPE_CHECKING:
    import datasets


def table_dataset(
    folder: Path, rows: Int64[np.ndarray, " chosen"] | None = None
) -> "datasets.Dataset":
    """Return the table, or some of its rows, as ``datasets.load_dataset`` would from the Hub.

    Raises:
        ZooError: If ``datasets`` is not installed.
    """
    import pyarrow.parquet as pq

    extra_package("datasets", "this")
    from datasets import Dataset, NamedSplit
    from datasets.table import InMemoryTable

    table = pq.read_table(folder / TABLE)
    if rows is not None:
        table = table.take(rows)
    return Dataset(InMemoryTable(table), split=NamedSplit(CONFIG))
