"""Subsets of a zoo: the snapshots of one split or of some models, and the shards that hold them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from zoogen.errors import UnknownNameError, ZooError
from zoogen.spec.split import SPLITS, Split
from zoogen.store.manifest import FileEntry, Manifest

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ["model", "split"]
"""Columns of the table that select a subset."""


@dataclass(frozen=True, kw_only=True)
class Subset:
    """A choice of snapshots; by default all.

    Attributes:
        split: Split to select.
        models: Number of models to select, from the first on, or the numbers of these models.

    Raises:
        UnknownNameError: If the split is unknown.
        ZooError: If ``models`` selects no model or is negative.
    """

    split: Split | None = None
    models: int | Sequence[int] | None = None

    def __post_init__(self) -> None:
        if self.split is not None and self.split not in SPLITS:
            raise UnknownNameError("split", self.split, SPLITS)
        if self.models is not None and (not self.numbers or ends(self.numbers)[0] < 0):
            raise ZooError(
                f"models {self.models!r}: expected a count of 1 or more, or model numbers from 0 up"
            )

    @property
    def is_everything(self) -> bool:
        """Whether all snapshots are selected."""
        return self.split is None and self.models is None

    @property
    def numbers(self) -> Sequence[int]:
        """Numbers of the selected models."""
        return range(self.models) if isinstance(self.models, int) else (self.models or ())

    def rows(self, table: "pd.DataFrame", manifest: Manifest) -> Int64[np.ndarray, " chosen"]:
        """Return the indices of the selected rows of the table, in its order.

        Raises:
            ZooError: If the zoo does not have a selected model.
        """
        chosen = np.ones(len(table), dtype=bool)
        if self.models is not None:
            last = max(manifest.models_built - 1, int(table["model"].max()) if len(table) else 0)
            highest = ends(self.numbers)[1]
            if highest > last:
                raise ZooError(f"{manifest.spec.name} has models 0 to {last}, not {highest}")
            chosen &= table["model"].isin(self.numbers).to_numpy()
        if self.split is not None:
            chosen &= (table["split"] == self.split).to_numpy()
        return np.flatnonzero(chosen)


def ends(numbers: Sequence[int]) -> tuple[int, int]:
    """Return the lowest and the highest number; a long range takes no longer than a short one."""
    if isinstance(numbers, range):
        numbers = (numbers[0], numbers[-1])
    return min(numbers), max(numbers)


@dataclass(frozen=True)
class Shelves:
    """Where the rows of a table are stored: in the order of the shards."""

    manifest: Manifest

    @property
    def starts(self) -> Int64[np.ndarray, " bounds"]:
        """First row of each shard, then the number of all rows."""
        return np.cumsum([0, *(entry.rows for entry in self.manifest.shards)], dtype=np.int64)

    def shards_of(self, rows: Int64[np.ndarray, " chosen"]) -> Int64[np.ndarray, " chosen"]:
        """Return the number of the shard of each row."""
        return np.searchsorted(self.starts, rows, side="right") - 1

    def needed(self, rows: Int64[np.ndarray, " chosen"] | None) -> list[FileEntry]:
        """List the shards that hold the rows, each once; None means all rows."""
        if rows is None:
            return list(self.manifest.shards)
        return [self.manifest.shards[number] for number in np.unique(self.shards_of(rows))]

    def among(self, rows: Int64[np.ndarray, " chosen"]) -> Int64[np.ndarray, " chosen"]:
        """Return the indices of the rows within the concatenation of the needed shards alone."""
        shards = self.shards_of(rows)
        needed, place = np.unique(shards, return_inverse=True)
        lengths = np.diff(self.starts)[needed]
        first = np.cumsum([0, *lengths], dtype=np.int64)[:-1]
        among: Int64[np.ndarray, " chosen"] = rows - self.starts[shards] + first[place]
        return among
