"""A zoo in memory: its table, its weights mapped from disk, its networks on demand."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from zoogen.errors import IntegrityError, UnknownNameError
from zoogen.hub.remote import Remote
from zoogen.hub.stream import remote_rows
from zoogen.load.locate import Search
from zoogen.spec.imported import AnySpec
from zoogen.spec.layout import Layout
from zoogen.spec.registry import ZOOS
from zoogen.spec.split import SPLITS, Split
from zoogen.spec.zoo_spec import ZooSpec
from zoogen.store.manifest import MANIFEST, Manifest, read_manifest, verify_files
from zoogen.store.shards import map_shard
from zoogen.store.subset import COLUMNS, Shelves, Subset
from zoogen.store.table import read_table
from zoogen.store.weights import Weights

if TYPE_CHECKING:
    import datasets
    import pandas as pd
    import torch

    from zoogen.load.torch_dataset import SnapshotDataset

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """The snapshots of one split: row i of ``properties`` describes row i of ``weights``."""

    weights: Weights
    properties: "pd.DataFrame"


@dataclass(frozen=True)
class Zoo:
    """A population of trained networks: row i of every field is snapshot i."""

    folder: Path
    manifest: Manifest
    weights: Weights
    chosen: Int64[np.ndarray, " snapshots"] | None = None
    """Rows of the stored table, if not all of them were asked for."""

    @property
    def spec(self) -> AnySpec:
        """What was asked for when the zoo was built, or what was found when it was imported."""
        return self.manifest.spec

    @property
    def layout(self) -> Layout:
        """Which slice of a weight vector is which tensor."""
        return self.weights.layout

    @cached_property
    def properties(self) -> "pd.DataFrame":
        """One row per snapshot: model, epoch, split, config and everything measured.

        Raises:
            IntegrityError: If the table is missing, or has not the rows the manifest names.
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
        """The snapshots scored, once."""
        return self.part("test")

    def state_dict(self, row: int) -> "dict[str, torch.Tensor]":
        """Return the tensors of one snapshot by name, as copies."""
        import torch

        vector = torch.from_numpy(self.weights[row].copy())
        return {slot.name: vector[slot.slice].view(slot.shape) for slot in self.layout}

    def network(self, row: int) -> "torch.nn.Module":
        """Return the torch module of one snapshot, in evaluation mode.

        On the zoo's test images it has the ``test_accuracy`` of that row: exactly for the Tetris
        zoos. A convolution computed for one model rounds otherwise than for a stack; where two
        logits of an image are equal up to that, the image may change sides.
        """
        from zoogen.train.networks import torch_module

        module = torch_module(self.spec.network, self.properties["activation"].iloc[row])
        module.load_state_dict(self.state_dict(row))
        return module.eval()

    def torch_dataset(self, split: Split, target: str = "test_accuracy") -> "SnapshotDataset":
        """Return ``(weight vector, target)`` pairs of one split for a ``DataLoader``.

        Weights stay on disk until a batch is read; workers map the same files, none has a copy.

        Args:
            split: Which snapshots.
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


def load_zoo(
    name: str | Path,
    *,
    split: Split | None = None,
    models: int | Sequence[int] | None = None,
    stream: bool = False,
    endpoint: str | None = None,
    token: str | None = None,
    cache_dir: Path | None = None,
) -> Zoo:
    """Load a zoo by its registered name, from its folder or from the Hub, copying no weights.

    A registered zoo that is not in the cache is fetched from where it is published, if that is
    known: see ``zoogen.hub.reference``. Else a Tetris zoo is built, with a progress bar.

    Args:
        name: Registered name, folder, or ``hub:OWNER/NAME@REVISION``. What was fetched of a
            revision is used again, also if the Hub cannot be reached.
        split: Only the snapshots of this split.
        models: Only those of the first so many models, or of the models with these numbers.
            From the Hub, only the shards with what is asked for are fetched: few for few models,
            nearly all for a split.
        stream: Fetch no shards at all: rows are read from the Hub when they are used. They are not
            hashed: that takes the whole shard.
        endpoint: Address of the Hub; by default ``$HF_ENDPOINT`` or huggingface.co.
        token: By default ``$HF_TOKEN`` or that of ``hf auth login``.
        cache_dir: Where zoos are kept; by default ``$ZOOGEN_CACHE`` or ``~/.cache/zoogen``.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name, or no such split.
        ZooError: If it is not built, or cannot be fetched; the message has the command.
        IntegrityError: If a file is missing, truncated or not the one the manifest names.
    """
    subset = Subset(split=split, models=models)
    search = Search(
        subset=subset, stream=stream, endpoint=endpoint, token=token, cache_dir=cache_dir
    )
    folder, remote = search.find(str(name))
    return open_zoo(str(name), folder, subset, remote if stream else None)


def open_zoo(name: str, folder: Path, subset: Subset, remote: Remote | None) -> Zoo:
    """Open a zoo that is in a folder, its shards mapped; those that are not there are streamed.

    Raises:
        ZooError: If a model is asked for that the zoo does not have.
        IntegrityError: As ``load_zoo``.
    """
    manifest = read_manifest(folder)
    warn_of_difference(name, folder, manifest)
    layout = manifest.stored_layout
    if layout != manifest.spec.network.layout:
        raise IntegrityError(f"{folder / MANIFEST}: layout {manifest.layout} is not the network's")
    shelves, chosen = Shelves(manifest), None
    if not subset.is_everything:
        chosen = subset.rows(read_table(folder, manifest, COLUMNS), manifest)
    entries = shelves.needed(chosen)
    absent = remote_rows(remote, entries, folder, layout.params) if remote else {}
    shards = [
        absent.get(shard.file) or map_shard(folder / shard.file, shard.rows, layout.params)
        for shard in entries
    ]
    weights = Weights(shards, layout)
    if chosen is not None:
        weights = weights.take(shelves.among(chosen))
    return Zoo(folder, manifest, weights, chosen)


def warn_of_difference(name: str, folder: Path, manifest: Manifest) -> None:
    """Say, once of each zoo, if it is not what its name promises: a part, or of another spec."""
    spec, registered = manifest.spec, ZOOS.get(name)
    if registered and isinstance(spec, ZooSpec) and spec != registered:
        differing = (
            field.name
            for field in fields(spec)
            if getattr(spec, field.name) != getattr(registered, field.name)
        )
        say_once(folder, f"{name} is not the registered one, it differs in {', '.join(differing)}")
    built, planned = manifest.models_built, manifest.models_planned
    if built < planned:
        say_once(folder, f"{spec.name} is a partial zoo: {built} of {planned} models")


@cache
def say_once(folder: Path, message: str) -> None:  # noqa: ARG001, of each folder once
    """Warn of a zoo; who loads it again has been told."""
    log.warning(message)
