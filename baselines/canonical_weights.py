"""Weight vectors whose hidden units stand in an order of their own, whatever order they came in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float32, Int64

from zoobench import Embedder
from zoogen import HiddenLayer, Layout, Weights, ZooError, chained_layers

ROWS = 8192
"""Weight vectors read at a time."""


@dataclass
class CanonicalWeights:
    """The flat weight vector of an equal network: in each hidden layer the strongest unit first.

    A unit is as strong as the sum of squares of all that belongs to it: the weights it hears with,
    its bias and the weights it is heard with. No order of any layer changes that sum, so networks
    that differ in the order of hidden units alone come out as one vector. Two units of almost equal
    strength may change places when weights change little; nothing else leaps.
    """

    name: str = field(default="canonical-weights", init=False)

    def fit(self, train: Weights, validation: Weights, *, seed: int) -> "CanonicalWeights":  # noqa: ARG002
        """Return the embedder as it is: there is nothing to learn.

        Raises:
            ZooError: If no layer feeds another: there is nothing to put in order.
        """
        if not chained_layers(train.layout):
            raise ZooError(
                f"no hidden layer to put in order among {', '.join(train.layout.shapes)}; "
                "raw-weights embeds such networks"
            )
        return self

    def transform(self, weights: Weights) -> Float32[np.ndarray, "snapshots params"]:
        """Return each vector with its units in order, a block of rows at a time."""
        blocks = (weights[first : first + ROWS] for first in range(0, len(weights), ROWS))
        return np.concatenate([in_order(block, weights.layout) for block in blocks])


def in_order(
    rows: Float32[np.ndarray, "rows params"], layout: Layout
) -> Float32[np.ndarray, "rows params"]:
    """Put the units of every hidden layer in order, the strongest first."""
    tensors = {slot.name: rows[:, slot.slice].reshape(len(rows), *slot.shape) for slot in layout}
    for hidden in chained_layers(layout):
        order = strongest_first(tensors, hidden)
        for name, axis in hidden.axes:
            tensors[name] = reordered(tensors[name], axis, order)
    return np.concatenate([tensor.reshape(len(rows), -1) for tensor in tensors.values()], axis=1)


def strongest_first(
    tensors: Mapping[str, Float32[np.ndarray, "rows ..."]], hidden: HiddenLayer
) -> Int64[np.ndarray, "rows units"]:
    """Return the old place of the unit at each new place.

    Sums are in double precision: their rounding, which depends on the order, ties no two units.
    """
    strength = sum(
        np.square(by_unit(tensors[name], axis, hidden.units), dtype=np.float64).sum(axis=2)
        for name, axis in hidden.axes
    )
    return np.argsort(-np.asarray(strength), axis=1, kind="stable")


def by_unit(
    tensor: Float32[np.ndarray, "rows ..."], axis: int, units: int
) -> Float32[np.ndarray, "rows units _scalars"]:
    """Lay out a tensor unit by unit, each with all scalars that belong to it."""
    return np.moveaxis(tensor, axis + 1, 1).reshape(len(tensor), units, -1)


def reordered(
    tensor: Float32[np.ndarray, "rows ..."], axis: int, order: Int64[np.ndarray, "rows units"]
) -> Float32[np.ndarray, "rows ..."]:
    """Put the units along an axis of a tensor in order; each may hold a run of the axis."""
    units = by_unit(tensor, axis, order.shape[1])
    moved = np.take_along_axis(units, order[:, :, None], axis=1)
    shape = np.moveaxis(tensor, axis + 1, 1).shape
    return np.moveaxis(moved.reshape(shape), 1, axis + 1)


embedder: Embedder = CanonicalWeights()
