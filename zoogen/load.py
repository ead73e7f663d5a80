"""A zoo in memory: its table, its weights mapped from disk, its networks on demand."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoogen.build import build_zoo
from zoogen.errors import IntegrityError, UnknownNameError, ZooError
from zoogen.imported import AnySpec, ImportedSpec
from zoogen.layout import Layout
from zoogen.manifest import MANIFEST, TABLE, Manifest, read_manifest, verify_files
from zoogen.places import zoo_folder
from zoogen.registry import ZOOS
from zoogen.shards import map_shard
from zoogen.split import SPLITS, Split
from zoogen.weights import Weights

if TYPE_CHECKING:
    import pandas as pd
    import torch
    from torch.utils.data import TensorDataset

log = logging.getLogger(__name__)

BUILT_ON_DEMAND = ("tetris-seed", "tetris-hyp")


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
        import pandas as pd

        path = self.folder / TABLE
        try:
            rows = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            raise IntegrityError(
                f"{path} cannot be read ({error}); build or fetch the zoo again"
            ) from error
        if len(rows) != len(self.weights):
            raise IntegrityError(
                f"{path}: {len(rows)} rows, expected {len(self.weights)}; the table was altered"
            )
        return rows

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
        from zoogen.networks import torch_module

        module = torch_module(self.spec.network, self.properties["activation"].iloc[row])
        module.load_state_dict(self.state_dict(row))
        return module.eval()

    def torch_dataset(self, split: Split, target: str = "test_accuracy") -> "TensorDataset":
        """Return ``(weight vector, target)`` pairs of one split for a ``DataLoader``.

        Args:
            split: Which snapshots.
            target: Any numeric column of ``properties``.

        Raises:
            UnknownNameError: If there is no such split or no such column.
        """
        import torch
        from torch.utils.data import TensorDataset

        part = self.part(split)
        numeric = part.properties.select_dtypes("number")
        if target not in numeric:
            raise UnknownNameError("numeric property", target, map(str, numeric))
        targets = torch.tensor(numeric[target].to_numpy(dtype=np.float32))
        return TensorDataset(torch.from_numpy(np.asarray(part.weights)), targets)

    def verify(self) -> Iterable[str]:
        """Hash every file; yield each once it is proved, see ``zoogen.manifest.verify_files``."""
        return verify_files(self.folder, self.manifest)


def load_zoo(name: str | Path) -> Zoo:
    """Load a zoo by its registered name or from its folder, copying no weights.

    A Tetris zoo that is not there yet is built first, with a progress bar.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.
        ZooError: If it is not built; the message has the command.
        IntegrityError: If a file is missing, truncated or not the one the manifest names.
    """
    folder = find_folder(name)
    if str(name) in ZOOS and not is_built(folder):
        if not is_at_hand(name):
            raise ZooError(f"{name} is not in {folder.parent}; run: zoogen build {name}")
        build_zoo(ZOOS[str(name)], folder)
    manifest = read_manifest(folder)
    warn_of_difference(str(name), manifest)
    layout = manifest.stored_layout
    if layout != manifest.spec.network.layout:
        raise IntegrityError(f"{folder / MANIFEST}: layout {manifest.layout} is not the network's")
    shards = [
        map_shard(folder / shard.file, shard.rows, layout.params) for shard in manifest.shards
    ]
    return Zoo(folder, manifest, Weights(shards, layout))


def warn_of_difference(name: str, manifest: Manifest) -> None:
    """Say if a zoo is not what its name promises: part of it, or another version."""
    imported = isinstance(manifest.spec, ImportedSpec)
    if name in ZOOS and manifest.spec != ZOOS[name] and not imported:
        log.warning("%s is of another version; run: zoogen build %s --overwrite", name, name)
    if manifest.models_built < manifest.models_planned:
        built, planned = manifest.models_built, manifest.models_planned
        log.warning("%s is a partial zoo: %d of %d models", manifest.spec.name, built, planned)


def find_folder(name: str | Path) -> Path:
    """Return the folder of a zoo, by path or by registered name, whether built or not.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.
    """
    path = Path(name)
    if is_built(path) or (path.is_dir() and str(name) not in ZOOS):
        return path
    if str(name) in ZOOS:
        return zoo_folder(str(name))
    raise UnknownNameError("zoo", str(name), ZOOS)


def is_at_hand(name: str | Path) -> bool:
    """Tell whether ``load_zoo`` finds a zoo, or builds it in a minute or two.

    Raises:
        UnknownNameError: If there is neither a zoo nor a folder of that name.
    """
    return is_built(find_folder(name)) or str(name) in BUILT_ON_DEMAND


def is_built(folder: Path) -> bool:
    """Tell whether a build in this folder came to its end."""
    return (folder / MANIFEST).exists()
