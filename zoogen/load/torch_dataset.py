"""Snapshots and one of their properties, for a torch ``DataLoader``."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor
from torch.utils.data import Dataset

from zoogen.errors import UnknownNameError
from zoogen.load.part import Part
from zoogen.store.weights import Weights

Pair = tuple[Float32[Tensor, " params"], Float32[Tensor, ""]]


class SnapshotDataset(Dataset[Pair]):
    """Pairs of a weight vector and a target; weights are read from disk batch by batch.

    A spawned worker gets the names of the shards and maps them itself.
    """

    def __init__(self, weights: Weights, targets: Float32[Tensor, " snapshots"]) -> None:
        self.weights = weights
        self.targets = targets

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, row: int) -> Pair:
        return self.__getitems__([row])[0]

    def __getitems__(self, rows: Sequence[int]) -> list[Pair]:
        """Read a batch at once; a ``DataLoader`` calls this if it is there."""
        chosen = np.asarray(rows)
        vectors = torch.from_numpy(self.weights[chosen])
        return list(zip(vectors, self.targets[torch.from_numpy(chosen)], strict=True))


def snapshot_dataset(part: Part, target: str) -> SnapshotDataset:
    """Pair the weights of a part with one of its numeric properties.

    Raises:
        UnknownNameError: If there is no such property.
    """
    numeric = part.properties.select_dtypes("number")
    if target not in numeric:
        raise UnknownNameError("numeric property", target, map(str, numeric))
    targets = torch.tensor(numeric[target].to_numpy(dtype=np.float32))
    return SnapshotDataset(part.weights, targets)
