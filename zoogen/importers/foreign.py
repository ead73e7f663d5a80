"""What an importer hands over: a population in the original's own order and layout."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from zoogen.importers.sources import Digests
from zoogen.spec.architectures import Network
from zoogen.spec.imported import Skipped
from zoogen.spec.layout import Layout
from zoogen.spec.symmetry import HiddenLayer
from zoogen.store.manifest import Check

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some snapshots as they were read.

    Attributes:
        rows: Which rows of ``Foreign.snapshots`` they are.
        weights: Their vectors in the original's layout; good until the next block.
        lost: Rows that could not be read, and why.
    """

    rows: Int64[np.ndarray, " rows"]
    weights: Float32[np.ndarray, "rows params"]
    lost: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ForeignLayout:
    """How the original lays its tensors out in a vector.

    Attributes:
        tensors: In the original's names, order and shapes.
        hidden: Along which of their axes hidden units lie.
        columns: Where in the original's vector each of our numbers is.
    """

    tensors: Layout
    hidden: tuple[HiddenLayer, ...]
    columns: Int64[np.ndarray, " params"]

    @classmethod
    def same_as(cls, network: Network) -> "ForeignLayout":
        """Return the layout of an original that keeps weights as we do."""
        columns = np.arange(network.layout.params)
        return cls(tensors=network.layout, hidden=network.symmetry, columns=columns)


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """A population as an importer found it, before its weights are read.

    Attributes:
        snapshots: A row for each: ``model`` (numbered from 0), ``run`` (the original's name of the
            model), ``epoch``, ``split``, the axes that the original tells, and what it measured.
        images: Image sets that the accuracies may be of; the weights say which.
        measure: Whether accuracies are to be measured again.
        blocks: Reads the weights, every row of ``snapshots`` once, in any order.
        digests: Of the files; complete when the blocks are.
        split: Whose split it is, in words.
        planned: How many models were published.
        missing: Snapshots that have no row.
        checks: What the importer itself has made sure of.
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
