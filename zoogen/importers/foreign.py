"""A published population in the original's order and layout, as an importer hands it over."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.importers.sources import Digests
from zoogen.spec.architectures import Network
from zoogen.spec.hidden_layer import Symmetry
from zoogen.spec.imported import Skipped
from zoogen.spec.layout import Layout
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Block:
    """A few snapshots, as read.

    Attributes:
        rows: Their row numbers in ``Foreign.snapshots``.
        weights: Their vectors in the original's layout; valid until the next block is read.
        lost: Rows that could not be read, each with its reason.
    """

    rows: Int64[np.ndarray, " rows"]
    weights: Float32[np.ndarray, "rows params"]
    lost: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ForeignLayout:
    """Where the original keeps each tensor in its weight vector.

    Attributes:
        tensors: Names, order and shapes of the original's tensors.
        hidden: Tensor axes along which each hidden layer's units lie.
        columns: For each of our weights, its position in the original's vector.
    """

    tensors: Layout
    hidden: Symmetry
    columns: Int64[np.ndarray, " params"]

    @classmethod
    def same_as(cls, network: Network) -> "ForeignLayout":
        """Return the layout of an original that stores weights as we do."""
        columns = np.arange(network.layout.params)
        return cls(tensors=network.layout, hidden=network.layout.symmetry or (), columns=columns)


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A published population whose weights have not been read yet.

    Attributes:
        snapshots: One row per snapshot: ``model`` (numbered from 0), ``run`` (the original's name
            for the model), ``epoch``, ``split``, the original's axes and its measurements.
        images: Image sets the accuracies may have been measured on.
        measure: Whether to measure accuracies again.
        blocks: Reads the weights: every row of ``snapshots`` once, in any order.
        digests: Hashes of the files; complete once all blocks have been read.
        split: Where the split comes from, in words.
        planned: Number of models published.
        missing: Snapshots that have no row.
        checks: Checks the importer has made itself.
    """

    format: str
    name: str
    network: Network
    images: tuple[str, ...]
    measure: bool
    snapshots: "pd.DataFrame"
    layout: ForeignLayout
    blocks: Callable[[], Iterator[Block]]
    digests: Digests
    split: str
    planned: int
    shared_starts: bool
    licence: str
    source: str
    also: tuple[tuple[str, str], ...] = ()
    missing: tuple[Skipped, ...] = ()
    checks: tuple[Check, ...] = ()
