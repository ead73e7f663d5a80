"""A zoo in memory: its table, its weights mapped from disk, its networks on demand."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from zoogen.errors import UnknownNameError, ZooError
from zoogen.images.sets import ImageSet, load_images
from zoogen.load.part import Part
from zoogen.spec.imported import AnySpec
from zoogen.spec.layout import Layout
from zoogen.spec.split import SPLITS, Split
from zoogen.store.manifest import Manifest, verify_files
from zoogen.store.table import read_table
from zoogen.store.weights import Weights

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    import torch

    from zoogen.load.torch_dataset import SnapshotDataset


@dataclass(frozen=True)
class Zoo:
    """A population of trained networks: row i of every field is snapshot i."""

    folder: Path
    manifest: Manifest
    weights: Weights
    chosen: Int64[np.ndarray, " snapshots"] | None = None
    """Rows of the stored table; None if all of them were loaded."""

    @property
    def spec(self) -> AnySpec:
        """The spec that the zoo was built from, or that was read when it was imported."""
        return self.manifest.spec

    @property
    def layout(self) -> Layout:
        """Which slice of a weight vector is which tensor."""
        return self.weights.layout

    @cached_property
    def properties(self) -> "pd.DataFrame":
        """One row per snapshot: model, epoch, split, config and everything measured.

        Raises:
            IntegrityError: If the table is missing or lacks rows.
        """
        rows = read_table(self.folder, self.manifest)
        return rows if self.chosen is None else rows.iloc[self.chosen].reset_index(drop=True)

    def part(self, split: Split) -> Part:
        """Return the snapshots of one split, weights still on disk.

        Raises:
            UnknownNameError: If there is no such split.
        """
        if split not in SPLITS:
            raise UnknownNameError("split", split, SPLITS)
        chosen = np.flatnonzero(self.properties["split"] == split)
        return Part(self.weights.take(chosen), self.properties.iloc[chosen])

    @property
    def train(self) -> Part:
        """The snapshots a probe learns from."""
        return self.part("train")

    @property
    def validation(self) -> Part:
        """The snapshots settings are chosen on."""
        return self.part("validation")

    @property
    def test(self) -> Part:
        """The snapshots that are scored, once."""
        return self.part("test")

    def where(self, query: str) -> "Zoo":
        """Return the snapshots for which a condition holds, weights still on disk.

        Args:
            query: A condition on the columns of ``properties``, in the language of
                ``pandas.DataFrame.query``.

        Raises:
            ZooError: If it is not a condition on these columns.

        Example:
            >>> import zoogen
            >>> late = zoogen.load_zoo("tetris-hyp").where("activation == 'relu' and epoch > 70")
            >>> sorted(late.properties["epoch"].unique().tolist())
            [71, 72, 73, 74, 75]
        """
        rows = self.properties
        try:
            holds = rows.eval(query, engine="python", local_dict={}, global_dict={})
            holds = np.asarray(holds)
        except Exception as error:
            raise not_a_condition(query, rows, str(error)) from error
        if holds.dtype != bool or holds.shape != (len(rows),):
            raise not_a_condition(query, rows, "it is not true or false for each snapshot")
        found = np.flatnonzero(holds)
        stored = np.arange(len(rows)) if self.chosen is None else self.chosen
        return Zoo(self.folder, self.manifest, self.weights.take(found), stored[found])

    @property
    def images(self) -> ImageSet:
        """The images the networks were trained and tested on, as they saw them.

        Raises:
            UnknownNameError: If the publisher of an imported zoo did not name its images.
            ZooError: If the images are not on this machine and cannot be downloaded.

        Example:
            >>> import zoogen
            >>> zoogen.load_zoo("tetris-seed").images.test_images.shape
            (2000, 16)
        """
        return load_images(self.spec.images)

    def state_dict(self, row: int) -> "dict[str, torch.Tensor]":
        """Return the tensors of one snapshot by name, as copies."""
        import torch

        vector = torch.from_numpy(self.weights[row].copy())
        return {slot.name: vector[slot.slice].view(slot.shape) for slot in self.layout}

    def network(self, row: int) -> "torch.nn.Module":
        """Return the torch module of one snapshot, in evaluation mode.

        On the zoo's test images it has the ``test_accuracy`` of that row: exactly for the Tetris
        zoos. A convolution rounds differently for one model than for a stack: if two logits of an
        image differ by less than that, the predicted class may change.
        """
        from zoogen.train.networks import torch_module

        module = torch_module(self.spec.network, self.properties["activation"].iloc[row])
        module.load_state_dict(self.state_dict(row))
        return module.eval()

    def torch_dataset(self, split: Split, target: str = "test_accuracy") -> "SnapshotDataset":
        """Return ``(weight vector, target)`` pairs of one split for a ``DataLoader``.

        Weights stay on disk until a batch is read; workers map the same files and copy none.

        Args:
            split: Split of the snapshots.
            target: Any numeric column of ``properties``.

        Raises:
            UnknownNameError: If there is no such split or no such column.
        """
        from zoogen.load.torch_dataset import snapshot_dataset

        return snapshot_dataset(self.part(split), target)

    def to_datasets(self) -> "datasets.Dataset":
        """Return the table as ``datasets.load_dataset`` would from the Hub, without the weights.

        Raises:
            ZooError: If ``datasets`` is not installed.
        """
        from zoogen.load.datasets import table_dataset

        return table_dataset(self.folder, self.chosen)

    def verify(self) -> Iterable[str]:
        """Hash every file and yield its name, see ``zoogen.store.manifest.verify_files``."""
        return verify_files(self.folder, self.manifest)


def not_a_condition(query: str, rows: "pd.DataFrame", reason: str) -> ZooError:
    """Return the error for a query that cannot select snapshots."""
    return ZooError(
        f"{query!r} cannot be used to select snapshots: {reason}; expected a condition such as "
        f"'epoch > 20' on the columns {', '.join(map(str, rows))}"
    )
